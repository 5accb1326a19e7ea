import type { IncomingMessage } from 'node:http';
import { Inject, Injectable } from '@nestjs/common';
import { report } from '../observability/diagnostics';
import {
  boundFragments,
  bufferedBytes,
  codeOfInvalid,
  isGone,
  rawSocket,
} from '../private-doors';
import { ConnectionRegistry } from './connection-registry';
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

const MAX_ADDRESSES = 10_000;
/** Frames of one message: browsers send few, of many kilobytes each. */
const MAX_FRAGMENTS = 64;
/** A connection is cut at so many times the limit of its events. */
const FLOOD = 10;
/** Bytes of a large packet that count as one packet more. */
const PACKET_BYTES = 16_384;
/** Time that a client that is cut has to read why. */
const FAREWELL_MS = 1_000;

/**
 * Limits what one address, user, connection and socket may take of this
 * replica.
 */
@Injectable()
export class ConnectionLimits {
  private readonly limits: RealtimeConfig['limits'];
  private readonly packets: Rate;
  private readonly handshakes: RateLimiter;
  private readonly events = new WeakMap<RealtimeSocket, TokenBucket>();
  /** Buckets of users that have sent an event: most only listen. */
  private readonly userEvents: RateLimiter;
  /** Bytes that the peer of a connection had sent when it was closed. */
  private readonly bytesRead = new WeakMap<Connection, number>();

  constructor(
    @Inject(REALTIME_CONFIG) private readonly config: RealtimeConfig,
    @Inject(SecurityLog) private readonly log: SecurityLog,
    @Inject(ConnectionRegistry) private readonly registry: ConnectionRegistry,
  ) {
    this.limits = config.limits;
    const { perSecond, burst } = config.limits.events;
    this.packets = { perSecond: perSecond * FLOOD, burst: burst * FLOOD };
    this.handshakes = new RateLimiter(config.limits.handshakes, MAX_ADDRESSES);
    // Every user has a token: there are no more than the issuer makes.
    this.userEvents = new RateLimiter(config.limits.userEvents, Infinity);
    registry.onSweep(() => this.sweep(), true);
  }

  /** Limits the connections of a server. Call it once. */
  protect(engine: RealtimeServer['engine']): void {
    engine.on('connection', (conn: Connection) => this.watch(conn));
  }

  /**
   * Counts a handshake: each connection is one, and each of its namespaces.
   *
   * @returns false where there are too many
   */
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
    const tracked = this.registry.of(socket.conn);
    const isRepeated = tracked?.sockets.some(({ nsp }) => nsp === socket.nsp);
    if (!tracked || isRepeated || !this.takeHandshake(socket.request)) {
      throw new RealtimeException('RATE_LIMITED', 'Too many handshakes');
    }
    this.registry.enter(socket);
  }

  /**
   * Refuses one connection more than a user may have.
   *
   * @param user key of the user: the room
   * @throws RealtimeException RATE_LIMITED
   */
  requireRoomFor(user: string): void {
    const { length } = this.registry.connectionsOf(user);
    if (length >= this.limits.maxConnectionsPerUser) {
      report('rate.limited', { what: 'connection' });
      throw new RealtimeException('RATE_LIMITED', 'Too many connections');
    }
  }

  /** Counts an event of a socket. Returns 0, or the milliseconds to wait. */
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

  private countUser(conn: Connection): number {
    const user = this.registry.of(conn)?.user;
    return user === undefined ? 0 : this.userEvents.take(user);
  }

  private watch(conn: Connection): void {
    const packets = new TokenBucket(this.packets);
    // Packets of every kind count, also of clients without a token; a ping has
    // no `data`.
    const count = ({ data = '' }: { data?: { length: number } | string }) => {
      if (packets.take(1 + data.length / PACKET_BYTES) > 0) {
        this.cut(conn);
      }
    };
    conn.on('packet', count);
    const raw = rawSocket(conn);
    raw?.on('ping', count);
    raw?.on('pong', count);
    // Too large, or no message: ws closes the connection by itself.
    raw?.on('error', (error) =>
      this.log.report(
        'message refused',
        codeOfInvalid(error),
        conn.request,
        this.registry.of(conn)?.session?.identity,
      ),
    );
    boundFragments(conn, MAX_FRAGMENTS);
  }

  private cut(conn: Connection): void {
    if (conn.readyState !== 'open') {
      return;
    }
    const connected = connectedOf(this.registry.of(conn)?.sockets ?? []);
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

  /**
   * Ends a closed connection whose peer goes on sending: Engine.IO counts none
   * of it.
   */
  private endSending(conn: Connection): void {
    const { bytesRead } = conn.request.socket;
    const before = this.bytesRead.get(conn) ?? bytesRead;
    this.bytesRead.set(conn, before);
    if (bytesRead - before > PACKET_BYTES) {
      rawSocket(conn)?.terminate();
    }
  }

  /**
   * Cuts the readers that are too slow. One may hold more than the limit until
   * the next sweep, by what is sent to it by then.
   */
  private sweep(): void {
    let totalBytes = 0;
    let maxBytes = 0;
    for (const [conn, { sockets }] of this.registry.all()) {
      if (conn.readyState !== 'open' && !isGone(conn)) {
        this.endSending(conn);
      }
      const bytes = bufferedBytes(conn);
      totalBytes += bytes;
      maxBytes = Math.max(maxBytes, bytes);
      if (bytes > this.limits.maxBufferedBytes) {
        report('reader.cut', { bytes });
        const identity = sockets[0]?.data.identity;
        this.log.report('slow reader cut', 'SLOW', conn.request, identity);
        // Closed in order it would keep its buffer while it does not read.
        rawSocket(conn)?.terminate();
      }
    }
    report('buffered', { totalBytes, maxBytes });
    this.userEvents.prune();
    this.handshakes.prune();
  }
}
