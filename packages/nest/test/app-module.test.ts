import { RealtimeModule } from '@kernel/realtime.module';
import { Controller, Get, type INestApplication, Module } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { setupRealtime } from '@nx-realtime/nest';
import { RealtimePublisher, RealtimePublisherModule } from '@nx-realtime/nest/publisher';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { z } from 'zod';

@Controller()
class HelloController {
  @Get('hello')
  hello(): string {
    return 'hi';
  }
}

const EVENTS = {
  'order.placed': {
    key: 'order',
    schema: z.object({ id: z.string() }),
    tcpPort: 'REALTIME_TCP_PORT_API',
  },
};

/** As the host's: its own code, the domains, and the publisher of another's. */
@Module({
  imports: [RealtimeModule, RealtimePublisherModule.forRoot({ events: EVENTS })],
  controllers: [HelloController],
})
class AppModule {}

describe('a host’s own test of its AppModule, where no env file is', () => {
  const apps: INestApplication[] = [];
  beforeEach(() => {
    for (const name of Object.keys(process.env)) {
      if (/^(?:REALTIME_|JWT_|JWKS_|RABBITMQ_|REDIS_|FRONTEND_)/.test(name)) {
        vi.stubEnv(name, undefined);
      }
    }
    vi.stubEnv('NODE_ENV', 'test');
  });
  afterEach(async () => {
    await Promise.all(apps.splice(0).map((app) => app.close()));
    vi.unstubAllEnvs();
  });

  const create = async (): Promise<INestApplication> => {
    const module = await Test.createTestingModule({ imports: [AppModule] }).compile();
    const app = module.createNestApplication({ logger: false });
    apps.push(app);
    return app;
  };

  it('compiles, starts, answers HTTP and ends, without a secret', async () => {
    const app = await create();
    await app.init();
    // As supertest does it.
    const server = app.getHttpServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const response = await fetch(`http://127.0.0.1:${port}/hello`);
    expect(await response.text()).toBe('hi');
  });

  it('is told what is missing as soon as it would serve sockets', async () => {
    await expect(setupRealtime(await create())).rejects.toThrow(
      /not configured:\n {2}REALTIME_ORIGINS is missing.*\n {2}REALTIME_JWT_SECRET is missing.*\n {2}RABBITMQ_URL is missing/,
    );
  });

  it('is told what is missing when it publishes', async () => {
    const app = await create();
    const message = { tenantId: 't1', payload: { id: '1' } };
    await expect(app.get(RealtimePublisher).publish('order.placed', message)).rejects.toThrow(
      /DISCONNECTED.*RABBITMQ_URL is missing/s,
    );
  });

  it.each([
    ['REALTIME_JWT_SECRET', 'short'],
    ['REALTIME_ORIGINS', '*'],
    ['REALTIME_TRANSPORT', 'kafka'],
    ['REDIS_URL', 'x'],
  ])('is told of %s=%s all the same', async (name, value) => {
    vi.stubEnv(name, value);
    await expect(create()).rejects.toThrow(`${name} `);
  });

  it.each(['production', 'development', ''])(
    'does not start where NODE_ENV is "%s"',
    async (of) => {
      vi.stubEnv('NODE_ENV', of);
      await expect(create()).rejects.toThrow('REALTIME_JWT_SECRET is missing');
    },
  );
});
