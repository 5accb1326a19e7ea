import {
  type Channel,
  channel,
  subscribe,
  unsubscribe,
} from 'node:diagnostics_channel';

/**
 * Reports of the kernel, by name. They hold no tenant, user, room, token or
 * body, so that a listener may count and log all of them.
 */
export interface RealtimeDiagnostics {
  /** A connection, or one of its namespaces, was let in or refused. */
  handshake: {
    /** Absent where the connection is refused before it names a namespace. */
    readonly namespace?: string | undefined;
    /** `ok`, or the code of the refusal. */
    readonly result: string;
  };
  'socket.connected': { readonly namespace: string };
  'socket.disconnected': {
    readonly namespace: string;
    /** Socket.IO's name of the reason. */
    readonly reason: string;
  };
  /** A client event was acknowledged. */
  'client.event': {
    readonly namespace: string;
    readonly event: string;
    /** `ok`, or the code of the acknowledgement. */
    readonly result: string;
    readonly ms: number;
  };
  'rate.limited': {
    readonly what: 'handshake' | 'connection' | 'event' | 'flood';
  };
  'reader.cut': { readonly bytes: number };
  /** Bytes that wait for all readers, and for the slowest; once a second. */
  buffered: { readonly totalBytes: number; readonly maxBytes: number };
  /** A server event was given to the clients of a room. */
  emit: { readonly namespace: string; readonly event: string };
  /** An event of the broker was handled. */
  'broker.event': {
    /** Absent where the message names no event of a domain. */
    readonly event?: string | undefined;
    readonly result: 'done' | 'duplicate' | 'invalid' | 'transient';
    /** Code of a failure: `PAYLOAD`, `INTERNAL`. */
    readonly code?: string | undefined;
    readonly redelivered: boolean;
    readonly ms: number;
    /** Time since it was published, where the publisher says when. */
    readonly ageMs?: number | undefined;
  };
  'broker.dead-letter': {
    readonly event?: string | undefined;
    readonly code: string;
  };
  /** So many dead letters are in the queue. */
  'dead-letters.kept': { readonly letters: number };
  /** The oldest dead letters were thrown away: the queue was full. */
  'dead-letters.dropped': { readonly letters: number };
  /** The events of the broker arrive, or have ceased to. */
  'broker.state': { readonly ok: boolean };
  /** Whether the broker is short of memory or disk and takes no messages. */
  'broker.blocked': { readonly isBlocked: boolean };
  /** So many tenants are held up, and wait in queues of their own. */
  'broker.apart': { readonly tenants: number };
  /** The broker ended the consumer: its queue was deleted, for example. */
  'broker.cancelled': Record<string, never>;
  /** The other replicas are reached, or have ceased to be. */
  'redis.state': { readonly ok: boolean };
  'redis.publish-error': Record<string, never>;
  /** A replica was cut off for longer than what was kept for it. */
  'redis.gap': Record<string, never>;
  /** The shutdown has begun. */
  draining: { readonly connections: number };
}

type Name = keyof RealtimeDiagnostics;

const channels = new Map<string, Channel>();

/** Reports something; that costs next to nothing while nobody listens. */
export function report<N extends Name>(
  name: N,
  fields: RealtimeDiagnostics[N],
): void {
  const target = channelOf(name);
  if (target.hasSubscribers) {
    target.publish(fields);
  }
}

/**
 * Calls back at once with what any app of this process reports. An error that
 * the listener throws ends the process.
 * @returns ends it
 */
export function listen<N extends Name>(
  name: N,
  listener: (fields: RealtimeDiagnostics[N]) => void,
): () => void {
  const called = (fields: unknown) =>
    listener(fields as RealtimeDiagnostics[N]);
  subscribe(channelOf(name).name, called);
  return () => void unsubscribe(channelOf(name).name, called);
}

/**
 * The channel of a report: other code of the process may subscribe to
 * `realtime.emit`.
 */
function channelOf(name: Name): Channel {
  const known = channels.get(name);
  if (known) {
    return known;
  }
  const opened = channel(`realtime.${name}`);
  channels.set(name, opened);
  return opened;
}
