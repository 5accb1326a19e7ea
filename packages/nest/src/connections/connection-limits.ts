import type { IncomingMessage } from 'node:http';
import { Inject, Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { report } from '../observability/diagnostics';
import { bufferedBytes, isGone, rawSocket } from '../private-doors';
import { type Rate, RateLimiter, TokenBucket } from './rate-limit';
import {
  REALTIME_CONFIG,
  type RealtimeConfig,
} from '../config/realtime.config';
import { RealtimeException } from '../handshake/realtime.errors';
import {
  addressBlock,
  clientAddress,
  SecurityLog,
} from '../handshake/security-log';
import {
  type Connection,
  connectedOf,
  type RealtimeServer,
  type RealtimeSocket,
} from './socket';

interface Tracked {
  /** One of a namespace, from the moment it is asked for. */
  sockets: readonly RealtimeSocket[];
  readonly packets: TokenBucket;
  /** Once its token is verified. */
  user?: User;
  /** How much its peer had sent when it was seen to be closed. */
  bytesRead?: number;
}

interface User {
  connections: readonly Connection[];
  /** From its first event on: most only listen. */
  events?: TokenBucket;
}

const SWEEP_MS = 1_000;
const MAX_ADDRESSES = 10_000;
/** How far above the limit of its events a connection is cut. */
const FLOOD = 10;
/** What of a large packet counts as one more. */
const PACKET_BYTES = 16_384;
/** How long a client that is cut may take to read why. */
const FAREWELL_MS = 1_000;

/** What one address, user, connection and socket may take of this replica. */
@Injectable()
export class ConnectionLimits implements OnApplicationShutdown {
  private readonly limits: RealtimeConfig['limits'];
  private readonly packets: Rate;
  private readonly handshakes: RateLimiter;
  /**
   * With those that are gone since the last sweep: a listener to the end of
   * each would take more room than they do.
   */
  private readonly connections = new Map<Connection, Tracked>();
  private readonly users = new Map<string, User>();
  private readonly events = new WeakMap<RealtimeSocket, TokenBucket>();
  private timer: NodeJS.Timeout | undefined;

  constructor(
    @Inject(REALTIME_CONFIG) private readonly config: RealtimeConfig,
    @Inject(SecurityLog) private readonly log: SecurityLog,
  ) {
    this.limits = config.limits;
    const { perSecond, burst } = config.limits.events;
    this.packets = { perSecond: perSecond * FLOOD, burst: burst * FLOOD };
    this.handshakes = new RateLimiter(config.limits.handshakes, MAX_ADDRESSES);
  }

  /** One timer for all connections: see `sweep`. */
  protect(engine: RealtimeServer['engine']): void {
    engine.on('connection', (conn: Connection) => this.watch(conn));
    this.timer = setInterval(() => this.sweep(), SWEEP_MS).unref();
  }

  onApplicationShutdown(): void {
    clearInterval(this.timer);
  }

  /** Counts a handshake: each connection is one, and each of its namespaces. */
  takeHandshake(request: IncomingMessage): boolean {
    const address = clientAddress(request, this.config.trustedProxies);
    const isTaken = this.handshakes.take(addressBlock(address)) === 0;
    if (!isTaken) {
      report('rate.limited', { what: 'handshake' });
    }
    return isTaken;
  }

  /**
   * Lets a socket try its token, once at a time for a namespace: Socket.IO has
   * each of several that are asked for together join and receive everything.
   * @throws RealtimeException RATE_LIMITED
   */
  enter(socket: RealtimeSocket): void {
    const tracked = this.connections.get(socket.conn);
    const isRepeated = tracked?.sockets.some(({ nsp }) => nsp === socket.nsp);
    if (!tracked || isRepeated || !this.takeHandshake(socket.request)) {
      throw new RealtimeException('RATE_LIMITED', 'Too many handshakes');
    }
    // Not by push, which makes room for 16 more.
    tracked.sockets = tracked.sockets.concat(socket);
  }

  /** Call when a socket is refused or gone. */
  leave(socket: RealtimeSocket): void {
    const tracked = this.connections.get(socket.conn);
    if (tracked) {
      tracked.sockets = tracked.sockets.filter((other) => other !== socket);
    }
  }

  /**
   * Counts an open connection as its user's, until it closes.
   * @param key one for each user
   * @throws RealtimeException RATE_LIMITED
   */
  claim(conn: Connection, key: string): void {
    const user: User = this.users.get(key) ?? { connections: [] };
    const others = user.connections.filter(isOpen);
    if (others.length >= this.limits.maxConnectionsPerUser) {
      report('rate.limited', { what: 'connection' });
      throw new RealtimeException('RATE_LIMITED', 'Too many connections');
    }
    user.connections = others.concat(conn);
    this.users.set(key, user);
    const tracked = this.connections.get(conn);
    if (tracked) {
      tracked.user = user;
    }
  }

  /** The open connections of a user. */
  connectionsOf(key: string): readonly Connection[] {
    return this.users.get(key)?.connections.filter(isOpen) ?? [];
  }

  /** Counts an event of a socket: 0, or for how many milliseconds to wait. */
  countEvent(socket: RealtimeSocket): number {
    let ofSocket = this.events.get(socket);
    if (!ofSocket) {
      ofSocket = new TokenBucket(this.limits.events);
      this.events.set(socket, ofSocket);
    }
    const wait = ofSocket.take() || this.countUser(socket.conn);
    if (wait > 0) {
      report('rate.limited', { what: 'event' });
      this.log.report(
        'event refused',
        'RATE_LIMITED',
        socket.request,
        socket.data.identity,
      );
    }
    return wait;
  }

  /** Whether connections are let in. */
  get isServing(): boolean {
    return this.timer !== undefined;
  }

  /** Whether the last peer is gone. */
  get isEmpty(): boolean {
    return [...this.connections.keys()].every(isGone);
  }

  /** Every connection, with those of its sockets that are connected. */
  open(): { conn: Connection; sockets: RealtimeSocket[] }[] {
    return [...this.connections]
      .filter(([conn]) => isOpen(conn))
      .map(([conn, { sockets }]) => ({
        conn,
        sockets: connectedOf(sockets),
      }));
  }

  /** Without a farewell: a peer that is gone answers none. */
  terminateAll(): void {
    for (const conn of this.connections.keys()) {
      rawSocket(conn)?.terminate();
    }
  }

  private countUser(conn: Connection): number {
    const user = this.connections.get(conn)?.user;
    if (!user) {
      return 0;
    }
    user.events ??= new TokenBucket(this.limits.userEvents);
    return user.events.take();
  }

  private watch(conn: Connection): void {
    const packets = new TokenBucket(this.packets);
    const tracked: Tracked = { sockets: [], packets };
    this.connections.set(conn, tracked);
    // Of every kind, and of clients without a token too; a ping has no `data`.
    const count = ({ data = '' }: { data?: { length: number } | string }) =>
      this.count(conn, tracked, data.length);
    conn.on('packet', count);
    rawSocket(conn)?.on('ping', count);
  }

  private count(conn: Connection, tracked: Tracked, bytes: number): void {
    if (tracked.packets.take(1 + bytes / PACKET_BYTES) > 0) {
      this.cut(conn, tracked);
    }
  }

  private cut(conn: Connection, { sockets }: Tracked): void {
    if (conn.readyState !== 'open') {
      return;
    }
    const connected = connectedOf(sockets);
    const identity = connected[0]?.data.identity;
    report('rate.limited', { what: 'flood' });
    this.log.report('flood cut', 'RATE_LIMITED', conn.request, identity);
    for (const socket of connected) {
      socket.emit('realtime.kicked', { code: 'RATE_LIMITED' });
    }
    connected[0]?.disconnect(true);
    conn.close();
    // One that never answers the closing frame would go on sending.
    setTimeout(() => rawSocket(conn)?.terminate(), FAREWELL_MS).unref();
  }

  /** Engine.IO counts nothing of what is sent on a connection that it closed. */
  private endSending(conn: Connection, tracked: Tracked): void {
    const { bytesRead } = conn.request.socket;
    tracked.bytesRead ??= bytesRead;
    if (bytesRead - tracked.bytesRead > PACKET_BYTES) {
      rawSocket(conn)?.terminate();
    }
  }

  /**
   * Forgets what has ended, and cuts the readers that are too slow. One may hold
   * more than the limit until the next sweep, by what is sent to it by then.
   */
  private sweep(): void {
    let totalBytes = 0;
    let maxBytes = 0;
    for (const [conn, tracked] of this.connections) {
      if (isGone(conn)) {
        this.connections.delete(conn);
      } else if (conn.readyState !== 'open') {
        this.endSending(conn, tracked);
      }
      const bytes = bufferedBytes(conn);
      totalBytes += bytes;
      maxBytes = Math.max(maxBytes, bytes);
      if (bytes > this.limits.maxBufferedBytes) {
        report('reader.cut', { bytes });
        const [socket] = tracked.sockets;
        const identity = socket?.data.identity;
        this.log.report('slow reader cut', 'SLOW', conn.request, identity);
        // Closed in order it would keep its buffer while it does not read.
        rawSocket(conn)?.terminate();
      }
    }
    report('buffered', { totalBytes, maxBytes });
    for (const [key, user] of this.users) {
      if (!user.connections.every(isOpen)) {
        user.connections = user.connections.filter(isOpen);
      }
      if (user.connections.length === 0 && (user.events?.isFull() ?? true)) {
        this.users.delete(key);
      }
    }
    this.handshakes.prune();
  }
}

function isOpen({ readyState }: Connection): boolean {
  return readyState !== 'closed';
}
