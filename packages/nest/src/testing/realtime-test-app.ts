import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import {
  type INestApplication,
  Module,
  type ModuleMetadata,
  type Type,
  type ValueProvider,
} from '@nestjs/common';
import { Test, type TestingModuleBuilder } from '@nestjs/testing';
import { sign } from 'jsonwebtoken';
import { io, type Socket } from 'socket.io-client';
import {
  loadRealtimeConfig,
  REALTIME_CONFIG,
  type RealtimeVariables,
} from '../config/realtime.config';
import { Broadcaster, type DomainBroadcaster } from '../events/broadcaster';
import { EventContext } from '../events/event-context';
import {
  type RequestContext,
  RequestContextService,
} from '../events/request-context';
import { HandshakeGuard } from '../handshake/handshake.guard';
import { RealtimeCoreModule } from '../lifecycle/realtime-core.module';
import { setupRealtime } from '../lifecycle/setup-realtime';
import { isGateway, moduleMetadata } from '../private-doors';
import {
  PUBLISHED_EVENTS,
  type PublishedEvents,
} from '../publisher/published-events';
import {
  PUBLISHER_CONFIG,
  type PublisherConfig,
} from '../publisher/publisher.config';
import { RealtimePublisherModule } from '../publisher/realtime-publisher.module';
import { userRoom } from '../rooms/rooms';

const JWT_SECRET = 'only-for-tests-and-32-bytes-long';
const ORIGIN = 'http://localhost:3000';

type AnyModule = Parameters<TestingModuleBuilder['overrideModule']>[0];

/** Modules of this package, which stay as they are. */
const KERNEL: readonly unknown[] = [
  RealtimeCoreModule,
  RealtimePublisherModule,
];

interface ClientOptions {
  token?: string;
  origin?: string;
}

/**
 * Options of `RealtimeTestApp.start`.
 *
 * @example
 * ```ts
 * const options: RealtimeTestOptions = {
 *   module: RealtimeModule,
 *   overrides: [{ provide: NotificationsRepository, useValue: repository }],
 * };
 * ```
 */
export interface RealtimeTestOptions {
  /** The app's own realtime module. */
  readonly module: Type;
  /**
   * Values in place of providers: `{ provide: NotificationsRepository, useValue
   * }`.
   */
  readonly overrides?: readonly ValueProvider[];
  /** Modules beside it: what your app makes available to every module. */
  readonly imports?: NonNullable<ModuleMetadata['imports']>;
  /**
   * Leaves your code out: an empty object stands for each provider of the
   * module but its gateways and its guard, and an empty module for each that
   * you import into it.
   */
  readonly isolated?: boolean;
  /** Values that are laid over the environment of the test. */
  readonly env?: RealtimeVariables;
  /**
   * Claims of a token, where your guard reads others than `sub` and `tenantId`.
   */
  readonly claims?: (tenantId: string, userId: string) => object;
}

/**
 * The whole realtime module, listening on a free port, and its clients. It
 * needs neither RabbitMQ nor Redis.
 *
 * @example
 * ```ts
 * const app = await RealtimeTestApp.start({ module: RealtimeModule });
 * const client = await app.connect('/notifications', app.token('acme', 'ann'));
 * await app.close();
 * ```
 */
export class RealtimeTestApp {
  private readonly clients: Socket[] = [];

  private constructor(
    private readonly app: INestApplication,
    private readonly claims: (tenantId: string, userId: string) => object,
    private readonly path: string,
  ) {}

  /** Resolves when it listens. */
  static async start({
    module,
    overrides = [],
    imports = [],
    isolated = false,
    env = {},
    claims = (tenantId, userId) => ({ sub: userId, tenantId }),
  }: RealtimeTestOptions): Promise<RealtimeTestApp> {
    const tcpPort = await freePort();
    const config = loadRealtimeConfig({
      NODE_ENV: 'test',
      REALTIME_JWT_SECRET: JWT_SECRET,
      REALTIME_ORIGINS: ORIGIN,
      REALTIME_TRANSPORT: 'tcp',
      REALTIME_TCP_PORT: tcpPort,
      // A token ends when it says so.
      JWT_CLOCK_TOLERANCE_S: 0,
      ...env,
    });
    const builder = Test.createTestingModule({ imports: [module, ...imports] });
    builder.overrideProvider(REALTIME_CONFIG).useValue(config);
    // Events arrive in this app, whichever app they are published for.
    builder.overrideProvider(PUBLISHER_CONFIG).useFactory({
      inject: [PUBLISHED_EVENTS],
      factory: (events: PublishedEvents): PublisherConfig => ({
        tcpPorts: new Map(
          Object.values(events).map((event) => [event.tcpPort, tcpPort]),
        ),
        exchange: 'realtime.events',
        timeoutMs: 5_000,
        maxUnconfirmed: 1_000,
      }),
    });
    if (isolated) {
      isolate(builder, module);
    }
    for (const { provide, useValue } of overrides) {
      builder.overrideProvider(provide).useValue(useValue);
    }
    const compiled = await builder.compile();
    const app = compiled.createNestApplication({ logger: false });
    await setupRealtime(app);
    await app.listen(0, '127.0.0.1');
    return new RealtimeTestApp(app, claims, config.path);
  }

  /** Signs a token of a user. A lifetime below 0 makes an expired one. */
  token(tenantId: string, userId: string, lifetimeInSeconds = 60): string {
    return sign(this.claims(tenantId, userId), JWT_SECRET, {
      expiresIn: lifetimeInSeconds,
    });
  }

  /** Opens a client, and waits until it is connected. */
  async connect(namespace: string, token: string): Promise<Socket> {
    const client = this.open(namespace, { token });
    await new Promise<void>((resolve, reject) => {
      client.once('connect', resolve);
      client.once('connect_error', reject);
    });
    return client;
  }

  /**
   * Opens a client that is refused: the code, or the bare message without one.
   */
  refusal(namespace: string, options: ClientOptions): Promise<string> {
    const client = this.open(namespace, options);
    return new Promise((resolve, reject) => {
      client.once('connect', () => reject(new Error('was let in')));
      client.once('connect_error', (error: Error & { data?: unknown }) => {
        const data: { code?: string } = error.data ?? {};
        resolve(data.code ?? error.message);
      });
    });
  }

  /** A provider of the app. */
  get<T>(token: Type<T>): T {
    return this.app.get(token, { strict: false });
  }

  /** Sends the events of a domain. */
  broadcaster<Events>(namespace: string): DomainBroadcaster<Events> {
    return this.app.get(Broadcaster).namespace<Events>(namespace);
  }

  /** Name of the room of a user. */
  userRoom(tenantId: string, userId: string): string {
    return userRoom(tenantId, userId);
  }

  /** Ends the clients and the app. */
  async close(): Promise<void> {
    this.clients.forEach((client) => client.disconnect());
    await this.app.close();
  }

  private open(namespace: string, options: ClientOptions): Socket {
    const { token, origin = ORIGIN } = options;
    const { port } = this.app.getHttpServer().address() as AddressInfo;
    const client = io(`http://127.0.0.1:${port}${namespace}`, {
      path: this.path,
      transports: ['websocket'],
      forceNew: true,
      reconnection: false,
      auth: { token },
      extraHeaders: { origin },
    });
    this.clients.push(client);
    return client;
  }
}

@Module({})
class NoModule {}

/** Takes the owner's code out of a module, and what it needs. */
function isolate(builder: TestingModuleBuilder, module: Type): void {
  for (const provider of moduleMetadata(module, 'providers')) {
    const token = Object(provider).provide ?? provider;
    if (!isGateway(token) && !isGuard(token)) {
      builder.overrideProvider(token).useValue({});
    }
  }
  for (const imported of moduleMetadata(module, 'imports')) {
    if (!KERNEL.includes(Object(imported).module ?? imported)) {
      builder.overrideModule(imported as AnyModule).useModule(NoModule);
    }
  }
  builder.overrideProvider(EventContext).useValue({
    run: <T>(context: RequestContext, work: () => T) =>
      new RequestContextService().run(context, work),
  });
  builder.useMocker(() => ({}));
}

function isGuard(type: unknown): boolean {
  return typeof type === 'function' && type.prototype instanceof HandshakeGuard;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
