import { Manager, type Socket } from 'socket.io-client';
import type { RealtimeCommandError, RealtimeFailure } from './errors';
import type { Faults } from './faults';
import { retryDelay } from './retry-delay';
import { renewalDelay, type Tokens } from './tokens';

const BLOCKED: RealtimeFailure = {
  code: 'WEBSOCKET_BLOCKED',
  message: 'The server answers, but no websocket gets through to it',
};

/** What the connection needs to know of a namespace that it carries. */
interface Namespace {
  /** Undefined while there is no connection. */
  readonly socketId: string | undefined;
  /** True while it waits for the next attempt to connect. */
  readonly isWaiting: boolean;
  send(event: string, payload: unknown): Promise<unknown>;
  start(): void;
  /** Gives the connection up until the next start; false if there is none. */
  interrupt(failure: RealtimeFailure): boolean;
}

type Present = (auth: { token: string | null }) => void;

const RECONNECT_MS = { min: 1_000, max: 30_000 };
/** With Socket.IO's heartbeat, a connection that is silent longer is dead. */
const MAX_SILENCE_MS = 50_000;

/** Failures of a refresh that say nothing about the token. */
const TRANSIENT_CODES: ReadonlySet<string> = new Set([
  'TIMEOUT',
  'RATE_LIMITED',
  'UNAVAILABLE',
  'INTERNAL',
]);

/** Where the server is. */
export interface Server {
  readonly url: string;
  /** Path of Socket.IO; undefined for its default. */
  readonly path: string | undefined;
  /** What its owner may have to set, where it cannot be reached. */
  readonly hint?: string;
}

/** The one connection of a page: it carries all namespaces. */
export class RealtimeConnection {
  /** The token that the server has accepted. */
  token: string | null = null;
  /** Why the server is about to disconnect. */
  farewell: RealtimeFailure | null = null;
  isDraining = false;
  /** When the server was last heard of. */
  lastSeen = 0;
  private manager: Manager | undefined;
  private address: URL | undefined;
  private hint = '';
  private isProbing = false;
  /** The server answers, but no websocket gets through. */
  private isBlocked = false;
  private isRefreshing = false;
  private isClosed = false;
  private suspended: Namespace[] = [];
  private renewalTimer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly channels: ReadonlyMap<string, Namespace>,
    private readonly server: () => Server | RealtimeFailure,
    private readonly tokens: Tokens,
    readonly faults: Faults,
  ) {}

  /** A socket that is yet to be connected, or why there is none. */
  openSocket(
    namespace: string,
    auth: (present: Present) => void,
  ): Socket | RealtimeFailure {
    if (!this.manager) {
      const server = this.server();
      if ('code' in server) return server;
      this.manager = this.createManager(server);
    }
    return this.manager.socket(namespace, { auth });
  }

  /** Largest message that the server takes, as it says when it connects. */
  get maxMessageBytes(): number {
    const engine: object = this.manager?.engine ?? {};
    // Private, under one name since 4.8 and the other before.
    const told: unknown =
      Reflect.get(engine, '_maxPayload') ?? Reflect.get(engine, 'maxPayload');
    return Number(told) || Infinity;
  }

  currentToken(): string | null {
    return this.isClosed ? null : this.tokens.current();
  }

  renewToken(token: string | null): ReturnType<Tokens['renew']> {
    return this.isClosed ? null : this.tokens.renew(token);
  }

  /** Ends for good. Call after the namespaces have been stopped. */
  close(): void {
    this.isClosed = true;
    clearTimeout(this.renewalTimer);
    if (!this.manager) return;
    window.removeEventListener('online', this.wake);
    document.removeEventListener('visibilitychange', this.wake);
    window.removeEventListener('pagehide', this.suspend);
    window.removeEventListener('pageshow', this.resume);
  }

  /** Why a connection could not be opened, as far as is known by now. */
  unreachable(message: string): RealtimeFailure {
    void this.probe();
    return this.isBlocked
      ? BLOCKED
      : { code: 'UNREACHABLE', message: message + this.hint };
  }

  /** A namespace is connected. */
  connected(token: string | null): void {
    this.seen();
    this.isDraining = false;
    this.manager?.reconnectionDelay(RECONNECT_MS.min);
    this.accepted(token);
    void this.refresh();
  }

  expired(): void {
    this.farewell = { code: 'TOKEN_EXPIRED', message: 'The token expired' };
    if (this.currentToken() === this.token) void this.renew(this.token);
  }

  kicked(): void {
    this.farewell = { code: 'KICKED', message: 'Closed by the server' };
  }

  /** The server will close the connection, and names a time to return. */
  draining(body: unknown): void {
    const { reconnectInMs } = { ...(body as { reconnectInMs?: unknown }) };
    const { min, max } = RECONNECT_MS;
    this.isDraining = true;
    this.manager?.reconnectionDelay(
      Math.min(Math.max(Number(reconnectInMs) || min, min / 2), max),
    );
  }

  /** Sends another token of the same user: the connection lives as long. */
  async refresh(): Promise<void> {
    const token = this.currentToken();
    const [channel] = this.connectedChannels();
    if (!channel || token === null || token === this.token) return;
    if (this.isRefreshing) return;
    this.isRefreshing = true;
    const error = await channel
      .send('realtime.refresh', { token })
      .then(() => null)
      .catch((reason: RealtimeCommandError) => reason);
    this.isRefreshing = false;
    if (error === null) this.accepted(token);
    if (error === null || error.code === 'DISCONNECTED') return this.refresh();
    if (TRANSIENT_CODES.has(error.code)) {
      setTimeout(() => void this.refresh(), retryDelay(error.details));
      return;
    }
    // A new handshake decides what this token is worth.
    const { code, message } = error;
    this.restart([...this.channels.values()], { code, message });
  }

  /**
   * Asks over HTTP whether the server is there: it says that it takes websockets
   * only. Not on a page where one has got through.
   */
  private async probe(): Promise<void> {
    if (this.isProbing || this.lastSeen > 0 || !this.address) return;
    this.isProbing = true;
    this.isBlocked = await fetch(this.address)
      .then((answer) => answer.json())
      .then(({ code }) => code === 0)
      .catch(() => false);
    this.isProbing = false;
  }

  private accepted(token: string | null): void {
    this.token = token;
    this.farewell = null;
    clearTimeout(this.renewalTimer);
    const delay = token === null ? null : renewalDelay(token);
    if (delay === null) return;
    this.renewalTimer = setTimeout(() => void this.renew(token), delay);
  }

  private async renew(token: string | null): Promise<void> {
    const isWanted = (): boolean =>
      this.currentToken() === token && this.connectedChannels().length > 0;
    if (!isWanted()) return;
    const outcome = await this.renewToken(token);
    if (outcome !== 'failed' || !isWanted()) return;
    clearTimeout(this.renewalTimer);
    const again = (): void => void this.renew(token);
    this.renewalTimer = setTimeout(again, retryDelay(undefined));
  }

  private connectedChannels(): Namespace[] {
    const channels = [...this.channels.values()];
    return channels.filter(({ socketId }) => socketId !== undefined);
  }

  private createManager({
    url,
    path = '/socket.io',
    hint = '',
  }: Server): Manager {
    this.hint = hint;
    this.address = new URL(
      `${path.replace(/\/?$/, '/')}?EIO=4&transport=polling`,
      url,
    );
    const manager = new Manager(url, {
      path,
      autoConnect: false,
      transports: ['websocket'],
      reconnectionDelay: RECONNECT_MS.min,
      reconnectionDelayMax: RECONNECT_MS.max,
      timeout: 10_000,
    });
    manager.on('ping', this.seen);
    manager.on('packet', this.seen);
    window.addEventListener('online', this.wake);
    document.addEventListener('visibilitychange', this.wake);
    window.addEventListener('pagehide', this.suspend);
    window.addEventListener('pageshow', this.resume);
    return manager;
  }

  private readonly seen = (): void => {
    this.lastSeen = Date.now();
  };

  /** Tries at once, instead of after the rest of a long delay. */
  private readonly wake = (): void => {
    if (document.hidden) return;
    const isSilent = Date.now() - this.lastSeen > MAX_SILENCE_MS;
    const isConnected = this.connectedChannels().length > 0;
    const isClosed = this.manager?.engine?.readyState === 'closed';
    const channels = [...this.channels.values()];
    const failure = { code: 'DISCONNECTED', message: 'No sign of life' };
    // After sleep the heartbeat's own timer may fire much later.
    if (isConnected && isSilent) this.restart(channels, failure);
    else if (isClosed) {
      const waiting = channels.filter(({ isWaiting }) => isWaiting);
      this.restart(waiting, failure);
    }
  };

  /** A page with an open connection is not kept for the back button. */
  private readonly suspend = (): void => {
    const failure = { code: 'SUSPENDED', message: 'The page is left' };
    this.suspended = this.interrupt([...this.channels.values()], failure);
  };

  private readonly resume = (): void => {
    for (const channel of this.suspended) channel.start();
    this.suspended = [];
    this.wake();
  };

  private restart(
    channels: readonly Namespace[],
    failure: RealtimeFailure,
  ): void {
    // All first: the last one to go takes the old connection with it.
    const interrupted = this.interrupt(channels, failure);
    for (const channel of interrupted) channel.start();
  }

  private interrupt(
    channels: readonly Namespace[],
    failure: RealtimeFailure,
  ): Namespace[] {
    return channels.filter((channel) => channel.interrupt(failure));
  }
}
