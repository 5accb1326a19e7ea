import { randomUUID } from 'node:crypto';
import { RequestContextService } from '../../src/events/request-context';
import { RmqBroker } from '../../src/broker/rmq.broker';
import type { RealtimePublisher } from '../../src/publisher/realtime-publisher';
import { type OwnRabbit, startOwnRabbit } from '../support/brokers.js';
import {
  calls,
  eventually,
  openBroker,
  startBrokerApp,
  TENANT_ROOM,
  USER_ROOM,
} from '../broker/broker-app.js';
import { created, startPublisher } from './publisher-app.js';

describe('RealtimePublisher on RabbitMQ', () => {
  let rabbit: OwnRabbit;
  let broker: Awaited<ReturnType<typeof openBroker>>;
  let consumer: Awaited<ReturnType<typeof startBrokerApp>>;
  const started: Awaited<ReturnType<typeof startPublisher>>[] = [];

  beforeAll(async () => {
    rabbit = await startOwnRabbit();
    broker = await openBroker(rabbit.url);
    consumer = await startBrokerApp(new RmqBroker(rabbit.url, 'api', new RequestContextService()));
    await eventually(() => consumer.lines.some((line) => line.startsWith('Consuming from')));
  }, 60_000);

  afterEach(async () => {
    await Promise.all(started.splice(0).map(({ app }) => app.close()));
    consumer.sent.length = 0;
    calls.length = 0;
  });

  afterAll(async () => {
    await consumer?.app.close();
    await broker?.close();
    await rabbit?.stop();
  });

  async function start(env: NodeJS.ProcessEnv = {}): Promise<RealtimePublisher> {
    const one = await startPublisher({ RABBITMQ_URL: rabbit.url, ...env });
    started.push(one);
    return one.publisher;
  }

  /** A queue of the test's own that is bound to an event. */
  async function tap(event: string) {
    const { channel } = broker;
    const { queue } = await channel.assertQueue(`tap-${randomUUID()}`, { durable: true });
    await channel.bindQueue(queue, 'realtime.events', event);
    return { queue, messages: () => broker.drain(queue), drop: () => channel.deleteQueue(queue) };
  }

  it('delivers to the clients that the event is for, with the id and the time given', async () => {
    const publisher = await start();
    const id = await publisher.publish('notification.created', created('a'));
    expect(id).toMatch(/^[\da-f-]{36}$/);
    await publisher.publish('notification.created', {
      ...created('b', { userId: 'u7' }),
      id: 'outbox-1',
      at: new Date('2030-01-02T03:04:05.600Z'),
    });
    await eventually(() => consumer.sent.length === 2);
    expect(consumer.sent).toMatchObject([
      { room: TENANT_ROOM, payload: { id: 'a' }, meta: { id } },
      { room: USER_ROOM, meta: { id: 'outbox-1', at: '2030-01-02T03:04:05.000Z' } },
    ]);
  });

  it('writes what docs/publishing.md says: bytes and properties', async () => {
    const publisher = await start();
    const spy = await tap('notification.created');
    const headers = { traceparent: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01' };
    const at = new Date(1_790_000_000_999);
    await publisher.publish('notification.created', { ...created('a'), id: 'e1', at, headers });
    const [message] = await spy.messages();
    await spy.drop();
    expect(message?.content.toString()).toBe(
      '{"pattern":"notification.created","data":{"tenantId":"t1","notification":{"id":"a","message":"hi","type":"info"}}}',
    );
    expect(message?.fields).toMatchObject({ routingKey: 'notification.created' });
    expect(message?.properties).toMatchObject({
      messageId: 'e1',
      timestamp: 1_790_000_000,
      deliveryMode: 2,
      contentType: 'application/json',
      headers,
    });
  });

  it('delivers an event that an outbox publishes twice once', async () => {
    const publisher = await start();
    for (const name of ['twice', 'twice', 'barrier']) {
      await publisher.publish('notification.created', { ...created(name), id: `once-${name}` });
    }
    await eventually(() => consumer.sent.some(({ payload }) => payload.id === 'barrier'));
    expect(consumer.sent.map(({ payload }) => payload.id)).toEqual(['twice', 'barrier']);
  });

  it.each([
    ['a missing field', { tenantId: 't1', payload: { id: 'x' } }, 'payload.message'],
    ['a wrong type', { tenantId: 't1', payload: { id: 1, message: 'm', type: 't' } }, 'payload.id'],
    ['no payload', { tenantId: 't1' }, 'payload'],
    ['no tenant', { payload: created('x').payload }, 'tenantId'],
    ['an empty tenant', { ...created('x'), tenantId: '' }, 'tenantId'],
    ['a tenant with a line break', { ...created('x'), tenantId: 't\n1' }, 'tenantId'],
    ['a tenant that is no text', { ...created('x'), tenantId: ['t1'] }, 'tenantId'],
    ['an empty id', { ...created('x'), id: '' }, 'id is not'],
    ['an id that AMQP cannot hold', { ...created('x'), id: 'é'.repeat(128) }, 'id is not'],
    ['a time that is none', { ...created('x'), at: new Date(NaN) }, 'at is not'],
    ['256 KiB', { ...created('x', { message: 'x'.repeat(262_144) }) }, 'bytes'],
  ])('refuses %s, and sends nothing', async (_what, message, text) => {
    const publisher = await start();
    const refused = publisher.publish('notification.created', message as never);
    await expect(refused).rejects.toMatchObject({
      name: 'RealtimePublishError',
      code: 'INVALID',
      event: 'notification.created',
      message: expect.stringContaining(text),
    });
    await publisher.publish('notification.created', created('barrier'));
    await eventually(() => consumer.sent.length > 0);
    expect(consumer.sent.map(({ payload }) => payload.id)).toEqual(['barrier']);
  });

  it.each(['audit.hack', 'constructor', '__proto__', 'notification.markRead'])(
    'refuses %s, which no contract has',
    async (event) => {
      const publisher = await start();
      await expect(publisher.publish(event as never, created('x') as never)).rejects.toMatchObject({
        code: 'INVALID',
      });
    },
  );

  it('sends no field that the contract does not have', async () => {
    const publisher = await start();
    const spy = await tap('notification.created');
    await publisher.publish('notification.created', created('a', { password: 'x' }) as never);
    const [message] = await spy.messages();
    await spy.drop();
    expect(message?.content.toString()).not.toContain('password');
  });

  it('rejects an event that no queue takes, and that one alone', async () => {
    const publisher = await start();
    const chat = {
      tenantId: 't1',
      payload: { id: 'c1', body: 'hi', userId: 'u7' },
      id: 'same',
    };
    const [one, other, barrier] = await Promise.allSettled([
      publisher.publish('message.created', chat),
      publisher.publish('message.created', chat),
      publisher.publish('notification.created', { ...created('routed'), id: 'same' }),
    ]);
    for (const result of [one, other]) {
      expect(result).toMatchObject({
        status: 'rejected',
        reason: { code: 'UNROUTABLE', id: 'same' },
      });
    }
    expect(barrier).toMatchObject({ status: 'fulfilled', value: 'same' });
    const spy = await tap('message.created');
    await publisher.publish('message.created', chat);
    expect(await spy.messages()).toHaveLength(1);
    await spy.drop();
  });

  it('finishes what is unconfirmed when its app closes, and takes nothing more', async () => {
    const publisher = await start();
    const [{ app }] = started.splice(0) as [(typeof started)[0]];
    const spy = await tap('notification.created');
    const sent = Promise.allSettled(
      Array.from({ length: 200 }, (_, n) =>
        publisher.publish('notification.created', created(String(n))),
      ),
    );
    await app.close();
    const late = publisher.publish('notification.created', created('late'));
    await expect(late).rejects.toMatchObject({ code: 'CLOSED' });
    expect((await sent).filter(({ status }) => status === 'rejected')).toEqual([]);
    expect(await spy.messages()).toHaveLength(200);
    await spy.drop();
  });

  it('opens its channel again when RabbitMQ has closed it', async () => {
    const publisher = await start();
    await publisher.publish('notification.created', created('before'));
    const spy = await tap('chat.gone');
    await spy.drop();
    await broker.channel.deleteExchange('realtime.events');
    await expect(
      publisher.publish('notification.created', created('without an exchange')),
    ).rejects.toMatchObject({ code: 'UNCONFIRMED' });
    // Back are the exchange, by the publisher, and the binding, by hand.
    await eventually(async () => {
      const again = publisher.publish('notification.created', created('unbound'));
      return again.catch((error: { code: string }) => error.code === 'UNROUTABLE');
    });
    await broker.channel.bindQueue('realtime.api', 'realtime.events', 'notification.created');
    await publisher.publish('notification.created', created('after'));
    await eventually(() => consumer.sent.some(({ payload }) => payload.id === 'after'));
  });

  it('rejects what RabbitMQ does not confirm in time while it is out of memory', async () => {
    const publisher = await start({ REALTIME_MAX_PUBLISH_MS: '1500' });
    await publisher.publish('notification.created', created('before'));
    await rabbit.ctl('set_vm_memory_high_watermark', '0.0000001');
    const event = { ...created('blocked'), id: 'blocked-1' };
    try {
      await expect(publisher.publish('notification.created', event)).rejects.toMatchObject({
        code: 'UNCONFIRMED',
        id: 'blocked-1',
      });
      // RabbitMQ has said so by now: what is not sent comes to nobody, and does not pile up.
      const never = { ...created('never'), id: 'blocked-2' };
      await expect(publisher.publish('notification.created', never)).rejects.toMatchObject({
        code: 'BLOCKED',
        id: 'blocked-2',
      });
    } finally {
      await rabbit.ctl('set_vm_memory_high_watermark', '0.4');
    }
    // It may have come after all: published again with its id, it is delivered once.
    await eventually(() => publisher.publish('notification.created', event).catch(() => false));
    await publisher.publish('notification.created', created('barrier'));
    await eventually(() => consumer.sent.some(({ payload }) => payload.id === 'barrier'));
    expect(consumer.sent.filter(({ payload }) => payload.id === 'blocked')).toHaveLength(1);
    expect(consumer.sent.filter(({ payload }) => payload.id === 'never')).toEqual([]);
  }, 60_000);

  describe('without a broker', () => {
    it('boots, rejects in time, holds no more than it may, and sends in order when it is back', async () => {
      await rabbit.kill();
      const [patient, hasty] = [
        await start({ REALTIME_MAX_UNCONFIRMED: '3', REALTIME_MAX_PUBLISH_MS: '50000' }),
        await start({ REALTIME_MAX_PUBLISH_MS: '300' }),
      ];
      await expect(hasty.publish('notification.created', created('hasty'))).rejects.toMatchObject({
        code: 'DISCONNECTED',
      });
      const waiting = ['1', '2', '3'].map((id) =>
        patient.publish('notification.created', created(id)),
      );
      await expect(patient.publish('notification.created', created('4'))).rejects.toMatchObject({
        code: 'BUSY',
      });
      await rabbit.restart();
      await Promise.all(waiting);
      await eventually(() => consumer.sent.length === 3, 30_000);
      expect(consumer.sent.map(({ payload }) => payload.id)).toEqual(['1', '2', '3']);
      broker = await openBroker(rabbit.url);
    }, 90_000);

    it('settles every event when the broker is killed under load, and loses none that it confirmed', async () => {
      const publisher = await start({ REALTIME_MAX_PUBLISH_MS: '2000' });
      await publisher.publish('notification.created', created('before'));
      const results: Promise<{ id: string; code: string }>[] = [];
      for (let n = 0; n < 600; n += 1) {
        const id = `load-${n}`;
        results.push(
          publisher.publish('notification.created', { ...created(id), id }).then(
            () => ({ id, code: 'OK' }),
            (error: { code: string }) => ({ id, code: error.code }),
          ),
        );
        if (n === 300) void rabbit.kill();
        if (n % 20 === 0) await new Promise((resolve) => setTimeout(resolve, 2));
      }
      const settled = await Promise.all(results);
      await rabbit.restart();
      broker = await openBroker(rabbit.url);
      const confirmed = settled.filter(({ code }) => code === 'OK');
      expect(confirmed.length).toBeGreaterThan(0);
      expect(confirmed.length).toBeLessThan(settled.length);
      expect(['OK', 'UNCONFIRMED', 'DISCONNECTED']).toEqual(
        expect.arrayContaining([...new Set(settled.map(({ code }) => code))]),
      );
      const arrived = () => new Set(consumer.sent.map(({ payload }) => payload.id));
      await eventually(() => confirmed.every(({ id }) => arrived().has(id)), 60_000);
      // Again with its id, as the error says: then each has arrived, once.
      for (const { id } of settled.filter(({ code }) => code !== 'OK')) {
        await publisher.publish('notification.created', { ...created(id), id });
      }
      await eventually(() => settled.every(({ id }) => arrived().has(id)), 60_000);
      const all = consumer.sent.map(({ payload }) => payload.id);
      expect(all.length).toBe(new Set(all).size);
    }, 180_000);

    it('closes while it is still connecting', async () => {
      const { app } = await startPublisher({ RABBITMQ_URL: 'amqp://127.0.0.1:1' });
      await app.close();
    });
  });
});
