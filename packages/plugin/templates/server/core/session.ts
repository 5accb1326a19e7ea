import { Inject, Injectable, type OnApplicationShutdown } from '@nestjs/common';
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
  /** With the rooms that its token lets each into. */
  readonly sockets: Map<RealtimeSocket, readonly string[]>;
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
  private readonly byUser = new Map<string, readonly Session[]>();
  /** One for all of them: a timer each costs more than looking at them all. */
  private readonly timer = setInterval(() => this.sweep(), SWEEP_MS).unref();
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
    limits.onClosed((conn) => this.close(conn));
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
    // Also of one that is refused here: the security log names the user.
    socket.data.identity = identity;
    this.requireValid(identity);
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
      session.sockets.set(socket, rooms);
    } else {
      const user = userRoom(identity.tenantId, identity.userId);
      this.limits.claim(conn, user);
      const sockets = new Map([[socket, rooms]]);
      const opened: Session = { conn, identity, sockets, cutAt: undefined };
      this.sessions.set(conn, opened);
      this.byUser.set(user, (this.byUser.get(user) ?? []).concat(opened));
    }
  }

  /** Call when a socket is connected. */
  join(socket: RealtimeSocket): void {
    const session = this.sessions.get(socket.conn);
    void socket.join([...(session?.sockets.get(socket) ?? [])]);
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

  /** Call when a socket is disconnected. */
  leave(socket: RealtimeSocket): void {
    this.sessions.get(socket.conn)?.sockets.delete(socket);
  }

  /** The sockets that a user has on this replica, of all namespaces. */
  socketsOf(tenantId: string, userId: string): RealtimeSocket[] {
    const sessions = this.byUser.get(userRoom(tenantId, userId)) ?? [];
    return sessions.flatMap(connectedOf);
  }

  /** Calls back with each socket whose token was replaced. */
  onExtended(listener: (socket: RealtimeSocket) => void): void {
    this.extended = listener;
  }

  /** True while a connection carries at least one namespace. */
  isLive(conn: Connection): boolean {
    const session = this.sessions.get(conn);
    return session !== undefined && connectedOf(session).length > 0;
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
    const moves = [...session.sockets].map(([socket, old]) => ({
      socket,
      old,
      rooms: this.roomsFor(socket, token),
    }));
    session.identity = token.identity;
    session.cutAt = undefined;
    for (const { socket, old, rooms } of moves) {
      socket.data.identity = token.identity;
      session.sockets.set(socket, rooms);
      old
        .filter((room) => !rooms.includes(room))
        .forEach((room) => void socket.leave(room));
      void socket.join([...rooms]);
      this.extended(socket);
    }
  }

  private roomsFor(socket: RealtimeSocket, token: VerifiedToken): string[] {
    return joinedRooms(this.joined.get(socket.nsp.name), token);
  }

  private close(conn: Connection): void {
    const session = this.sessions.get(conn);
    if (session) {
      const { tenantId, userId } = session.identity;
      const user = userRoom(tenantId, userId);
      const others = this.byUser.get(user)?.filter((one) => one !== session);
      this.sessions.delete(conn);
      if (others?.length) {
        this.byUser.set(user, others);
      } else {
        this.byUser.delete(user);
      }
    }
  }

  private cut({ tenantId, userId }: RevokedUser): void {
    const sessions = this.byUser.get(userRoom(tenantId, userId)) ?? [];
    for (const session of sessions) {
      const { conn, identity, sockets } = session;
      // Not what a later token has opened since.
      if (this.revocation.isRevoked(identity)) {
        this.securityLog.report('revoked', 'KICKED', conn.request, identity);
        for (const socket of sockets.keys()) {
          socket.emit('realtime.kicked');
        }
        this.end(session);
      }
    }
  }

  private end({ conn, sockets }: Session): void {
    for (const socket of sockets.keys()) {
      socket.disconnect(true);
    }
    // One whose first namespace is not connected yet has no sockets.
    conn.close();
  }

  private sweep(): void {
    const now = Date.now();
    for (const session of this.sessions.values()) {
      const { cutAt, identity } = session;
      if (cutAt === undefined && identity.expiresAt <= now) {
        session.cutAt = now + this.config.limits.graceMs;
        for (const socket of session.sockets.keys()) {
          socket.emit('realtime.expired');
        }
      } else if ((cutAt ?? Infinity) <= now) {
        this.end(session);
      }
    }
  }
}

/** Not those that are still to be let in, by code of yours too. */
function connectedOf({ sockets }: Session): RealtimeSocket[] {
  return [...sockets.keys()].filter(({ connected }) => connected);
}
