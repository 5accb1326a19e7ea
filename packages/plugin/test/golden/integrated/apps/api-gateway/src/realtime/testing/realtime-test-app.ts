import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import type { INestApplication } from '@nestjs/common';
import { JwtService } from '@nestjs/jwt';
import { Test } from '@nestjs/testing';
import { io, type Socket } from 'socket.io-client';
import { Broadcaster, type DomainBroadcaster } from '../core/broadcaster';
import { loadRealtimeConfig, REALTIME_CONFIG } from '../core/realtime.config';
import { RealtimeModule } from '../realtime.module';
import { setupRealtime } from '../setup-realtime';

const JWT_SECRET = 'only-for-tests-and-32-bytes-long';
const ORIGIN = 'http://localhost:3000';

interface ClientOptions {
  token?: string;
  origin?: string;
}

/** The whole realtime module, listening on a free port, and its clients. */
export class RealtimeTestApp {
  private readonly jwt = new JwtService({ secret: JWT_SECRET });
  private readonly clients: Socket[] = [];

  private constructor(private readonly app: INestApplication) {}

  static async start(): Promise<RealtimeTestApp> {
    const config = loadRealtimeConfig({
      NODE_ENV: 'test',
      JWT_SECRET,
      FRONTEND_URL: ORIGIN,
      REALTIME_TRANSPORT: 'tcp',
      REALTIME_TCP_PORT: String(await freePort()),
    });
    const module = await Test.createTestingModule({ imports: [RealtimeModule] })
      .overrideProvider(REALTIME_CONFIG)
      .useValue(config)
      .compile();
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

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
