import { Inject, Injectable } from '@nestjs/common';
import {
  REALTIME_CONFIG,
  type RealtimeConfig,
} from '../config/realtime.config';
import { answer } from '../events/client-event';
import { Handshake } from '../handshake/handshake';
import type { RealtimeIdentity, VerifiedToken } from '../handshake/identity';
import {
  isFinal,
  isRealtimeException,
  RealtimeException,
  reasonOf,
} from '../handshake/realtime.errors';
import { SecurityLog } from '../handshake/security-log';
import {
  type JoinedRooms,
  joinedRooms,
  REALTIME_ROOMS,
  userRoom,
} from '../rooms/rooms';
import { ConnectionLimits } from './connection-limits';
import {
  ConnectionRegistry,
  type Session,
  type Tracked,
} from './connection-registry';
import { RealtimeRevocation, type RevokedUser } from './revocation';
import {
  type Connection,
  connectedOf,
  type RealtimeSocket,
  sharedListener,
} from './socket';

/**
 * Sessions of this replica, one per connection: a browser carries all its
 * namespaces over one, so they have one user, expire together and are refreshed
 * together.
 *
 * @example
 * ```ts
 * constructor(private readonly sessions: SessionRegistry) {}
 * // in a method
 * const isOnline = this.sessions.socketsOf(tenantId, userId).length > 0;
 * ```
 */
@Injectable()
export class SessionRegistry {
  /** Sockets that have shown a token. */
  private readonly admitted = new WeakSet<RealtimeSocket>();
  /**
   * Rooms of sockets that are to join them, or whose next token may change
   * them.
   */
  private readonly rooms = new WeakMap<RealtimeSocket, string[]>();
  private readonly refreshed = sharedListener(
    (socket, ...args: unknown[]) =>
      void answer(args, () => this.refresh(socket, args[0])),
  );
  private extended: (socket: RealtimeSocket) => void = () => undefined;

  constructor(
    @Inject(Handshake) private readonly handshake: Handshake,
    @Inject(ConnectionRegistry) private readonly registry: ConnectionRegistry,
    @Inject(ConnectionLimits) private readonly limits: ConnectionLimits,
    @Inject(SecurityLog) private readonly securityLog: SecurityLog,
    @Inject(RealtimeRevocation) private readonly revocation: RealtimeRevocation,
    @Inject(REALTIME_CONFIG) private readonly config: RealtimeConfig,
    @Inject(REALTIME_ROOMS)
    private readonly joined: ReadonlyMap<string, JoinedRooms>,
  ) {
    revocation.onRevoked((user, at) => this.cut(user, at));
    registry.onSweep(() => this.sweep());
  }

  /** Lets a verified socket into the session of its connection, or refuses. */
  open(socket: RealtimeSocket, token: VerifiedToken): void {
    const { conn } = socket;
    const { identity } = token;
    // Closed while its token was verified: nothing would end the session.
    if (conn.readyState !== 'open') {
      throw new RealtimeException('UNAVAILABLE', 'The connection is closed');
    }
    this.requireValid(identity);
    socket.data.identity = identity;
    const rooms = this.roomsFor(socket, token);
    const tracked = this.registry.of(conn);
    if (tracked?.session) {
      const isOlder = identity.expiresAt < tracked.session.identity.expiresAt;
      // They follow from its claims, and would outlive it here.
      if (isOlder && typeof this.joined.get(socket.nsp.name) === 'function') {
        throw new RealtimeException('UNAUTHORIZED', 'There is a newer token');
      }
      this.extend(tracked, tracked.session, token);
      socket.data.identity = tracked.session.identity;
    } else {
      const user = userRoom(identity.tenantId, identity.userId);
      this.limits.requireRoomFor(user);
      this.registry.assign(conn, user);
      if (tracked) {
        const acceptedAt = Date.now();
        tracked.session = { identity, acceptedAt, cutAt: undefined };
      }
    }
    this.admitted.add(socket);
    this.rooms.set(socket, rooms);
  }

  /** Joins the rooms of a socket. Call it when the socket is connected. */
  join(socket: RealtimeSocket): void {
    this.enter(socket);
    socket.on('realtime.refresh', this.refreshed);
  }

  /** The sockets that a user has on this replica, of all namespaces. */
  socketsOf(tenantId: string, userId: string): RealtimeSocket[] {
    return this.registry
      .connectionsOf(userRoom(tenantId, userId))
      .flatMap((conn) => this.connectedOf(conn));
  }

  /** Calls back with each socket whose token was replaced. */
  onExtended(listener: (socket: RealtimeSocket) => void): void {
    this.extended = listener;
  }

  /** True while a connection carries at least one namespace. */
  isLive(conn: Connection): boolean {
    return this.connectedOf(conn).length > 0;
  }

  private async refresh(
    socket: RealtimeSocket,
    body: unknown,
  ): Promise<{ expiresAt: number }> {
    try {
      return await this.replaceToken(socket, body);
    } catch (error) {
      this.securityLog.report(
        'refresh refused',
        isRealtimeException(error) ? error.code : 'INTERNAL',
        socket.conn.request,
        socket.data.identity,
        reasonOf(error),
      );
      if (this.handshake.isOwnersRefusal(error) && isFinal(error.code)) {
        // The acknowledgement, which says why, goes first.
        setImmediate(() => this.kick(socket.conn));
      }
      throw error;
    }
  }

  private async replaceToken(
    socket: RealtimeSocket,
    body: unknown,
  ): Promise<{ expiresAt: number }> {
    const token =
      typeof body === 'object' && body !== null && 'token' in body
        ? body.token
        : undefined;
    const verified = await this.handshake.verify(token);
    const tracked = this.registry.of(socket.conn);
    const session = tracked?.session;
    if (!tracked || !session || !socket.connected) {
      throw new RealtimeException('UNAUTHORIZED', 'The connection is closed');
    }
    this.requireValid(verified.identity);
    this.extend(tracked, session, verified);
    return { expiresAt: session.identity.expiresAt };
  }

  private requireValid(identity: RealtimeIdentity): void {
    if (this.revocation.isRevoked(identity)) {
      throw new RealtimeException('UNAUTHORIZED', 'The token is revoked');
    }
  }

  private extend(
    { sockets }: Tracked,
    session: Session,
    token: VerifiedToken,
  ): void {
    const { identity } = session;
    const { userId, tenantId, expiresAt } = token.identity;
    // Rooms are joined for one user: a token may prolong, not replace, them.
    if (userId !== identity.userId || tenantId !== identity.tenantId) {
      throw new RealtimeException('FORBIDDEN', 'The token is of another user');
    }
    if (expiresAt <= identity.expiresAt) {
      return;
    }
    const moves = this.admittedOf(sockets).map((socket) => ({
      socket,
      rooms: this.roomsFor(socket, token),
    }));
    session.identity = token.identity;
    session.acceptedAt = Date.now();
    session.cutAt = undefined;
    for (const { socket, rooms } of moves) {
      socket.data.identity = token.identity;
      this.rooms
        .get(socket)
        ?.filter((room) => !rooms.includes(room))
        .forEach((room) => void socket.leave(room));
      this.rooms.set(socket, rooms);
      if (socket.connected) {
        this.enter(socket);
      }
      this.extended(socket);
    }
  }

  private roomsFor(socket: RealtimeSocket, token: VerifiedToken): string[] {
    return joinedRooms(this.joined.get(socket.nsp.name), token);
  }

  private enter(socket: RealtimeSocket): void {
    void socket.join(this.rooms.get(socket) ?? []);
    // Other rooms are the same with every token of a user.
    if (typeof this.joined.get(socket.nsp.name) !== 'function') {
      this.rooms.delete(socket);
    }
  }

  private connectedOf(conn: Connection): RealtimeSocket[] {
    return connectedOf(this.admittedOf(this.registry.of(conn)?.sockets ?? []));
  }

  private admittedOf(sockets: readonly RealtimeSocket[]): RealtimeSocket[] {
    return sockets.filter((socket) => this.admitted.has(socket));
  }

  /** Returns when the latest token of what is cut was issued. */
  private cut(
    { tenantId, userId, sessionId }: RevokedUser,
    at: number,
  ): number {
    const user = userRoom(tenantId, userId);
    let latest = 0;
    for (const conn of this.registry.connectionsOf(user)) {
      const session = this.registry.of(conn)?.session;
      const isMeant =
        sessionId === undefined || session?.identity.sessionId === sessionId;
      // A later token may have opened a connection since.
      if (
        session &&
        isMeant &&
        (session.acceptedAt <= at ||
          this.revocation.isRevoked(session.identity))
      ) {
        const { identity } = session;
        latest = Math.max(latest, identity.issuedAt ?? 0);
        this.securityLog.report('revoked', 'KICKED', conn.request, identity);
        this.kick(conn);
      }
    }
    return latest;
  }

  /** Tells a client that it is not wanted any more, and ends its connection. */
  private kick(conn: Connection): void {
    const sockets = this.admittedOf(this.registry.of(conn)?.sockets ?? []);
    for (const socket of sockets) {
      socket.emit('realtime.kicked');
    }
    this.end(conn, sockets);
  }

  private end(conn: Connection, sockets: readonly RealtimeSocket[]): void {
    for (const socket of sockets) {
      socket.disconnect(true);
    }
    // One whose first namespace is not connected yet has no sockets.
    conn.close();
  }

  private sweep(): void {
    const now = Date.now();
    for (const [conn, { session, sockets }] of this.registry.all()) {
      if (!session || conn.readyState === 'closed') {
        continue;
      }
      if (session.cutAt === undefined && session.identity.expiresAt <= now) {
        session.cutAt = now + this.config.limits.graceMs;
        for (const socket of this.admittedOf(sockets)) {
          socket.emit('realtime.expired');
        }
      } else if ((session.cutAt ?? Infinity) <= now) {
        this.end(conn, this.admittedOf(sockets));
      }
    }
  }
}
