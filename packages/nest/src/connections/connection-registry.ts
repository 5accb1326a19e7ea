import type { Server } from 'node:http';
import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import type { RealtimeIdentity } from '../handshake/identity';
import { isGone, rawSocket } from '../private-doors';
import {
  type Connection,
  connectedOf,
  type RealtimeServer,
  type RealtimeSocket,
} from './socket';

/** Purpose of a connection: a browser carries all its namespaces over one. */
export interface Session {
  identity: RealtimeIdentity;
  /** Time when its last token was accepted, in milliseconds since the epoch. */
  acceptedAt: number;
  /**
   * Time of the cut: set once the client was told that its token has expired.
   */
  cutAt: number | undefined;
}

/** Knowledge about a connection. */
export interface Tracked {
  /**
   * Sockets of the connection, each from the moment its namespace is asked for.
   */
  sockets: readonly RealtimeSocket[];
  /** Set once its token is verified. */
  session?: Session;
  /** Key of its user: its room. */
  user?: string;
}

/** Time between two sweeps: the end of a token is noticed so late. */
const SWEEP_MS = 200;
/** Sweeps until the next one that forgets what has ended. */
const SWEEPS_PER_SECOND = 5;

/** Every connection of this replica, by itself and by its user. */
@Injectable()
export class ConnectionRegistry implements OnApplicationShutdown {
  /**
   * Connections, with those that are gone since the last sweep: a listener to
   * the end of each would take more room than they do.
   */
  private readonly connections = new Map<Connection, Tracked>();
  private readonly users = new Map<string, readonly Connection[]>();
  private readonly often: (() => void)[] = [];
  private readonly seldom: (() => void)[] = [];
  private sweeps = 0;
  private timer: NodeJS.Timeout | undefined;
  private server: Server | undefined;

  /**
   * Registers the connections of an engine, and the server below it. Call it
   * once. One timer serves all of them: one each costs more.
   */
  serve(engine: RealtimeServer['engine'], server: Server): void {
    this.server = server;
    engine.on('connection', (conn: Connection) =>
      this.connections.set(conn, { sockets: [] }),
    );
    this.timer = setInterval(() => this.tick(), SWEEP_MS).unref();
  }

  onApplicationShutdown(): void {
    clearInterval(this.timer);
  }

  /** Calls back five times a second, or once, while connections are let in. */
  onSweep(run: () => void, isSeldom = false): void {
    (isSeldom ? this.seldom : this.often).push(run);
  }

  /** True while connections can arrive. */
  get isServing(): boolean {
    return this.server?.listening === true;
  }

  /** True when the last peer is gone. */
  get isEmpty(): boolean {
    return [...this.connections.keys()].every(isGone);
  }

  /** Each connection that is not forgotten yet. */
  all(): IterableIterator<[Connection, Tracked]> {
    return this.connections.entries();
  }

  /** What is known of a connection, until it is forgotten. */
  of(conn: Connection): Tracked | undefined {
    return this.connections.get(conn);
  }

  /** Adds a socket that asks for its namespace. */
  enter(socket: RealtimeSocket): void {
    const tracked = this.connections.get(socket.conn);
    if (tracked) {
      // `push` would make room for 16 more.
      tracked.sockets = tracked.sockets.concat(socket);
    }
  }

  /** Removes a socket that is refused or gone. */
  leave(socket: RealtimeSocket): void {
    const tracked = this.connections.get(socket.conn);
    if (tracked) {
      tracked.sockets = tracked.sockets.filter((other) => other !== socket);
    }
  }

  /** Makes an open connection its user's, until it closes. */
  assign(conn: Connection, user: string): void {
    this.users.set(user, this.connectionsOf(user).concat(conn));
    const tracked = this.connections.get(conn);
    if (tracked) {
      tracked.user = user;
    }
  }

  /** The open connections of a user. */
  connectionsOf(user: string): Connection[] {
    return this.users.get(user)?.filter(isOpen) ?? [];
  }

  /** Every open connection, with those of its sockets that are connected. */
  open(): { conn: Connection; sockets: RealtimeSocket[] }[] {
    return [...this.connections]
      .filter(([conn]) => isOpen(conn))
      .map(([conn, { sockets }]) => ({ conn, sockets: connectedOf(sockets) }));
  }

  /**
   * Ends every connection without a farewell: a peer that is gone answers none.
   */
  terminateAll(): void {
    for (const conn of this.connections.keys()) {
      rawSocket(conn)?.terminate();
    }
  }

  private tick(): void {
    this.often.forEach((run) => run());
    this.sweeps += 1;
    if (this.sweeps % SWEEPS_PER_SECOND === 0) {
      this.seldom.forEach((run) => run());
      this.sweep();
    }
  }

  /** Forgets what has ended. */
  private sweep(): void {
    for (const conn of this.connections.keys()) {
      if (isGone(conn)) {
        this.connections.delete(conn);
      }
    }
    for (const [user, connections] of this.users) {
      if (!connections.every(isOpen)) {
        this.users.set(user, connections.filter(isOpen));
      }
      if (!connections.some(isOpen)) {
        this.users.delete(user);
      }
    }
  }
}

function isOpen({ readyState }: Connection): boolean {
  return readyState !== 'closed';
}
