import { Inject, Injectable } from '@nestjs/common';
import type { DefaultEventsMap, Server, Socket } from 'socket.io';
import { answer } from './client-event';
import { ConnectionLimits } from './connection-limits';
import { REALTIME_CONFIG, type RealtimeConfig } from './realtime.config';
import { RealtimeException } from './realtime.errors';
import { SecurityLog } from './security-log';
import { type RealtimeIdentity, TokenVerifier } from './token-verifier';

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

  constructor(
    private readonly tokens: TokenVerifier,
    private readonly limits: ConnectionLimits,
    private readonly securityLog: SecurityLog,
    @Inject(REALTIME_CONFIG) private readonly config: RealtimeConfig,
  ) {}

  /** Lets a verified socket into the session of its connection, or refuses. */
  open(socket: RealtimeSocket, identity: RealtimeIdentity): void {
    const { conn } = socket;
    // Closed while its token was verified: nothing would end the session.
    if (conn.readyState !== 'open') {
      throw new RealtimeException('UNAVAILABLE', 'The connection is closed');
    }
    // Also of one that is refused here: the security log names the user.
    socket.data.identity = identity;
    const session = this.sessions.get(conn);
    if (session) {
      this.extend(conn, session, identity);
    } else {
      this.limits.claim(conn, identity);
      const opened: Session = { identity, sockets: new Set() };
      this.sessions.set(conn, opened);
      conn.once('close', () => clearTimeout(opened.timer));
      this.arm(conn, opened);
    }
  }

  /** Call when a socket is connected. */
  join(socket: RealtimeSocket): void {
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
    const identity = await this.tokens.verify(token);
    const session = this.sessions.get(socket.conn);
    if (!session || !socket.connected) {
      throw new RealtimeException('UNAUTHORIZED', 'The connection is closed');
    }
    this.extend(socket.conn, session, identity);
    return { expiresAt: session.identity.expiresAt };
  }

  private extend(
    conn: Connection,
    session: Session,
    { userId, tenantId, expiresAt }: RealtimeIdentity,
  ): void {
    const { identity } = session;
    // Rooms are joined for one user: a token may prolong, not replace, them.
    if (userId !== identity.userId || tenantId !== identity.tenantId) {
      throw new RealtimeException('FORBIDDEN', 'The token is of another user');
    }
    if (expiresAt <= identity.expiresAt) {
      return;
    }
    session.identity = Object.freeze({ userId, tenantId, expiresAt });
    for (const socket of session.sockets) {
      socket.data.identity = session.identity;
    }
    this.arm(conn, session);
  }

  private arm(conn: Connection, session: Session): void {
    clearTimeout(session.timer);
    const left = session.identity.expiresAt - Date.now();
    session.timer = setTimeout(
      () =>
        left > MAX_DELAY_MS
          ? this.arm(conn, session)
          : this.expire(conn, session),
      Math.min(left, MAX_DELAY_MS),
    );
  }

  private expire(conn: Connection, session: Session): void {
    for (const socket of session.sockets) {
      socket.emit('realtime.expired');
    }
    session.timer = setTimeout(() => {
      for (const socket of session.sockets) {
        socket.disconnect(true);
      }
      conn.close();
    }, this.config.limits.graceMs);
  }
}
