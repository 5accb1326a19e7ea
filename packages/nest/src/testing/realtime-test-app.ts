import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import {
  type INestApplication,
  Module,
  type ModuleMetadata,
  type Type,
  type ValueProvider,
} from '@nestjs/common';
import { JwtService } from '@nestjs/jwt';
import { TerminusModule } from '@nestjs/terminus';
import { Test, type TestingModuleBuilder } from '@nestjs/testing';
import { io, type Socket } from 'socket.io-client';
import { Broadcaster, type DomainBroadcaster } from '../events/broadcaster';
import { loadRealtimeConfig, REALTIME_CONFIG } from '../config/realtime.config';
import { RealtimeModule } from '../realtime.module';
import { setupRealtime } from '../lifecycle/setup-realtime';

const JWT_SECRET = 'only-for-tests-and-32-bytes-long';
const ORIGIN = 'http://localhost:3000';

/** What is yours to fill in. */
const YOURS: Type[] = [];

type AnyModule = Parameters<TestingModuleBuilder['overrideModule']>[0];

interface TestAppOptions {
  /** In place of providers: `{ provide: NotificationsRepository, useValue }`. */
  overrides?: readonly ValueProvider[];
  /** Beside RealtimeModule: what your app makes available to every module. */
  imports?: NonNullable<ModuleMetadata['imports']>;
  /**
   * Without your code: an empty object stands for each service and policy, and
   * an empty module for each that you import into RealtimeModule.
   */
  isolated?: boolean;
}

interface ClientOptions {
  token?: string;
  origin?: string;
}

/** The whole realtime module, listening on a free port, and its clients. */
export class RealtimeTestApp {
  private readonly jwt = new JwtService({ secret: JWT_SECRET });
  private readonly clients: Socket[] = [];

  private constructor(private readonly app: INestApplication) {}

  static async start({
    overrides = [],
    imports = [],
    isolated = false,
  }: TestAppOptions = {}): Promise<RealtimeTestApp> {
    const tcpPort = await freePort();
    const config = loadRealtimeConfig({
      NODE_ENV: 'test',
      JWT_SECRET,
      FRONTEND_URL: ORIGIN,
      REALTIME_TRANSPORT: 'tcp',
      REALTIME_TCP_PORT: String(tcpPort),
    });
    const builder = Test.createTestingModule({
      imports: [RealtimeModule, ...imports],
    });
    builder.overrideProvider(REALTIME_CONFIG).useValue(config);
    if (isolated) {
      for (const own of YOURS) {
        builder.overrideProvider(own).useValue({});
      }
      for (const own of importsOfYours()) {
        builder.overrideModule(own).useModule(NoModule);
      }
      builder.useMocker(() => ({}));
    }
    for (const { provide, useValue } of overrides) {
      builder.overrideProvider(provide).useValue(useValue);
    }
    const module = await builder.compile();
    const app = module.createNestApplication({ logger: false });
    await setupRealtime(app);
    await app.listen(0, '127.0.0.1');
    return new RealtimeTestApp(app);
  }

  token(tenantId: string, userId: string, lifetimeInSeconds = 60): string {
    return this.jwt.sign(
      { tenantId },
      { subject: userId, expiresIn: lifetimeInSeconds },
    );
  }

  /** A connected client. */
  async connect(namespace: string, token: string): Promise<Socket> {
    const client = this.open(namespace, { token });
    await new Promise<void>((resolve, reject) => {
      client.once('connect', resolve);
      client.once('connect_error', reject);
    });
    return client;
  }

  /** The code of the refusal, or the bare message where there is no code. */
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

  broadcaster<Events>(namespace: string): DomainBroadcaster<Events> {
    return this.app.get(Broadcaster).namespace<Events>(namespace);
  }

  async close(): Promise<void> {
    this.clients.forEach((client) => client.disconnect());
    await this.app.close();
  }

  private open(namespace: string, options: ClientOptions): Socket {
    const { token, origin = ORIGIN } = options;
    const { port } = this.app.getHttpServer().address() as AddressInfo;
    const client = io(`http://127.0.0.1:${port}${namespace}`, {
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

/** What RealtimeModule imports beside what was generated. */
function importsOfYours(): AnyModule[] {
  const imports: AnyModule[] = Reflect.getMetadata('imports', RealtimeModule);
  const generated: unknown[] = [TerminusModule];
  return imports.filter(
    (item) => !generated.includes('module' in item ? item.module : item),
  );
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
