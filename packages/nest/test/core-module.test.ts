import { WsAuthGuard } from '@kernel/guards/ws-auth.guard';
import { NotificationsWsConsumer } from '@kernel/notifications/notifications-ws.consumer';
import { NotificationsGateway } from '@kernel/notifications/notifications.gateway';
import { NotificationsService } from '@kernel/notifications/notifications.service';
import { Controller, type INestApplication, Injectable, Module } from '@nestjs/common';
import { ClientProxyFactory, Transport } from '@nestjs/microservices';
import { Test } from '@nestjs/testing';
import {
  Broadcaster,
  BrokerEvent,
  type BrokerMessage,
  RealtimeCoreModule,
  setupRealtime,
} from '@nx-realtime/nest';
import { lastValueFrom } from 'rxjs';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { z } from 'zod';
import { REALTIME_CONFIG, type RealtimeConfig } from '../src/config/realtime.config';
import { freePorts } from './support/brokers.js';
import { ENV } from './support/stack.js';

const apps: INestApplication[] = [];
afterEach(() => Promise.all(apps.splice(0).map((app) => app.close())));

const GATEWAY = [NotificationsGateway, NotificationsService];
const variables = (): Record<string, string> => ENV;

async function boot(module: new () => unknown): Promise<INestApplication> {
  const compiled = await Test.createTestingModule({ imports: [module] }).compile();
  const app = compiled.createNestApplication({ logger: false });
  apps.push(app);
  await setupRealtime(app);
  await app.listen(0, '127.0.0.1');
  return app;
}

describe('RealtimeCoreModule', () => {
  it('takes values in place of environment variables, and parses them alike', async () => {
    const [port] = await freePorts();

    @Module({
      imports: [
        RealtimeCoreModule.forRoot({
          app: 'api',
          guard: WsAuthGuard,
          env: { ...variables(), REALTIME_TCP_PORT: port, REALTIME_MAX_SUBSCRIPTIONS: 7 },
        }),
      ],
      controllers: [NotificationsWsConsumer],
      providers: [...GATEWAY, WsAuthGuard],
    })
    class AppModule {}

    const app = await boot(AppModule);
    const { tcpPort, limits } = app.get<RealtimeConfig>(REALTIME_CONFIG);
    expect([tcpPort, limits.maxSubscriptions]).toEqual([port, 7]);
  });

  it('waits for options that other providers know', async () => {
    @Injectable()
    class ConfigService {
      get = (name: string): string | undefined => variables()[name];
    }

    @Module({ providers: [ConfigService], exports: [ConfigService] })
    class ConfigModule {}

    @Module({
      imports: [
        RealtimeCoreModule.forRootAsync({
          imports: [ConfigModule],
          inject: [ConfigService],
          useFactory: async (config: ConfigService) => ({
            app: 'api',
            guard: WsAuthGuard,
            env: {
              ...variables(),
              REALTIME_JWT_SECRET: config.get('REALTIME_JWT_SECRET'),
              REALTIME_TCP_PORT: String((await freePorts())[0]),
            },
          }),
        }),
      ],
      controllers: [NotificationsWsConsumer],
      providers: [...GATEWAY, WsAuthGuard],
    })
    class AppModule {}

    const app = await boot(AppModule);
    expect(app.get<RealtimeConfig>(REALTIME_CONFIG).environment).toBe('test');
  });

  it('says so at boot where no module provides the guard', async () => {
    @Module({
      imports: [RealtimeCoreModule.forRoot({ app: 'api', guard: WsAuthGuard, env: variables() })],
    })
    class AppModule {}

    await expect(boot(AppModule)).rejects.toThrow(
      'No module provides WsAuthGuard: add it to the providers of RealtimeModule',
    );
  });
});

describe('an event in hand', () => {
  const schema = z.object({ id: z.string() });
  const order: string[] = [];

  @Injectable()
  class Database {
    onModuleDestroy(): void {
      order.push('database closed');
    }
  }

  @Module({ providers: [Database], exports: [Database] })
  class DatabaseModule {}

  @Controller()
  class Consumer {
    constructor(
      readonly database: Database,
      readonly broadcaster: Broadcaster,
    ) {}

    @BrokerEvent('order.slow', { key: 'order', schema })
    async slow({ tenantId, payload, meta }: BrokerMessage<{ id: string }>): Promise<void> {
      order.push(`begins ${tenantId} ${payload.id} ${typeof meta.id}`);
      await new Promise((resolve) => setTimeout(resolve, 300));
      order.push('ends');
    }
  }

  const started = async (): Promise<{ app: INestApplication; emit: Emit }> => {
    const [port] = await freePorts();

    @Module({
      imports: [
        DatabaseModule,
        RealtimeCoreModule.forRoot({
          app: 'api',
          guard: WsAuthGuard,
          env: { ...variables(), REALTIME_TCP_PORT: port },
        }),
      ],
      controllers: [Consumer],
      providers: [WsAuthGuard],
    })
    class RealtimeModule {}

    @Module({ imports: [RealtimeModule] })
    class AppModule {}

    const app = await boot(AppModule);
    const publisher = ClientProxyFactory.create({ transport: Transport.TCP, options: { port } });
    const emit: Emit = async (event, id) => {
      await lastValueFrom(publisher.emit(event, { tenantId: 't1', order: { id } }));
    };
    return { app, emit };
  };

  it('is done before anything closes that its handler depends on', async () => {
    const { app, emit } = await started();
    await emit('order.slow', '7');
    await vi.waitFor(() => expect(order).toEqual(['begins t1 7 string']));
    await app.close();
    expect(order).toEqual(['begins t1 7 string', 'ends', 'database closed']);
  });
});

type Emit = (event: string, id: string) => Promise<void>;
