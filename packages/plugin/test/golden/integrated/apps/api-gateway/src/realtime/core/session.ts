import { Inject, Injectable } from '@nestjs/common';
import type { DefaultEventsMap, Server, Socket } from 'socket.io';
import { answer } from './client-event';
import { ConnectionLimits } from './connection-limits';
import { REALTIME_CONFIG, type RealtimeConfig } from './realtime.config';
import { RealtimeException } from './realtime.errors';
import { RealtimeRevocation, type RevokedUser } from './revocation';
import {
  type JoinedRooms,
  joinedRooms,
  REALTIME_ROOMS,
  userRoom,
} from './rooms';
import { SecurityLog } from './security-log';
import {
  type RealtimeIdentity,
  TokenVerifier,
  type VerifiedToken,
} from './token-verifier';

interface SocketData {
  identity: RealtimeIdentity;
}

export type RealtimeServer = Server<
  DefaultEventsMap,
  DefaultEventsMap,
  DefaultEventsMap,
  SocketData
>;

export type RealtimeSocket = Socket<
  DefaultEventsMap,
  DefaultEventsMap,
  DefaultEventsMap,
  SocketData
>;

type Connection = RealtimeSocket['conn'];

interface Session {
  readonly conn: Connection;
  identity: RealtimeIdentity;
  readonly sockets: Set<RealtimeSocket>;
  timer?: NodeJS.Timeout;
}

/** setTimeout fires at once when its delay does not fit in 31 bits. */
const MAX_DELAY_MS = 2 ** 31 - 1;

/**
 * One session per engine connection: a browser carries all its namespaces over
 * one, so they have one user, expire together and are refreshed together.
 */
@Injectable()
export class SessionRegistry {
  private readonly sessions = new WeakMap<Connection, Session>();
  private readonly byUser = new Map<string, Set<Session>>();
  private readonly rooms = new WeakMap<RealtimeSocket, readonly string[]>();
  private extended: (socket: RealtimeSocket) => void = () => undefined;

  constructor(
    private readonly tokens: TokenVerifier,
    private readonly limits: ConnectionLimits,
    private readonly securityLog: SecurityLog,
    private readonly revocation: RealtimeRevocation,
    @Inject(REALTIME_CONFIG) private readonly config: RealtimeConfig,
    @Inject(REALTIME_ROOMS)
    private readonly joined: ReadonlyMap<string, JoinedRooms>,
  ) {
    revocation.onRevoked((user) => this.cut(user));
  }

  /** Lets a verified socket into the session of its connection, or refuses. */
  open(socket: RealtimeSocket, token: VerifiedToken): void {
    const { conn } = socket;
    const { identity } = token;
    // Closed while its token was verified: nothing would end the session.
    if (conn.readyState !== 'open') {
      throw new RealtimeException('UNAVAILABLE', 'The connection is closed');
    }
    // Also of one that is refused here: the security log names the user.
    socket.data.identity = identity;
    this.requireValid(identity);
    this.rooms.set(socket, this.roomsFor(socket, token));
    const session = this.sessions.get(conn);
    if (session) {
      this.extend(session, token);
      socket.data.identity = session.identity;
    } else {
      this.limits.claim(conn, identity);
      const opened: Session = { conn, identity, sockets: new Set() };
      this.sessions.set(conn, opened);
      this.index(opened);
      conn.once('close', () => clearTimeout(opened.timer));
      this.arm(opened);
    }
  }

  /** Call when a socket is connected. */
  join(socket: RealtimeSocket): void {
    void socket.join([...(this.rooms.get(socket) ?? [])]);
    const session = this.sessions.get(socket.conn);
    session?.sockets.add(socket);
    socket.on('disconnect', () => session?.sockets.delete(socket));
    socket.on('realtime.refresh', (...args: unknown[]) => {
      void answer(args, () =>
        this.refresh(socket, args[0]).catch((error: unknown) => {
          const code =
            error instanceof RealtimeException ? error.code : 'INTERNAL';
          const { conn, data } = socket;
          this.securityLog.report(
            'refresh refused',
            code,
            conn.request,
            data.identity,
          );
          throw error;
        }),
      );
    });
  }

  /** The sockets that a user has on this replica, of all namespaces. */
  socketsOf(tenantId: string, userId: string): RealtimeSocket[] {
    const sessions = this.byUser.get(userRoom(tenantId, userId)) ?? [];
    return [...sessions].flatMap(({ sockets }) => [...sockets]);
  }

  /** Calls back with each socket whose token was replaced. */
  onExtended(listener: (socket: RealtimeSocket) => void): void {
    this.extended = listener;
  }

  /** True while a connection carries at least one namespace. */
  isLive(conn: Connection): boolean {
    return (this.sessions.get(conn)?.sockets.size ?? 0) > 0;
  }

  private async refresh(
    socket: RealtimeSocket,
    body: unknown,
  ): Promise<{ expiresAt: number }> {
    const token =
      typeof body === 'object' && body !== null && 'token' in body
        ? body.token
        : undefined;
    const verified = await this.tokens.verify(token);
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
    const moves = [...session.sockets].map((socket) => ({
      socket,
      rooms: this.roomsFor(socket, token),
    }));
    session.identity = token.identity;
    for (const { socket, rooms } of moves) {
      socket.data.identity = token.identity;
      this.move(socket, rooms);
      this.extended(socket);
    }
    this.arm(session);
  }

  private roomsFor(socket: RealtimeSocket, token: VerifiedToken): string[] {
    return joinedRooms(this.joined.get(socket.nsp.name), token);
  }

  /** From the rooms of its old token to those of its new one. */
  private move(socket: RealtimeSocket, rooms: readonly string[]): void {
    for (const room of this.rooms.get(socket) ?? []) {
      if (!rooms.includes(room)) {
        void socket.leave(room);
      }
    }
    void socket.join([...rooms]);
    this.rooms.set(socket, rooms);
  }

  private index(session: Session): void {
    const { tenantId, userId } = session.identity;
    const key = userRoom(tenantId, userId);
    const sessions = this.byUser.get(key) ?? new Set();
    this.byUser.set(key, sessions.add(session));
    session.conn.once('close', () => {
      sessions.delete(session);
      if (sessions.size === 0) {
        this.byUser.delete(key);
      }
    });
  }

  private cut({ tenantId, userId }: RevokedUser): void {
    const sessions = this.byUser.get(userRoom(tenantId, userId)) ?? [];
    for (const session of sessions) {
      const { conn, identity, sockets } = session;
      // Not what a later token has opened since.
      if (this.revocation.isRevoked(identity)) {
        this.securityLog.report('revoked', 'KICKED', conn.request, identity);
        for (const socket of sockets) {
          socket.emit('realtime.kicked');
        }
        this.end(session);
      }
    }
  }

  private end({ conn, sockets }: Session): void {
    for (const socket of sockets) {
      socket.disconnect(true);
    }
    // One whose first namespace is not connected yet has no sockets.
    conn.close();
  }

  private arm(session: Session): void {
    clearTimeout(session.timer);
    const left = session.identity.expiresAt - Date.now();
    session.timer = setTimeout(
      () => (left > MAX_DELAY_MS ? this.arm(session) : this.expire(session)),
      Math.min(left, MAX_DELAY_MS),
    );
  }

  private expire(session: Session): void {
    for (const socket of session.sockets) {
      socket.emit('realtime.expired');
    }
    session.timer = setTimeout(
      () => this.end(session),
      this.config.limits.graceMs,
    );
  }
}
