import { RealtimeAdapter } from '../../src/connections/realtime.adapter';
import { loadRealtimeConfig, REALTIME_CONFIG } from '../../src/config/realtime.config';
import type { HandshakeGuard } from '../../src/handshake/handshake.guard';
import { REALTIME_APP, REALTIME_OPTIONS } from '../../src/config/options';
import type { RealtimeCoreOptions } from '../../src/config/options';
import { WsAuthGuard } from '@kernel/guards/ws-auth.guard';
import { RealtimeModule } from '@kernel/realtime.module';
import type { INestApplication, LoggerService, Provider, Type } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import jwt from 'jsonwebtoken';
import type { AddressInfo } from 'node:net';
import { io } from 'socket.io-client';
import type { Socket } from 'socket.io-client';

export const JWT_SECRET = 'kernel-tests-secret-of-32-bytes!';
export const ORIGIN = 'http://localhost:4200';

export const ENV = {
  NODE_ENV: 'test',
  REALTIME_JWT_SECRET: JWT_SECRET,
  REALTIME_ORIGINS: ORIGIN,
  // Tests do not wait for it.
  JWT_CLOCK_TOLERANCE_S: '0',
  REALTIME_TRANSPORT: 'tcp',
  REALTIME_TCP_PORT: '1',
};

export interface StackOptions {
  /** Laid over ENV; undefined removes a variable. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Hand-written gateways and what they need. */
  readonly providers?: readonly Provider[];
  /** In place of the app's guard. */
  readonly guard?: Type<HandshakeGuard>;
  /** In place of what the app gives to forRoot. */
  readonly options?: Partial<RealtimeCoreOptions>;
  /** In place of the app's name. */
  readonly app?: string;
}

export interface ClientOptions {
  readonly token?: unknown;
  readonly origin?: string | undefined;
  readonly transports?: string[];
}

export interface Refusal {
  readonly message: string;
  readonly code: string | undefined;
  readonly retryAfterMs: number | undefined;
}

export function sign(claims: object = {}, options: jwt.SignOptions = {}): string {
  return jwt.sign({ sub: 'u1', tenantId: 't1', ...claims }, JWT_SECRET, {
    ...(!('exp' in claims) && { expiresIn: 60 }),
    ...options,
  });
}

/** The kernel in this process, without its broker, on a free port. */
export class Stack {
  private readonly clients: Socket[] = [];

  private constructor(
    readonly app: INestApplication,
    /** Everything that was logged. */
    readonly logs: readonly string[],
  ) {}

  static async start(stackOptions: StackOptions = {}): Promise<Stack> {
    const { env, providers = [], guard, options, app: name } = stackOptions;
    let builder = Test.createTestingModule({
      imports: [RealtimeModule],
      providers: [...providers],
    })
      .overrideProvider(REALTIME_CONFIG)
      .useValue(loadRealtimeConfig({ ...ENV, ...env }));
    if (guard) builder = builder.overrideProvider(WsAuthGuard).useClass(guard);
    if (options) {
      const useValue = { app: 'api-gateway', guard: WsAuthGuard, ...options };
      builder = builder.overrideProvider(REALTIME_OPTIONS).useValue(useValue);
    }
    if (name) builder = builder.overrideProvider(REALTIME_APP).useValue(name);
    const logs: string[] = [];
    const module = await builder.compile();
    const app = module.createNestApplication({ logger: collector(logs) });
    app.useWebSocketAdapter(await RealtimeAdapter.create(app));
    await app.listen(0, '127.0.0.1');
    return new Stack(app, logs);
  }

  get port(): number {
    return (this.app.getHttpServer().address() as AddressInfo).port;
  }

  /** A client that has not connected yet and does not reconnect. */
  client(namespace: string, options: ClientOptions = {}): Socket {
    const origin = 'origin' in options ? options.origin : ORIGIN;
    const client = io(`http://127.0.0.1:${this.port}${namespace}`, {
      transports: options.transports ?? ['websocket'],
      forceNew: true,
      reconnection: false,
      autoConnect: false,
      auth: 'token' in options ? { token: options.token } : {},
      ...(origin !== undefined && { extraHeaders: { origin } }),
    });
    this.clients.push(client);
    return client;
  }

  async connect(namespace: string, token: string = sign()): Promise<Socket> {
    const client = this.client(namespace, { token });
    await connected(client);
    return client;
  }

  async refusal(namespace: string, options: ClientOptions = {}): Promise<Refusal> {
    return refused(this.client(namespace, options));
  }

  async close(): Promise<void> {
    this.clients.forEach((client) => client.disconnect());
    await this.app.close();
  }
}

export function connected(client: Socket): Promise<void> {
  return new Promise((resolve, reject) => {
    client.once('connect', resolve);
    client.once('connect_error', reject);
    client.connect();
  });
}

/** Rejects when the client is let in. */
export function refused(client: Socket): Promise<Refusal> {
  return new Promise((resolve, reject) => {
    client.once('connect', () => reject(new Error('was let in')));
    client.once('connect_error', (error: Error & { data?: Partial<Refusal> }) =>
      resolve({
        message: error.message,
        code: error.data?.code,
        retryAfterMs: error.data?.retryAfterMs,
      }),
    );
    client.connect();
  });
}

export function once(client: Socket, event: string): Promise<unknown[]> {
  return new Promise((resolve) => client.once(event, (...args: unknown[]) => resolve(args)));
}

export const wait = (ms: number): Promise<void> =>
  new Promise((resolve) => void setTimeout(resolve, ms));

function collector(logs: string[]): LoggerService {
  const log = (...parts: unknown[]) => void logs.push(parts.map(String).join(' '));
  return { log, error: log, warn: log, debug: log, verbose: log, fatal: log };
}
