import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { RequestContextService } from '../../src/events/request-context';
import { TcpBroker } from '../../src/broker/tcp.broker';
import { loadPublisherConfig } from '../../src/publisher/publisher.config';
import { REALTIME_EVENTS } from '@orders/realtime-events';
import { freePorts } from '../support/brokers.js';
import { eventually, startBrokerApp } from '../broker/broker-app.js';
import { created, startPublisher } from './publisher-app.js';

/** All variables of the ports, each with this value. */
const API = 'REALTIME_TCP_PORT_API_GATEWAY';
const tcp = (port: number | string, others: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv => ({
  REALTIME_TRANSPORT: 'tcp',
  [API]: String(port),
  ...others,
});

describe('RealtimePublisher on the embedded transport', () => {
  const ends: (() => unknown)[] = [];

  afterEach(async () => {
    for (const end of ends.splice(0).reverse()) await end();
  });

  async function publisherTo(port: number, others: NodeJS.ProcessEnv = {}) {
    const { app, publisher } = await startPublisher(tcp(port, others));
    ends.push(() => app.close());
    return publisher;
  }

  async function serve(handle: (socket: Socket) => void): Promise<number> {
    const server: Server = createServer(handle).listen(0, '127.0.0.1');
    await once(server, 'listening');
    ends.push(() => server.close());
    return (server.address() as AddressInfo).port;
  }

  it('delivers through the app that the event is for, in order, any text', async () => {
    const [port] = await freePorts();
    const consumer = await startBrokerApp(new TcpBroker(port, new RequestContextService()));
    ends.push(() => consumer.app.close());
    await eventually(() => consumer.lines.some((line) => line.startsWith('Consuming on')));
    const publisher = await publisherTo(port);
    const ids = Array.from({ length: 50 }, (_, n) => `${n} 👋 #{}é\u2028`);
    await Promise.all(ids.map((id) => publisher.publish('notification.created', created(id))));
    expect(consumer.sent.map(({ payload }) => payload.id)).toEqual(ids);
  });

  it('sends an event when the one before has been read, so that none overtakes it', async () => {
    const received: string[] = [];
    let wait = 200;
    const port = await serve((socket) => {
      setTimeout(() => {
        socket.once('data', (data) => received.push(/"id":"(\w+)"/.exec(`${data}`)?.[1] ?? ''));
      }, wait);
      wait = 0;
    });
    const publisher = await publisherTo(port);
    const ids = ['slow', 'next', 'last'];
    await Promise.all(ids.map((id) => publisher.publish('notification.created', created(id))));
    expect(received).toEqual(ids);
  });

  it('delivers the largest event that it lets pass', async () => {
    const [port] = await freePorts();
    const consumer = await startBrokerApp(new TcpBroker(port, new RequestContextService()));
    ends.push(() => consumer.app.close());
    await eventually(() => consumer.lines.some((line) => line.startsWith('Consuming on')));
    const publisher = await publisherTo(port);
    let size = 262_144;
    await eventually(async () => {
      size -= 1;
      const event = created('large', { message: 'x'.repeat(size) });
      return publisher.publish('notification.created', event).catch(() => false);
    });
    expect(consumer.sent).toHaveLength(1);
    expect(size).toBeGreaterThan(261_900);
  });

  it('rejects at once when nothing listens, and delivers when something does', async () => {
    const [port] = await freePorts();
    const publisher = await publisherTo(port);
    await expect(publisher.publish('notification.created', created('a'))).rejects.toMatchObject({
      code: 'DISCONNECTED',
      message: expect.stringContaining(API),
    });
    const received: string[] = [];
    const server = createServer((socket) => socket.on('data', (data) => received.push(`${data}`)));
    ends.push(() => server.close());
    await once(server.listen(port, '127.0.0.1'), 'listening');
    await publisher.publish('notification.created', created('b'));
    expect(received.join('')).toMatch(/^\d+#\{"pattern":"notification.created"/);
  });

  it('rejects when the app dies with the event, and when it does not read it in time', async () => {
    const dying = await publisherTo(
      await serve((socket) => socket.once('data', () => socket.resetAndDestroy())),
    );
    await expect(dying.publish('notification.created', created('a'))).rejects.toMatchObject({
      code: 'UNCONFIRMED',
    });
    const asleep = await publisherTo(await serve((socket) => socket.pause()), {
      REALTIME_MAX_PUBLISH_MS: '200',
    });
    await expect(asleep.publish('notification.created', created('a'))).rejects.toMatchObject({
      code: 'UNCONFIRMED',
    });
  });
});

describe('the configuration of a publisher', () => {
  it.each([
    ['nothing', {}, ['RABBITMQ_URL is missing']],
    ['no URL', { RABBITMQ_URL: 'http://x' }, ['RABBITMQ_URL is not allowed']],
    [
      'no transport',
      { REALTIME_TRANSPORT: 'kafka', RABBITMQ_URL: 'amqp://h' },
      ['allowed: rmq, tcp'],
    ],
    ['no port', { REALTIME_TRANSPORT: 'tcp' }, [`${API} is missing`]],
    ['an empty port', tcp(' '), [`${API} is missing`]],
    ['a wrong port', tcp('70000'), [`${API} is not allowed`]],
    ['tcp in production', tcp(4333, { NODE_ENV: 'production' }), ['allowed in production: rmq']],
    [
      'several',
      { RABBITMQ_URL: 'x', REALTIME_MAX_PUBLISH_MS: '1', REALTIME_MAX_UNCONFIRMED: 'many' },
      ['RABBITMQ_URL is', 'REALTIME_MAX_PUBLISH_MS is', 'REALTIME_MAX_UNCONFIRMED is'],
    ],
  ])('refuses %s, a line for each variable', (_what, env, lines) => {
    let message = '';
    try {
      loadPublisherConfig(env, [API]);
    } catch (error) {
      message = (error as Error).message;
    }
    const [title, ...problems] = message.split('\n  ');
    expect(title).toBe('The realtime publisher is not configured:');
    expect(problems.pop()).toContain('npx nx-realtime env');
    expect(problems).toEqual(lines.map((line) => expect.stringContaining(line)));
  });

  it('never repeats a URL, which may hold a password', () => {
    expect(() => loadPublisherConfig({ RABBITMQ_URL: 'ftp://u:secret@h' }, [API])).toThrow(
      expect.not.stringContaining('secret'),
    );
  });

  it('stops the boot', async () => {
    const { RealtimePublisherModule } =
      await import('../../src/publisher/realtime-publisher.module');
    const { NestFactory } = await import('@nestjs/core');
    await expect(
      NestFactory.createApplicationContext(
        RealtimePublisherModule.forRoot({
          events: REALTIME_EVENTS,
          env: { NODE_ENV: 'development' },
        }),
        { logger: false, abortOnError: false },
      ),
    ).rejects.toThrow('RABBITMQ_URL is missing');
  });
});
