import type { INestApplication } from '@nestjs/common';
import { ClientProxyFactory, Transport } from '@nestjs/microservices';
import { Test } from '@nestjs/testing';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer as createHttpServer, type Server } from 'node:http';
import { createServer, get } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { lastValueFrom } from 'rxjs';
import { io, type Socket } from 'socket.io-client';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { tellUnserved } from '../src/connections/unserved';
import { RealtimeModule } from '@kernel/realtime.module';
import { loadRealtimeConfig, REALTIME_CONFIG } from '../src/config/realtime.config';
import { setupRealtime } from '../src/lifecycle/setup-realtime';
import { freePorts } from './support/brokers.js';
import { makeCertificate } from './support/certificate.js';
import { ENV, ORIGIN, sign } from './support/stack.js';

const folder = mkdtempSync(join(tmpdir(), 'own-server-'));
const tls = { key: '', cert: '' };
const apps: INestApplication[] = [];
const servers: Server[] = [];
const clients: Socket[] = [];
const lines: string[] = [];

beforeAll(() => {
  const { key, cert } = makeCertificate(folder);
  Object.assign(tls, { key: readFileSync(key, 'utf8'), cert: readFileSync(cert, 'utf8') });
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

afterEach(async () => {
  clients.splice(0).forEach((client) => client.disconnect());
  await Promise.all(apps.splice(0).map((app) => app.close()));
  servers.splice(0).forEach((server) => server.close());
  lines.length = 0;
});

async function create(options: { forceCloseConnections?: true } = {}) {
  const [tcpPort = 0] = await freePorts();
  const module = await Test.createTestingModule({ imports: [RealtimeModule] })
    .overrideProvider(REALTIME_CONFIG)
    .useValue(loadRealtimeConfig({ ...ENV, REALTIME_TCP_PORT: String(tcpPort) }))
    .compile();
  const write = (line: unknown) => void lines.push(String(line));
  const logger = { log: write, warn: write, error: write, fatal: write };
  const app = module.createNestApplication({ logger, ...options });
  apps.push(app);
  return { app, tcpPort };
}

const listen = async (server: Server): Promise<number> => {
  servers.push(server);
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return (server.address() as AddressInfo).port;
};

/** `https.createServer(...)` of the app, as the documentation has it. */
const secureServer = (app: INestApplication): Server =>
  createServer(tls, app.getHttpAdapter().getInstance());

function open(port: number, token?: string): Socket {
  const client = io(`https://127.0.0.1:${port}/notifications`, {
    transports: ['websocket'],
    forceNew: true,
    reconnection: false,
    auth: { token },
    ca: tls.cert,
    extraHeaders: { origin: ORIGIN },
  } as object);
  clients.push(client);
  return client;
}

const outcome = (client: Socket): Promise<string> =>
  new Promise((resolve) => {
    client.once('connect', () => resolve('connected'));
    client.once('connect_error', (error: Error & { data?: { code?: string } }) =>
      resolve(error.data?.code ?? error.message),
    );
  });

const readiness = (port: number): Promise<{ status: number; gateways: string }> =>
  new Promise((resolve, reject) => {
    get(`https://127.0.0.1:${port}/health/ready`, { ca: tls.cert, agent: false }, (response) => {
      let text = '';
      response.on('data', (chunk) => (text += String(chunk)));
      response.on('end', () => {
        const body = JSON.parse(text) as { details: { realtime: { gateways: string } } };
        const { gateways } = body.details.realtime;
        resolve({ status: response.statusCode ?? 0, gateways });
      });
    }).on('error', reject);
  });

const UNSERVED = /setupRealtime\(app, \{ server \}\)/;
const warnings = (): string[] => lines.filter((line) => UNSERVED.test(line));

describe('an app that an https server of its own serves', () => {
  it.each([{}, { forceCloseConnections: true } as const])(
    'has gateways, events, health and a shutdown with { server } (%j)',
    async (options) => {
      const { app, tcpPort } = await create(options);
      const server = secureServer(app);
      await setupRealtime(app, { server });
      await app.init();
      const port = await listen(server);
      expect(await outcome(open(port))).toBe('UNAUTHORIZED');
      const client = open(port, sign());
      expect(await outcome(client)).toBe('connected');
      await expect.poll(() => readiness(port)).toEqual({ status: 200, gateways: 'up' });
      const received = new Promise((resolve) => client.once('notification.created', resolve));
      const publisher = ClientProxyFactory.create({
        transport: Transport.TCP,
        options: { port: tcpPort },
      });
      const notification = { id: '1', message: 'hi', type: 'info' };
      await lastValueFrom(publisher.emit('notification.created', { tenantId: 't1', notification }));
      expect(await received).toEqual(notification);
      await publisher.close();
      const gone = new Promise((resolve) => client.once('disconnect', resolve));
      await app.close();
      await gone;
      expect(server.listening).toBe(false);
      expect(warnings()).toEqual([]);
    },
  );

  it('is not ready without it, and says once what to do', async () => {
    const { app } = await create();
    await setupRealtime(app);
    await app.init();
    const port = await listen(secureServer(app));
    expect(await readiness(port)).toEqual({ status: 503, gateways: 'down' });
    expect(await outcome(open(port, sign()))).not.toBe('connected');
    await expect
      .poll(() => readiness(port).then(warnings), { timeout: 10_000, interval: 200 })
      .toHaveLength(1);
    await readiness(port);
    expect(warnings()).toHaveLength(1);
    expect(lines.join('\n')).toContain('gateways: their server does not listen');
  });

  it('is refused a server that listens already', async () => {
    const { app } = await create();
    const server = secureServer(app);
    await listen(server);
    await expect(setupRealtime(app, { server })).rejects.toThrow(/listens already/);
  });
});

describe('an app that listens', () => {
  it.each(['before', 'after'])(
    'is not said to be unserved: it does so %s its time is over',
    async (when) => {
      const { app } = await create();
      const other = createHttpServer((_, response) => response.end());
      const port = await listen(other);
      const own = createHttpServer((_, response) => response.end());
      if (when === 'before') {
        tellUnserved(own, 0);
        await listen(own);
      } else {
        tellUnserved(own, 0);
        await new Promise((resolve) => setTimeout(resolve, 20));
        await listen(own);
      }
      await fetch(`http://127.0.0.1:${port}`);
      expect(app).toBeDefined();
      expect(warnings()).toEqual([]);
    },
  );
});
