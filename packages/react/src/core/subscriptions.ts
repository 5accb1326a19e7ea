import type { RealtimeCommandError, RealtimeFailure } from './errors';
import { retryDelay } from './retry-delay';

/**
 * A time without connection: what was sent in it is missed.
 *
 * @example
 * useNotificationsSocket({ onResync: ({ since }) => fetchSince(since) });
 */
export interface RealtimeGap {
  /**
   * The last sign of life before it, by this machine's clock; 1970 where there
   * was no connection before.
   */
  readonly since: Date;
  readonly until: Date;
}

/**
 * State of the resource that a component subscribes to.
 *
 * @example
 * const { subscribed, subscriptionError } = useDocumentsSocket({ resource: id });
 */
export interface RealtimeSubscription {
  readonly subscribed: boolean;
  /** Why not, when the server has refused. */
  readonly subscriptionError: RealtimeFailure | null;
}

export const UNSUBSCRIBED: RealtimeSubscription = {
  subscribed: false,
  subscriptionError: null,
};

/** What subscribes to one resource: a component, or code without React. */
export interface ResourceSubscriber {
  /** First part of the events `<domain>.subscribe` and `<domain>.unsubscribe`. */
  readonly domain: string;
  readonly id: string;
  /** Called with each change. */
  readonly notify: (state: RealtimeSubscription) => void;
  /** Called each time that the server has decided on it: events were missed. */
  readonly resync: (gap: RealtimeGap) => void;
}

interface Channel {
  /** Of this connection; undefined while there is none. */
  readonly socketId: string | undefined;
  send(event: string, payload: unknown): Promise<unknown>;
}

/** No decision: it is asked for again. */
const UNDECIDED: ReadonlySet<string> = new Set([
  'TIMEOUT',
  'RATE_LIMITED',
  'INTERNAL',
]);

/** The resources of one namespace that components subscribe to. */
export class ResourceSubscriptions {
  /** Each with the begin of what it has missed: at first, all that ever was. */
  private readonly lostAt = new Map<ResourceSubscriber, number | null>();

  constructor(private readonly channel: Channel) {}

  /** Subscribes, and again after each reconnect, until it is released. */
  add(subscriber: ResourceSubscriber): () => void {
    this.lostAt.set(subscriber, 0);
    void this.ask(subscriber);
    return () => {
      this.lostAt.delete(subscriber);
      const { domain, id } = subscriber;
      const others = [...this.lostAt.keys()];
      const shared = others.some((other) => other.id === id);
      if (shared || this.channel.socketId === undefined) return;
      const event = `${domain}.unsubscribe`;
      this.channel.send(event, { id }).catch(() => undefined);
    };
  }

  /** Call when the namespace is connected. */
  restore(): void {
    for (const subscriber of this.lostAt.keys()) void this.ask(subscriber);
  }

  /** Call when it no longer is. @param at the begin of the gap */
  suspend(at: number): void {
    for (const [subscriber, lostAt] of this.lostAt) {
      this.lostAt.set(subscriber, lostAt ?? at);
      subscriber.notify(UNSUBSCRIBED);
    }
  }

  /** Call when another user comes: what the last one missed is not theirs. */
  forget(): void {
    for (const subscriber of this.lostAt.keys()) {
      this.lostAt.set(subscriber, 0);
    }
  }

  private async ask(subscriber: ResourceSubscriber): Promise<void> {
    const { socketId } = this.channel;
    if (socketId === undefined) return;
    const { domain, id, notify, resync } = subscriber;
    const error = await this.channel
      .send(`${domain}.subscribe`, { id })
      .then(() => null)
      .catch((reason: RealtimeCommandError) => reason);
    const isCurrent = (): boolean =>
      this.channel.socketId === socketId && this.lostAt.has(subscriber);
    if (!isCurrent()) return;
    notify({
      subscribed: error === null,
      subscriptionError: error && { code: error.code, message: error.message },
    });
    if (error && UNDECIDED.has(error.code)) {
      setTimeout(() => {
        if (isCurrent()) void this.ask(subscriber);
      }, retryDelay(error.details));
      return;
    }
    const lostAt = this.lostAt.get(subscriber) ?? null;
    this.lostAt.set(subscriber, null);
    if (lostAt !== null) resync({ since: new Date(lostAt), until: new Date() });
  }
}
