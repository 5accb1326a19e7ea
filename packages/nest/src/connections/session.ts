import { Inject, Injectable, type OnApplicationShutdown } from '@nestjs/common';
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
} from '../handshake/realtime.errors';
import { SecurityLog } from '../handshake/security-log';
import {
  type JoinedRooms,
  joinedRooms,
  REALTIME_ROOMS,
  userRoom,
} from '../rooms/rooms';
import { ConnectionLimits } from './connection-limits';
import { RealtimeRevocation, type RevokedUser } from './revocation';
import {
  type Connection,
  connectedOf,
  type RealtimeSocket,
  sharedListener,
} from './socket';

interface Session {
  identity: RealtimeIdentity;
  sockets: readonly RealtimeSocket[];
  /** When it is cut: set once its client was told that its token has expired. */
  cutAt: number | undefined;
}

/** How late the end of a token may be noticed. Its messages are refused at once. */
const SWEEP_MS = 200;

/**
 * One session per engine connection: a browser carries all its namespaces over
 * one, so they have one user, expire together and are refreshed together.
 */
@Injectable()
export class SessionRegistry implements OnApplicationShutdown {
  private readonly sessions = new Map<Connection, Session>();
  /** Of sockets that are to join them, or whose next token may change them. */
  private readonly rooms = new WeakMap<RealtimeSocket, string[]>();
  /** One for all of them: a timer each costs more than looking at them all. */
  private readonly timer = setInterval(() => this.sweep(), SWEEP_MS).unref();
  private readonly refreshed = sharedListener(
    (socket, ...args: unknown[]) =>
      void answer(args, () => this.refresh(socket, args[0])),
  );
  private extended: (socket: RealtimeSocket) => void = () => undefined;

  constructor(
    @Inject(Handshake) private readonly handshake: Handshake,
    @Inject(ConnectionLimits) private readonly limits: ConnectionLimits,
    @Inject(SecurityLog) private readonly securityLog: SecurityLog,
    @Inject(RealtimeRevocation) private readonly revocation: RealtimeRevocation,
    @Inject(REALTIME_CONFIG) private readonly config: RealtimeConfig,
    @Inject(REALTIME_ROOMS)
    private readonly joined: ReadonlyMap<string, JoinedRooms>,
  ) {
    revocation.onRevoked((user) => this.cut(user));
  }

  onApplicationShutdown(): void {
    clearInterval(this.timer);
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
    const session = this.sessions.get(conn);
    if (session) {
      const isOlder = identity.expiresAt < session.identity.expiresAt;
      // They follow from its claims, and would outlive it here.
      if (isOlder && typeof this.joined.get(socket.nsp.name) === 'function') {
        throw new RealtimeException('UNAUTHORIZED', 'There is a newer token');
      }
      this.extend(session, token);
      socket.data.identity = session.identity;
      // Not by push, which makes room for 16 more.
      session.sockets = session.sockets.concat(socket);
    } else {
      this.limits.claim(conn, userRoom(identity.tenantId, identity.userId));
      this.sessions.set(conn, {
        identity,
        sockets: [socket],
        cutAt: undefined,
      });
    }
    this.rooms.set(socket, rooms);
  }

  /** Call when a socket is connected. */
  join(socket: RealtimeSocket): void {
    this.enter(socket);
    socket.on('realtime.refresh', this.refreshed);
  }

  /** Call when a socket is disconnected. */
  leave(socket: RealtimeSocket): void {
    const session = this.sessions.get(socket.conn);
    if (session) {
      session.sockets = session.sockets.filter((other) => other !== socket);
    }
  }

  /** The sockets that a user has on this replica, of all namespaces. */
  socketsOf(tenantId: string, userId: string): RealtimeSocket[] {
    return this.limits
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
      );
      if (this.handshake.isOwnersRefusal(error) && isFinal(error.code)) {
        // After the acknowledgement, which says why.
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
    const session = this.sessions.get(socket.conn);
    if (!session || !socket.connected) {
      throw new RealtimeException('UNAUTHORIZED', 'The connection is closed');
    }
    this.requireValid(verified.identity);
    this.extend(session, verified);
    return { expiresAt: session.identity.expiresAt };
  }

  private requireValid(identity: RealtimeIdentity): void {
    if (this.revocation.isRevoked(identity)) {
      throw new RealtimeException('UNAUTHORIZED', 'The token is revoked');
    }
  }

  private extend(session: Session, token: VerifiedToken): void {
    const { identity } = session;
    const { userId, tenantId, expiresAt } = token.identity;
    // Rooms are joined for one user: a token may prolong, not replace, them.
    if (userId !== identity.userId || tenantId !== identity.tenantId) {
      throw new RealtimeException('FORBIDDEN', 'The token is of another user');
    }
    if (expiresAt <= identity.expiresAt) {
      return;
    }
    const moves = session.sockets.map((socket) => ({
      socket,
      rooms: this.roomsFor(socket, token),
    }));
    session.identity = token.identity;
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
    return connectedOf(this.sessions.get(conn)?.sockets ?? []);
  }

  private cut({ tenantId, userId }: RevokedUser): void {
    const user = userRoom(tenantId, userId);
    for (const conn of this.limits.connectionsOf(user)) {
      const session = this.sessions.get(conn);
      // Not what a later token has opened since.
      if (session && this.revocation.isRevoked(session.identity)) {
        const { identity } = session;
        this.securityLog.report('revoked', 'KICKED', conn.request, identity);
        this.kick(conn);
      }
    }
  }

  /** Tells a client that it is not wanted any more, and ends its connection. */
  private kick(conn: Connection): void {
    const session = this.sessions.get(conn);
    if (session) {
      for (const socket of session.sockets) {
        socket.emit('realtime.kicked');
      }
      this.end(conn, session);
    }
  }

  private end(conn: Connection, { sockets }: Session): void {
    for (const socket of sockets) {
      socket.disconnect(true);
    }
    // One whose first namespace is not connected yet has no sockets.
    conn.close();
  }

  private sweep(): void {
    const now = Date.now();
    for (const [conn, session] of this.sessions) {
      const { cutAt, identity } = session;
      if (conn.readyState === 'closed') {
        this.sessions.delete(conn);
      } else if (cutAt === undefined && identity.expiresAt <= now) {
        session.cutAt = now + this.config.limits.graceMs;
        for (const socket of session.sockets) {
          socket.emit('realtime.expired');
        }
      } else if ((cutAt ?? Infinity) <= now) {
        this.end(conn, session);
      }
    }
  }
}
