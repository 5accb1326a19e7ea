import { RealtimeHealth } from '../src/lifecycle/health';
import { loadRealtimeConfig, REALTIME_CONFIG } from '../src/config/realtime.config';
import { RealtimeModule } from '@kernel/realtime.module';
import { setupRealtime } from '../src/lifecycle/setup-realtime';
import {
  type CanActivate,
  Controller,
  Get,
  type INestApplication,
  Injectable,
  Module,
  type Type,
  VersioningType,
} from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import { HealthCheckService, TerminusModule } from '@nestjs/terminus';
import { Test } from '@nestjs/testing';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { freePorts } from './support/brokers.js';
import { ENV } from './support/stack.js';

@Injectable()
class DenyGuard implements CanActivate {
  canActivate = () => false;
}

@Controller('health')
class HostHealth {
  constructor(
    private readonly checks: HealthCheckService,
    private readonly realtime: RealtimeHealth,
  ) {}

  @Get('ready')
  ready() {
    return this.checks.check([() => this.realtime.isReady('sockets')]);
  }
}

@Module({ imports: [RealtimeModule, TerminusModule], controllers: [HostHealth] })
class HostWithHealth {}

@Module({
  imports: [RealtimeModule],
  providers: [{ provide: APP_GUARD, useClass: DenyGuard }],
})
class GuardedHost {}

const apps: INestApplication[] = [];
const lines: string[] = [];

afterEach(async () => {
  await Promise.all(apps.splice(0).map((app) => app.close()));
  lines.length = 0;
});

async function start(
  root: Type,
  env: NodeJS.ProcessEnv = {},
  configure: (app: INestApplication) => void = () => undefined,
) {
  const [tcp] = await freePorts();
  const module = await Test.createTestingModule({ imports: [root] })
    .overrideProvider(REALTIME_CONFIG)
    .useValue(loadRealtimeConfig({ ...ENV, REALTIME_TCP_PORT: String(tcp), ...env }))
    .compile();
  const write = (line: unknown) => void lines.push(String(line));
  const logger = { log: write, warn: write, error: write, fatal: write };
  const app = module.createNestApplication({ logger });
  apps.push(app);
  configure(app);
  await setupRealtime(app);
  await app.listen(0, '127.0.0.1');
  const { port } = app.getHttpServer().address() as AddressInfo;
  return async (path: string) => {
    const response = await fetch(`http://127.0.0.1:${port}${path}`);
    const body = (await response.json()) as { status?: string; details?: object };
    return { status: response.status, body, headers: response.headers };
  };
}

const up = { gateways: 'up', broker: 'up', replicas: 'up', shutdown: 'up' };

describe('the health endpoints', () => {
  it('say that this replica lives and is ready, and are not cached', async () => {
    const get = await start(RealtimeModule);
    const live = await get('/health/live');
    expect(live).toMatchObject({ status: 200, body: { status: 'ok', details: {} } });
    await expect.poll(async () => (await get('/health/ready')).status).toBe(200);
    const ready = await get('/health/ready');
    expect(ready.body).toMatchObject({
      status: 'ok',
      details: { realtime: { ...up, status: 'up' } },
    });
    expect(ready.headers.get('cache-control')).toBe('no-store');
  });

  it('are where they are, whatever prefix, version and guard the app has', async () => {
    const get = await start(GuardedHost, {}, (app) => {
      app.setGlobalPrefix('api');
      app.enableVersioning({ type: VersioningType.URI, defaultVersion: '1' });
    });
    expect((await get('/health/live')).status).toBe(200);
    await expect.poll(async () => (await get('/health/ready')).status).toBe(200);
    expect((await get('/api/health/live')).status).toBe(404);
  });

  it('are ready no more once the shutdown has begun, and live on', async () => {
    const get = await start(RealtimeModule, { REALTIME_DRAIN_DELAY_MS: '1000' });
    await expect.poll(async () => (await get('/health/ready')).status).toBe(200);
    const closed = apps.pop()!.close();
    const { status, body } = await get('/health/ready');
    expect(status).toBe(503);
    expect(body.details).toEqual({ realtime: { ...up, shutdown: 'down', status: 'down' } });
    expect((await get('/health/live')).status).toBe(200);
    await closed;
  });

  it('leave a path to the app that has it, and can be part of its own check', async () => {
    const get = await start(HostWithHealth);
    await expect.poll(async () => (await get('/health/ready')).status).toBe(200);
    const { body } = await get('/health/ready');
    expect(body.details).toEqual({ sockets: { ...up, status: 'up' } });
    expect((await get('/health/live')).status).toBe(200);
    expect(lines.filter((line) => line.startsWith("/health/ready is the app's own"))).toHaveLength(
      1,
    );
  });

  it('stand beside those that the app has below its prefix', async () => {
    const get = await start(HostWithHealth, {}, (app) => void app.setGlobalPrefix('api'));
    await expect.poll(async () => (await get('/api/health/ready')).status).toBe(200);
    expect((await get('/api/health/ready')).body.details).toHaveProperty('sockets');
    expect((await get('/health/ready')).body.details).toHaveProperty('realtime');
  });

  it('say down, and why to the log alone, while the broker and Redis are', async () => {
    const get = await start(RealtimeModule, {
      REALTIME_TRANSPORT: 'rmq',
      RABBITMQ_URL: 'amqp://someone:hunter2@127.0.0.1:1',
      REDIS_URL: 'redis://someone:hunter2@127.0.0.1:1',
    });
    await expect.poll(() => lines.join()).toMatch(/RabbitMQ is unreachable/);
    expect((await get('/health/live')).status).toBe(200);
    const { status, body } = await get('/health/ready');
    expect(status).toBe(503);
    expect(body).toEqual({
      status: 'error',
      info: {},
      error: { realtime: { ...up, broker: 'down', replicas: 'down', status: 'down' } },
      details: { realtime: { ...up, broker: 'down', replicas: 'down', status: 'down' } },
    });
    await get('/health/ready');
    const reasons = lines.filter((line) => line.startsWith('Not ready: broker: '));
    expect(reasons).toHaveLength(1);
    expect(lines.join()).not.toContain('hunter2');
  });
});
