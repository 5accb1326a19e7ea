import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { type INestApplication, Logger, type Type } from '@nestjs/common';
import { ModulesContainer } from '@nestjs/core';
import { IoAdapter } from '@nestjs/platform-socket.io';
import type { Namespace, ServerOptions } from 'socket.io';
import {
  REALTIME_APP,
  REALTIME_OPTIONS,
  type RealtimeCoreOptions,
} from '../config/options';
import {
  namesOf,
  REALTIME_CONFIG,
  type RealtimeConfig,
} from '../config/realtime.config';
import { Broadcaster } from '../events/broadcaster';
import { isAckFilter, screenEvents, serveEvents } from '../events/client-event';
import { isHarmless } from '../events/payload-shape';
import { EventContext } from '../events/event-context';
import { Handshake } from '../handshake/handshake';
import {
  connectionRefusal,
  isRealtimeException,
  RealtimeException,
  reasonOf,
} from '../handshake/realtime.errors';
import { SecurityLog } from '../handshake/security-log';
import { RealtimeShutdown } from '../lifecycle/shutdown';
import { report } from '../observability/diagnostics';
import {
  eventsOf,
  filtersOf,
  gatewayOptionsOf,
  isGateway,
  isMarked,
  namesConnection,
  namespaceOf,
} from '../private-doors';
import { Replicas } from '../replicas/replicas';
import { joinFrames, joinWrites } from '../tuning';
import { ConnectionLimits } from './connection-limits';
import { ConnectionRegistry } from './connection-registry';
import { KeptGateways } from './kept-gateways';
import { SessionRegistry } from './session';
import {
  type Connection,
  type RealtimeServer,
  type RealtimeSocket,
  sharedListener,
} from './socket';
import { tellUnserved } from './unserved';

type Next = (error?: Error) => void;

const WEBSOCKET_ONLY =
  "This server takes websockets only: io(url, { transports: ['websocket'] })";

/** Time that a refused connection has to try another namespace. */
const REFUSED_LINGER_MS = 1_000;

/**
 * The Socket.IO server of this app. Options, authentication and rooms are set
 * here for every namespace, so that no gateway can forget them.
 */
export class RealtimeAdapter extends IoAdapter {
  private readonly logger = new Logger(RealtimeAdapter.name);
  private readonly config: RealtimeConfig;
  private readonly handshake: Handshake;
  private readonly sessions: SessionRegistry;
  private readonly registry: ConnectionRegistry;
  private readonly limits: ConnectionLimits;
  private readonly securityLog: SecurityLog;
  private readonly shutdown: RealtimeShutdown;
  private readonly context: EventContext;
  private readonly kept: KeptGateways;
  private readonly refused = new WeakSet<Connection>();
  /** Events that are acknowledged as `{ ok, data }`, by namespace. */
  private readonly acknowledged = new Map<string, Set<string>>();
  private readonly disconnected = sharedListener((socket, reason: string) => {
    this.registry.leave(socket);
    report('socket.disconnected', { namespace: socket.nsp.name, reason });
  });
  /** True where a gateway has `handleDisconnect`. */
  private tellsDisconnects = false;
  private io: RealtimeServer | undefined;

  /** @param server where the app is not served by its own */
  static async create(
    app: INestApplication,
    server?: Server,
  ): Promise<RealtimeAdapter> {
    const config = app.get<RealtimeConfig>(REALTIME_CONFIG);
    if (config.redisUrl) {
      const key = namesOf(config, app.get<string>(REALTIME_APP)).redis;
      await app.get(Replicas).connect(config.redisUrl, key);
    }
    return new RealtimeAdapter(app, server);
  }

  private constructor(
    private readonly app: INestApplication,
    private readonly server?: Server,
  ) {
    super(server ?? app);
    this.config = app.get<RealtimeConfig>(REALTIME_CONFIG);
    this.handshake = app.get(Handshake);
    // A missing guard is told at boot, not to the first client.
    void this.handshake.guard;
    this.sessions = app.get(SessionRegistry);
    this.registry = app.get(ConnectionRegistry);
    this.limits = app.get(ConnectionLimits);
    this.securityLog = app.get(SecurityLog);
    this.shutdown = app.get(RealtimeShutdown);
    this.context = app.get(EventContext);
    const { keepGateways = [] } =
      app.get<RealtimeCoreOptions>(REALTIME_OPTIONS);
    this.kept = new KeptGateways(app, keepGateways, this.config.path);
  }

  /** Our one server; for a gateway that is kept, what it asks for. */
  override create(
    ...[port, options]: Parameters<IoAdapter['create']>
  ): ReturnType<IoAdapter['create']> {
    if (!options || !isMarked(options, this.kept)) {
      return super.create(port, options);
    }
    const { namespace, server, ...asked } = options;
    const kept = server ?? super.createIOServer(port, asked);
    // As Nest does, that calls a namespace a server too.
    return namespace ? kept.of(namespace) : kept;
  }

  /**
   * Makes the one server, on the app's port: what a decorator asks for is
   * ignored.
   */
  override createIOServer(): RealtimeServer {
    if (this.io) {
      return this.io;
    }
    const io: RealtimeServer = super.createIOServer(0, this.serverOptions());
    // Engine.IO asks allowRequest for new connections only: with the id of one
    // a second websocket would take its place, unseen by origin and limits.
    io.engine.use((request: IncomingMessage, _response: unknown, next: Next) =>
      next(namesConnection(request) ? new Error('No upgrades') : undefined),
    );
    io.engine.use(
      (request: IncomingMessage, response: ServerResponse, next: Next) =>
        this.answerPolling(request, response) || next(),
    );
    const replicas = this.app.get(Replicas);
    replicas.onMissed(() =>
      this.registry.open().forEach(({ conn }) => conn.close()),
    );
    replicas.serve(io, this.config.topology === 'replica');
    io.of('/').use((socket, next) => {
      const error = new RealtimeException(
        'NAMESPACE_REQUIRED',
        'It named none',
      );
      this.refuse(socket, error, next);
    });
    io.on('new_namespace', (namespace) => this.protect(namespace));
    this.prepareGateways();
    const server: Server = this.server ?? this.app.getHttpServer();
    this.registry.serve(io.engine, server);
    tellUnserved(server);
    this.limits.protect(io.engine);
    io.engine.on('connection', ({ request }: Connection) => {
      // Kept as long as the connection; `headers` holds them too.
      request.rawHeaders = [];
    });
    joinWrites(io.engine);
    this.app.get(Broadcaster).bind(io);
    return (this.io = io);
  }

  override bindClientDisconnect(
    ...args: Parameters<IoAdapter['bindClientDisconnect']>
  ): void {
    // Without such a gateway Nest would keep a listener to each socket, and
    // tell nobody.
    if (this.tellsDisconnects || !this.isOurs(args[0])) {
      super.bindClientDisconnect(...args);
    }
  }

  override bindMessageHandlers(
    ...args: Parameters<IoAdapter['bindMessageHandlers']>
  ): void {
    const [client, handlers, transform] = args;
    if (!this.isOurs(client)) {
      super.bindMessageHandlers(...args);
      return;
    }
    const ours = this.acknowledged.get(client.nsp.name) ?? new Set();
    const others = handlers.filter(({ message }) => !ours.has(message));
    // Nest's own copy of Socket.IO may be of another version.
    const socket: unknown = client;
    serveEvents(
      socket as RealtimeSocket,
      handlers.filter(({ message }) => ours.has(message)),
      this.context,
    );
    if (others.length > 0) {
      super.bindMessageHandlers(client, others, transform);
    }
  }

  /** False for a socket of a gateway that is kept. */
  private isOurs(client: { nsp?: { server?: unknown } }): boolean {
    return client.nsp?.server === this.io;
  }

  override async close(...[io]: Parameters<IoAdapter['close']>): Promise<void> {
    if (this.server && this.forceCloseConnections) {
      // Nest cuts and closes its own server alone.
      this.server.closeAllConnections();
      this.forceCloseConnections = false;
    }
    await super.close(io);
  }

  override async dispose(): Promise<void> {
    await super.dispose();
    await this.app.get(Replicas).close();
  }

  // connectionStateRecovery stays off: it replays missed events to a client,
  // and restores its rooms, before the token of its new handshake is looked at.
  private serverOptions(): Partial<ServerOptions> {
    return {
      path: this.config.path,
      // Nor ends what waits for a gateway that is kept.
      destroyUpgrade: !this.kept.areBesideOurs,
      transports: ['websocket'],
      serveClient: false,
      allowEIO3: false,
      perMessageDeflate: false,
      maxHttpBufferSize: this.config.limits.maxMessageBytes,
      connectTimeout: 10_000,
      allowRequest: (request, callback) => {
        const refusal = this.requestRefusal(request);
        if (refusal) {
          report('handshake', { result: refusal });
          this.securityLog.report('upgrade refused', refusal, request);
        } else {
          // The answer to the upgrade and the first packet leave in one write.
          request.socket.cork();
        }
        callback(refusal, refusal === null);
      },
    };
  }

  /** Tells developers of a client that polls, as Socket.IO's does by default. */
  private answerPolling(
    { headers, url = '' }: IncomingMessage,
    response: ServerResponse,
  ): boolean {
    if (headers.upgrade !== undefined || !/[?&]transport=polling/.test(url)) {
      return false;
    }
    const { origin } = headers;
    response.writeHead(400, {
      'Content-Type': 'application/json',
      ...(origin !== undefined &&
        this.config.origins.includes(origin) && {
          'Access-Control-Allow-Origin': origin,
          Vary: 'Origin',
        }),
    });
    response.end(JSON.stringify({ code: 0, message: WEBSOCKET_ONLY }));
    return true;
  }

  private requestRefusal(request: IncomingMessage): string | null {
    if (this.shutdown.isClosed) {
      return 'UNAVAILABLE';
    }
    const { origin } = request.headers;
    // CORS does not apply to websockets.
    const isAllowed =
      origin === undefined
        ? this.config.allowNoOrigin
        : this.config.origins.includes(origin);
    // First: a foreign site uses up nothing of its visitors' address.
    if (!isAllowed) {
      return 'ORIGIN';
    }
    return this.limits.takeHandshake(request) ? null : 'RATE_LIMITED';
  }

  private protect(namespace: Namespace): void {
    joinFrames(namespace.adapter);
    namespace.use((socket: RealtimeSocket, next) => {
      this.admit(socket)
        .then(
          () => next(),
          (error: unknown) => this.refuse(socket, error, next),
        )
        .catch((error: unknown) => this.drop(socket, error));
    });
    // Runs before Nest's own listener: a gateway sees a socket in its rooms.
    namespace.on('connection', (socket: RealtimeSocket) => {
      this.sessions.join(socket);
      report('handshake', { namespace: namespace.name, result: 'ok' });
      report('socket.connected', { namespace: namespace.name });
      socket.on('disconnect', this.disconnected);
      screenEvents(socket, this.limits);
    });
  }

  private async admit(socket: RealtimeSocket): Promise<void> {
    this.limits.enter(socket);
    if (this.shutdown.isDraining) {
      throw new RealtimeException('UNAVAILABLE', 'Shutting down');
    }
    // It is kept, and sent to other replicas that ask for this socket.
    if (!isHarmless(socket.handshake.auth)) {
      throw new RealtimeException(
        'UNAUTHORIZED',
        'handshake.auth is too large or too deep',
      );
    }
    const { auth } = socket.handshake;
    const token: unknown = auth['token'];
    // The handshake travels to other replicas; the token must not.
    delete auth['token'];
    // A socket that is refused gets one too: the security log names the user.
    const verified = await this.handshake.verify(token, (identity) => {
      socket.data.identity = identity;
    });
    this.sessions.open(socket, verified);
  }

  private refuse(
    socket: RealtimeSocket,
    error: unknown,
    next: (refusal: Error) => void,
  ): void {
    if (!isRealtimeException(error)) {
      this.logger.error(describe(error));
    }
    const { conn, data } = socket;
    const refusal = connectionRefusal(error);
    const { code } = refusal.data;
    report('handshake', { namespace: socket.nsp.name, result: code });
    this.securityLog.report(
      'handshake refused',
      code,
      conn.request,
      data.identity,
      reasonOf(error),
    );
    this.registry.leave(socket);
    next(refusal);
    if (this.refused.has(conn)) {
      return;
    }
    this.refused.add(conn);
    setTimeout(() => {
      this.refused.delete(conn);
      if (!this.sessions.isLive(conn)) {
        conn.close();
      }
    }, REFUSED_LINGER_MS).unref();
  }

  private drop(socket: RealtimeSocket, error: unknown): void {
    this.logger.error(describe(error));
    socket.conn.close();
  }

  /** Nest lets an error in a gateway's connection hooks end the process. */
  private prepareGateways(): void {
    for (const { providers } of this.app.get(ModulesContainer).values()) {
      for (const provider of providers.values()) {
        const { instance, metatype } = provider;
        if (
          isGateway(metatype) &&
          instance instanceof metatype &&
          !this.kept.has(metatype)
        ) {
          this.tellIgnored(metatype);
          // Nest 12 makes an instance of another scope for each socket.
          const isStatic = provider.isDependencyTreeStatic();
          const gateway = isStatic ? instance : metatype.prototype;
          this.contain(gateway, 'handleConnection');
          this.contain(gateway, 'handleDisconnect');
          this.tellsDisconnects ||= !isStatic || 'handleDisconnect' in gateway;
          if (filtersOf(metatype).some(isAckFilter)) {
            const namespace = namespaceOf(metatype);
            const events = this.acknowledged.get(namespace) ?? new Set();
            eventsOf(metatype).forEach((event) => events.add(event));
            this.acknowledged.set(namespace, events);
          }
        }
      }
    }
  }

  /** Names what a gateway asks for and does not get: its clients are refused. */
  private tellIgnored(gateway: Type): void {
    const names = Object.entries(gatewayOptionsOf(gateway))
      .filter(([, value]) => value !== this.config.path)
      .map(([name]) => name)
      .filter((name) => name !== 'namespace');
    if (namespaceOf(gateway) === '/') {
      this.logger.warn(
        `${gateway.name} has no namespace: its clients are refused with NAMESPACE_REQUIRED. Give it one, and connect to that with a token`,
      );
    }
    if (names.length > 0) {
      this.logger.warn(
        `${gateway.name}: ${names.join(', ')} of @WebSocketGateway ${names.length > 1 ? 'have' : 'has'} no effect: one server, on the port of the app, serves all gateways by websocket`,
      );
    }
  }

  private contain(gateway: object, name: string): void {
    const hook: unknown = Reflect.get(gateway, name);
    if (typeof hook !== 'function') {
      return;
    }
    const { logger } = this;
    const contained = async function (
      this: object,
      socket: RealtimeSocket,
      ...rest: unknown[]
    ) {
      try {
        await hook.call(this, socket, ...rest);
      } catch (error) {
        logger.error(describe(error));
        // Nest must have bound its disconnect listener by then.
        setImmediate(() => socket.disconnect());
      }
    };
    Reflect.set(gateway, name, contained);
  }
}

function describe(error: unknown): string {
  return error instanceof Error
    ? (error.stack ?? error.message)
    : String(error);
}
