import { BROKER_EVENT, type BrokerEventContext, REALTIME_BROKER } from '../src/broker/broker-event';
import { loadRealtimeConfig, REALTIME_CONFIG } from '../src/config/realtime.config';
import { RealtimeAdapter } from '../src/connections/realtime.adapter';
import { AckExceptionFilter } from '../src/events/client-event';
import { RequestContextService } from '../src/events/request-context';
import { TcpBroker } from '../src/broker/tcp.broker';
import { WsAuthGuard } from '@kernel/guards/ws-auth.guard';
import {
  Controller,
  type INestApplication,
  Injectable,
  Module,
  type Type,
  UseFilters,
  UseGuards,
} from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import {
  type ClientProxy,
  ClientProxyFactory,
  Ctx,
  EventPattern,
  Payload,
  Transport,
} from '@nestjs/microservices';
import { Test } from '@nestjs/testing';
import { MessageBody, SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';
import { ClsServiceManager } from 'nestjs-cls';
import { rmSync } from 'node:fs';
import { resolve } from 'node:path';
import { concatMap, from, lastValueFrom, type Observable, timer } from 'rxjs';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { freePorts } from './support/brokers.js';
import { renderHost } from '../../plugin/test/support/render-host.js';
import { domain, HOST_CONTEXT, hostFacts } from '../../plugin/test/support/shapes.js';
import { ENV, sign, Stack, wait } from './support/stack.js';

interface Seen {
  event?: string | undefined;
  eventId?: string | undefined;
  tenantId?: string | undefined;
  userId?: string | undefined;
}

/** What services far from the handler do: wait, and look at the context after it. */
@Injectable()
class DeepService {
  constructor(private readonly context: RequestContextService) {}

  async look(ms: number): Promise<Seen> {
    const before = this.now();
    await wait(ms);
    await new Promise((done) => setImmediate(done));
    expect(this.now()).toEqual(before);
    return before;
  }

  now(): Seen {
    const { event, eventId, tenantId, userId } = this.context;
    return { event, eventId, tenantId, userId };
  }
}

@WebSocketGateway({ namespace: '/probe' })
@UseGuards(WsAuthGuard)
@UseFilters(AckExceptionFilter)
class ProbeGateway {
  constructor(private readonly service: DeepService) {}

  @SubscribeMessage('look')
  look(@MessageBody() ms: number): Promise<Seen> {
    return this.service.look(ms);
  }

  @SubscribeMessage('stream')
  stream(@MessageBody() ms: number): Observable<Seen> {
    return timer(ms).pipe(concatMap(() => from(this.service.look(ms))));
  }

  @SubscribeMessage('fail')
  async fail(): Promise<void> {
    await this.service.look(1);
    throw new Error('inner');
  }
}

describe('the request context of client events', () => {
  let stack: Stack;

  beforeAll(async () => {
    stack = await Stack.start({ providers: [DeepService, ProbeGateway] });
  });
  afterAll(() => stack?.close());

  it.each(['look', 'stream'])('is the sender’s, in %s, and ends with it', async (event) => {
    const client = await stack.connect('/probe', sign({ sub: 'ann', tenantId: 'acme' }));
    const ack = await client.timeout(2_000).emitWithAck(event, 5);
    expect(ack).toEqual({
      ok: true,
      data: {
        event,
        tenantId: 'acme',
        userId: 'ann',
        eventId: expect.stringMatching(/^[\da-f-]{36}$/),
      },
    });
    expect(stack.app.get(DeepService).now()).toEqual({});
  });

  it('is not mixed up between events that overlap', async () => {
    const people = Array.from({ length: 10 }, (_, i) => ({ sub: `u${i}`, tenantId: `t${i % 3}` }));
    const clients = await Promise.all(people.map((who) => stack.connect('/probe', sign(who))));
    const seen = await Promise.all(
      clients.flatMap((client, index) =>
        Array.from({ length: 6 }, async (_, i) => {
          const event = ['look', 'stream', 'fail'][i % 3] as string;
          const { data } = await client.timeout(5_000).emitWithAck(event, Math.random() * 30);
          return { index, event, data: data as Seen | undefined };
        }),
      ),
    );
    const answered = seen.filter(({ event }) => event !== 'fail');
    expect(answered).toHaveLength(40);
    for (const { index, event, data } of answered) {
      const { sub, tenantId } = people[index]!;
      expect(data).toMatchObject({ event, userId: sub, tenantId });
    }
    expect(new Set(answered.map(({ data }) => data?.eventId)).size).toBe(40);
  });

  it('keeps what else the host holds in its continuation-local storage', () => {
    const cls = ClsServiceManager.getClsService();
    const context = stack.app.get(RequestContextService);
    cls.runWith({ locale: 'de' } as never, () => {
      context.run({ event: 'x', eventId: '1', tenantId: 't1' }, () => {
        expect(cls.get('locale')).toBe('de');
        expect(context.tenantId).toBe('t1');
      });
      expect(context.tenantId).toBeUndefined();
    });
  });
});

const consumed: (Seen & { expected: unknown; id: string })[] = [];

@Controller()
class ProbeConsumer {
  constructor(private readonly service: DeepService) {}

  @EventPattern('probe.waited', REALTIME_BROKER, BROKER_EVENT)
  async waited(
    @Payload() data: { probe: { ms: number; n: number } },
    @Ctx() { meta }: BrokerEventContext,
  ): Promise<void> {
    const seen = await this.service.look(data.probe.ms);
    consumed.push({ ...seen, expected: data.probe.n, id: meta.id });
  }

  @EventPattern('probe.streamed', REALTIME_BROKER, BROKER_EVENT)
  streamed(
    @Payload() data: { probe: { ms: number; n: number } },
    @Ctx() context: BrokerEventContext,
  ): Observable<void> {
    return timer(1).pipe(concatMap(() => from(this.waited(data, context))));
  }
}

describe('the request context of broker events', () => {
  let app: INestApplication;
  let publisher: ClientProxy;

  beforeAll(async () => {
    const [port] = await freePorts();
    const broker = new TcpBroker(port, new RequestContextService());

    @Module({
      controllers: [ProbeConsumer],
      providers: [DeepService, RequestContextService],
    })
    class TestModule {}

    const lines: string[] = [];
    const write = (message: unknown): void => void lines.push(String(message));
    app = await NestFactory.create(TestModule, {
      logger: { log: write, warn: write, error: write },
    });
    app.connectMicroservice({ strategy: broker }, { inheritAppConfig: false });
    await app.init();
    broker.start(() => undefined);
    for (let i = 0; i < 100 && !lines.some((line) => line.includes('Consuming')); i++)
      await wait(20);
    publisher = ClientProxyFactory.create({ transport: Transport.TCP, options: { port } });
  });
  afterAll(async () => {
    publisher?.close();
    await app?.close();
  });
  afterEach(() => void (consumed.length = 0));

  const emit = (pattern: string, data: object) => lastValueFrom(publisher.emit(pattern, data));
  const until = async (count: number): Promise<void> => {
    for (let i = 0; i < 300 && consumed.length < count; i++) await wait(10);
    expect(consumed).toHaveLength(count);
  };

  it('is the tenant and the user that the event names, and its id', async () => {
    await emit('probe.waited', { tenantId: 't1', probe: { ms: 1, n: 1, userId: 'u7' } });
    await until(1);
    expect(consumed[0]).toMatchObject({ event: 'probe.waited', tenantId: 't1', userId: 'u7' });
    expect(consumed[0]?.eventId).toBe(consumed[0]?.id);
  });

  it.each([
    [{ tenantId: '', probe: { ms: 1, n: 1, userId: ['u7'] } }],
    [{ tenantId: ['t1'], probe: { ms: 1, n: 1, userId: '' } }],
    [{ probe: { ms: 1, n: 1 } }],
  ])('takes nothing that is no id from %j', async (data) => {
    await emit('probe.waited', data);
    await until(1);
    expect(consumed[0]).toMatchObject({ event: 'probe.waited' });
    expect([consumed[0]?.tenantId, consumed[0]?.userId]).toEqual([undefined, undefined]);
  });

  it('is not mixed up between events that overlap', async () => {
    await Promise.all(
      Array.from({ length: 40 }, (_, n) =>
        emit(n % 2 === 0 ? 'probe.waited' : 'probe.streamed', {
          tenantId: `t${n}`,
          probe: { ms: Math.random() * 40, n, userId: `u${n}` },
        }),
      ),
    );
    await until(40);
    for (const { expected: n, id, tenantId, userId, eventId, event } of consumed) {
      expect({ tenantId, userId, eventId, event }).toEqual({
        tenantId: `t${n}`,
        userId: `u${n}`,
        eventId: id,
        event: Number(n) % 2 === 0 ? 'probe.waited' : 'probe.streamed',
      });
    }
    expect(app.get(DeepService).now()).toEqual({});
  });
});

describe('a RequestContextService of the host’s own', () => {
  it('is used in place of ours', async () => {
    renderHost(
      'nest',
      {
        name: `kernel-context-${process.pid}`,
        host: hostFacts({ solution: false, runner: 'vitest', web: false }),
        domains: [
          domain({
            name: 'Notification',
            clientEvents: ['markRead{notificationId}'],
            requestContext: 'src/common/request-context.service.ts',
            web: 'none',
          }),
        ],
        files: { 'apps/api-gateway/src/common/request-context.service.ts': HOST_CONTEXT },
      },
      /^(?:apps|libs)\//,
      'templates/tsconfig.json',
    );
    const host = resolve(import.meta.dirname, `../tmp/kernel-context-${process.pid}`);
    const root = `${host}/apps/api-gateway/src`;
    const load = (path: string): Promise<Record<string, Type>> => import(`${root}/${path}.ts`);
    const { RequestContextModule, RequestContextService: Own } = await load(
      'common/request-context.service',
    );
    const { RealtimeModule } = await load('realtime/realtime.module');
    const { NotificationsService } = await load('realtime/notifications/notifications.service');
    const module = await Test.createTestingModule({
      imports: [RequestContextModule!, RealtimeModule!],
    })
      .overrideProvider(REALTIME_CONFIG)
      .useValue(loadRealtimeConfig(ENV))
      .compile();
    const app = module.createNestApplication({ logger: false });
    app.useWebSocketAdapter(await RealtimeAdapter.create(app));
    await app.listen(0, '127.0.0.1');
    const context = app.get<{ tenantId?: string }>(Own as Type);
    app.get<{ markRead: unknown }>(NotificationsService as Type).markRead = async () => {
      await wait(5);
      return context.tenantId;
    };
    const stack = new (Stack as unknown as new (app: INestApplication, logs: string[]) => Stack)(
      app,
      [],
    );
    const client = await stack.connect('/notifications', sign({ tenantId: 'acme' }));
    const ack = await client
      .timeout(2_000)
      .emitWithAck('notification.markRead', { notificationId: '1' });
    expect(ack).toEqual({ ok: true, data: 'acme' });
    await stack.close();
    rmSync(host, { recursive: true, force: true });
  });
});
