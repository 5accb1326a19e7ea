import { randomUUID } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import { type INestApplication, Module } from '@nestjs/common';
import { JwtService } from '@nestjs/jwt';
import { ClientProxyFactory, Transport } from '@nestjs/microservices';
import { Test } from '@nestjs/testing';
import { loadRealtimeConfig, REALTIME_CONFIG } from '../../src/config/realtime.config';
import { RealtimeModule } from '@kernel/realtime.module';
import { setupRealtime } from '../../src/lifecycle/setup-realtime';
import { lastValueFrom } from 'rxjs';
import { io, type Socket } from 'socket.io-client';
import { freePorts, type OwnRabbit, startOwnRabbit, startRedis } from '../support/brokers.js';
import { eventually, notification, openBroker } from './broker-app.js';

const JWT_SECRET = 'only-for-tests-and-32-bytes-long';

describe('setupRealtime', () => {
  const apps: INestApplication[] = [];
  const lines: string[] = [];

  afterEach(async () => {
    await Promise.all(apps.splice(0).map((app) => app.close()));
    lines.length = 0;
  });

  async function create(env: NodeJS.ProcessEnv, root: unknown = RealtimeModule) {
    const config = loadRealtimeConfig({
      NODE_ENV: 'test',
      JWT_SECRET,
      FRONTEND_URL: 'http://localhost:3000',
      ...env,
    });
    const module = await Test.createTestingModule({ imports: [root as typeof RealtimeModule] })
      .overrideProvider(REALTIME_CONFIG)
      .useValue(config)
      .compile();
    const write = (line: unknown) => void lines.push(String(line));
    const app = module.createNestApplication({
      logger: { log: write, warn: write, error: write, fatal: write },
    });
    apps.push(app);
    return app;
  }

  async function client(app: INestApplication, tenantId: string, user: string): Promise<Socket> {
    const { port } = app.getHttpServer().address() as AddressInfo;
    const token = new JwtService({ secret: JWT_SECRET }).sign(
      { tenantId },
      { subject: user, expiresIn: 60 },
    );
    const socket = io(`http://127.0.0.1:${port}/notifications`, {
      transports: ['websocket'],
      forceNew: true,
      reconnection: false,
      auth: { token },
    });
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', resolve).once('connect_error', reject);
    });
    return socket;
  }

  it('brings an event from a plain Nest client to the browser', async () => {
    const [port] = await freePorts();
    const app = await create({ REALTIME_TRANSPORT: 'tcp', REALTIME_TCP_PORT: String(port) });
    await setupRealtime(app);
    await app.listen(0, '127.0.0.1');
    const ann = await client(app, 't1', 'u7');
    const received = new Promise((resolve) => {
      ann.once('notification.created', (payload, meta) => resolve({ payload, meta }));
    });
    const publisher = ClientProxyFactory.create({ transport: Transport.TCP, options: { port } });
    const { pattern, data } = notification({ userId: 'u7' });
    await lastValueFrom(publisher.emit(pattern, data));
    expect(await received).toEqual({
      payload: data.notification,
      meta: { id: expect.any(String), at: expect.any(String) },
    });
    publisher.close();
    ann.close();
  });

  it('consumes after the app listens only, whoever starts the microservices', async () => {
    const [port] = await freePorts();
    const app = await create({ REALTIME_TRANSPORT: 'tcp', REALTIME_TCP_PORT: String(port) });
    await setupRealtime(app);
    await app.startAllMicroservices();
    await app.init();
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(lines.filter((line) => line.startsWith('Consuming'))).toEqual([]);
    await app.listen(0, '127.0.0.1');
    await app.startAllMicroservices();
    await eventually(() => lines.some((line) => line.startsWith('Consuming')));
    expect(lines.filter((line) => line.startsWith('Consuming'))).toHaveLength(1);
  });

  it('says so when no consumer is registered', async () => {
    @Module({
      imports: Reflect.getMetadata('imports', RealtimeModule) as [],
      providers: Reflect.getMetadata('providers', RealtimeModule) as [],
    })
    class EmptyModule {}
    const env = { REALTIME_TRANSPORT: 'tcp', REALTIME_TCP_PORT: '4000' };
    await setupRealtime(await create(env, EmptyModule));
    expect(lines.filter((line) => line.includes('No consumer handles'))).toHaveLength(1);
  });

  describe('with RabbitMQ', () => {
    let rabbit: OwnRabbit;

    beforeAll(async () => {
      rabbit = await startOwnRabbit();
    }, 60_000);

    afterAll(() => rabbit?.stop());

    it('listens while the broker is down, then delivers', async () => {
      await rabbit.kill();
      const app = await create({ RABBITMQ_URL: rabbit.url });
      await setupRealtime(app);
      await app.listen(0, '127.0.0.1');
      const ann = await client(app, 't1', 'ann');
      const spy = await client(app, 't2', 'ann');
      const received: string[] = [];
      ann.on('notification.created', (_payload, { id }) => received.push(`ann ${id}`));
      spy.on('notification.created', (_payload, { id }) => received.push(`spy ${id}`));
      await rabbit.restart();
      await eventually(() => lines.some((line) => line.startsWith('Consuming')), 15_000);
      const broker = await openBroker(rabbit.url);
      await broker.publish('notification.created', notification(), { messageId: 'first' });
      const barrier = notification({}, 't2');
      await broker.publish('notification.created', barrier, { messageId: 'barrier' });
      await eventually(() => received.includes('spy barrier'));
      expect(received).toEqual(['ann first', 'spy barrier']);
      await broker.close();
      ann.close();
      spy.close();
    }, 60_000);

    it('delivers the events in hand before it closes the sockets', async () => {
      const app = await create({ RABBITMQ_URL: rabbit.url });
      await setupRealtime(app);
      await app.listen(0, '127.0.0.1');
      await eventually(() => lines.some((line) => line.startsWith('Consuming')), 15_000);
      const ann = await client(app, 't1', 'ann');
      const ended: string[] = [];
      ann.on('notification.created', (_payload, { id }) => ended.push(id));
      ann.on('disconnect', () => ended.push('disconnect'));
      const broker = await openBroker(rabbit.url);
      const ids = Array.from({ length: 50 }, () => randomUUID());
      await Promise.all(
        ids.map((messageId) =>
          broker.publish('notification.created', notification(), { messageId }),
        ),
      );
      await app.close();
      await eventually(() => ended.includes('disconnect'));
      const delivered = ended.slice(0, ended.indexOf('disconnect'));
      // Delivered or in the queue again, once RabbitMQ has taken in the acknowledgements.
      let queued = 0;
      await eventually(async () => {
        ({ messages: queued } = await broker.count('realtime.api-gateway@test'));
        return delivered.length + queued === ids.length;
      }).catch(() => undefined);
      expect(new Set(delivered).size).toBe(delivered.length);
      expect(delivered.length + queued).toBe(ids.length);
      await broker.close();
    }, 30_000);

    it('keeps deployments of one app apart, on one RabbitMQ and one Redis', async () => {
      const redis = await startRedis();
      const sockets: Socket[] = [];
      const env = { RABBITMQ_URL: rabbit.url, REDIS_URL: redis.url };
      const start = async (given: NodeJS.ProcessEnv): Promise<string[]> => {
        const before = lines.filter((line) => line.startsWith('Consuming')).length;
        const app = await create({ ...env, ...given });
        await setupRealtime(app);
        await app.listen(0, '127.0.0.1');
        const isReady = () => lines.filter((line) => line.startsWith('Consuming')).length > before;
        await eventually(isReady, 15_000);
        const socket = await client(app, 't1', 'ann');
        sockets.push(socket);
        const ids: string[] = [];
        socket.on('notification.created', (_payload, { id }) => ids.push(id));
        return ids;
      };
      const deployments = [
        await start({ REALTIME_NAME: 'shop' }),
        await start({ REALTIME_NAME: 'shop-staging' }),
        await start({ NODE_ENV: 'staging' }),
      ];
      const other = await start({ REALTIME_NAME: 'other', REALTIME_EXCHANGE: 'other.events' });
      const broker = await openBroker(rabbit.url);
      const ids = Array.from({ length: 40 }, (_, n) => `d${n}`);
      for (const messageId of ids) {
        await broker.publish('notification.created', notification(), { messageId });
      }
      const content = Buffer.from(JSON.stringify(notification()));
      broker.channel.publish('other.events', 'notification.created', content, { messageId: 'o' });
      await eventually(() =>
        [...deployments, other].every((seen) => seen.includes('d39') || seen.includes('o')),
      );
      // Each has all of its exchange once, and none has what is another's.
      for (const seen of deployments) expect(seen).toEqual(ids);
      expect(other).toEqual(['o']);
      for (const name of ['shop', 'shop-staging', 'api-gateway@staging', 'other']) {
        expect(await broker.count(`realtime.${name}`)).toEqual({ messages: 0, consumers: 1 });
      }
      sockets.forEach((socket) => socket.close());
      await broker.close();
      await redis.stop();
    }, 60_000);
  });
});
