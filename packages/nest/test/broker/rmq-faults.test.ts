import { randomUUID } from 'node:crypto';
import { RequestContextService } from '../../src/events/request-context';
import type { Replicas } from '../../src/replicas/replicas';
import { RmqBroker } from '../../src/broker/rmq.broker';
import type { ConfirmChannel, Message } from 'amqplib';
import { type OwnRabbit, startOwnRabbit } from '../support/brokers.js';
import { eventually, notification, openBroker, startBrokerApp } from './broker-app.js';

/** These tests break a broker: it is one of their own. */
describe('RmqBroker, when RabbitMQ fails', () => {
  let rabbit: OwnRabbit;
  let app: string;
  let queue: string;
  let consumer: Awaited<ReturnType<typeof startBrokerApp>> | undefined;
  let strategy: RmqBroker;

  beforeAll(async () => {
    rabbit = await startOwnRabbit();
  }, 60_000);

  afterAll(() => rabbit?.stop());

  beforeEach(() => {
    app = `test-${randomUUID()}`;
    queue = `realtime.${app}`;
  });

  afterEach(async () => {
    await consumer?.app.close();
    consumer = undefined;
    // A publisher's confirm waits for every queue that is bound.
    const broker = await openBroker(rabbit.url);
    await broker.channel.deleteQueue(queue);
    await broker.channel.deleteQueue(`${queue}.dead`);
    await broker.close();
  });

  /** What the broker asks of, and tells, the link to other replicas. */
  const others = {
    isAlone: false,
    resyncs: 0,
    ready: () => Promise.resolve(),
    lost: () => undefined as void,
    resync: () => void (others.resyncs += 1),
    onLost: (listener: () => void) => void (others.lost = listener),
  };

  async function start(replica?: string): Promise<void> {
    others.resyncs = 0;
    others.ready = () => Promise.resolve();
    strategy = new RmqBroker(rabbit.url, app, new RequestContextService(), {
      replica,
      replicas: others as unknown as Replicas,
    });
    consumer = await startBrokerApp(strategy);
  }

  const consumed = (times: number) =>
    eventually(
      () => consumer?.lines.filter((l) => l.startsWith('Consuming from')).length === times,
      15_000,
    );

  /** Publishes with a connection of its own and waits for the broadcast. */
  async function expectDelivery(): Promise<void> {
    const broker = await openBroker(rabbit.url);
    const id = randomUUID();
    await broker.publish('notification.created', notification({ id }), { persistent: true });
    await eventually(() => consumer?.sent.some(({ payload }) => payload.id === id));
    expect((await broker.count(queue)).consumers).toBe(1);
    await broker.close();
    const columns = ['name', 'messages', 'messages_unacknowledged'];
    const isSettled = new RegExp(`${queue}\\s0\\s0\\n`);
    await eventually(
      async () => isSettled.test(await rabbit.ctl('list_queues', ...columns)),
      15_000,
    );
  }

  it('boots while the broker is down, and consumes once it is up', async () => {
    await rabbit.kill();
    await start();
    await eventually(() => consumer?.lines.some((l) => l.includes('RabbitMQ is unreachable')));
    expect(strategy.health().ok).toBe(false);
    await rabbit.restart();
    await consumed(1);
    expect(strategy.health()).toEqual({ ok: true, detail: `consuming from ${queue}` });
    await expectDelivery();
    expect(consumer?.lines.filter((l) => l.includes('unreachable'))).toHaveLength(1);
    expect(consumer?.lines.join('\n')).not.toContain('guest');
  }, 60_000);

  it('stops while the broker is down', async () => {
    await rabbit.kill();
    await start();
    await consumer?.app.close();
    consumer = undefined;
    expect(strategy.health()).toEqual({ ok: false, detail: 'stopping' });
    await rabbit.restart();
    expect(await rabbit.ctl('list_connections', 'pid')).toBe('');
  }, 60_000);

  it('consumes again after the broker was killed and restarted', async () => {
    await start();
    await consumed(1);
    await expectDelivery();
    // RabbitMQ 3.10 writes its list of quorum queues to disk with a delay.
    await new Promise((resolve) => setTimeout(resolve, 2_000));
    await rabbit.restart();
    await consumed(2);
    await expectDelivery();
    expect(consumer?.lines.some((l) => l.startsWith('Connection lost'))).toBe(true);
  }, 60_000);

  it('consumes again after its connection was closed by the broker', async () => {
    await start();
    await consumed(1);
    await rabbit.ctl('close_all_connections', 'maintenance');
    await consumed(2);
    await expectDelivery();
  }, 30_000);

  it('consumes again after its queue was deleted', async () => {
    await start();
    await consumed(1);
    const broker = await openBroker(rabbit.url);
    expect(others.resyncs).toBe(0);
    await broker.channel.deleteQueue(queue);
    await eventually(() => !strategy.health().ok);
    await consumed(2);
    expect(strategy.health().ok).toBe(true);
    // Events passed by: clients are told to come back.
    expect(others.resyncs).toBe(1);
    await broker.close();
    await expectDelivery();
  }, 30_000);

  it('consumes again after its channel failed', async () => {
    await start();
    await consumed(1);
    const channel = Reflect.get(strategy, 'channel') as ConfirmChannel;
    channel.ack({ fields: { deliveryTag: 999 } } as Message);
    await consumed(2);
    await expectDelivery();
    expect(consumer?.lines.some((l) => l.startsWith('Channel failed'))).toBe(true);
  }, 30_000);

  it.each([
    ['of another kind', {}],
    ['with any number of consumers', { 'x-queue-type': 'quorum' }],
  ])(
    'reports a queue %s once, and does not go on',
    async (_what, args) => {
      const broker = await openBroker(rabbit.url);
      await broker.channel.assertQueue(queue, { durable: true, arguments: args });
      await start();
      await eventually(() => consumer?.fatal.length);
      await new Promise((resolve) => setTimeout(resolve, 3_000));
      expect(consumer?.fatal).toHaveLength(1);
      expect(consumer?.fatal[0]?.message).toContain(`RabbitMQ holds ${queue} with other arguments`);
      expect((await broker.count(queue)).consumers).toBe(0);
      expect(strategy.health().ok).toBe(false);
      await broker.close();
    },
    30_000,
  );

  it.each([
    ['a double that is no 64-bit integer', { far: { '!': 'double', value: -1e19 } }],
    ['headers that leave no room for ours', { big: 'x'.repeat(65_200) }],
  ])('goes on behind a dead letter that it cannot write: %s', async (_what, headers) => {
    await start();
    await consumed(1);
    const broker = await openBroker(rabbit.url);
    // More than the prefetch: unsettled, they would stop the consumer for good.
    for (let n = 0; n < 120; n += 1) {
      await broker.publish('notification.created', Buffer.from('no JSON'), { headers });
    }
    const dead = async () => (await broker.count(`${queue}.dead`)).messages === 120;
    await eventually(dead, 20_000);
    expect(strategy.health().ok).toBe(true);
    await broker.close();
    await expectDelivery();
  });

  it('drains its queue while RabbitMQ is short of memory, and says so', async () => {
    await start();
    await consumed(1);
    await consumer?.app.close();
    const broker = await openBroker(rabbit.url);
    const good = Array.from({ length: 150 }, () => notification({ id: randomUUID() }));
    for (const event of good) {
      await broker.publish('notification.created', event);
      await broker.publish('notification.created', Buffer.from('no JSON'));
    }
    await rabbit.ctl('set_vm_memory_high_watermark', '0.00001');
    try {
      await start();
      await eventually(() => consumer?.sent.length === 150, 30_000);
      await eventually(async () => (await broker.count(`${queue}.dead`)).messages === 150, 30_000);
      expect(strategy.health()).toMatchObject({
        ok: true,
        detail: expect.stringMatching(/^consuming from .*, RabbitMQ takes no messages: /) as string,
      });
      expect(consumer?.lines.filter((line) => line.startsWith('RabbitMQ takes no'))).toHaveLength(
        1,
      );
    } finally {
      await rabbit.ctl('set_vm_memory_high_watermark', '0.4');
    }
    await eventually(() => consumer?.lines.includes('RabbitMQ takes messages again'));
    expect(strategy.health().detail).not.toContain('takes no messages');
    await broker.close();
    await expectDelivery();
  }, 120_000);

  it('gives back what it has in hand when Redis is lost, and waits until it is there', async () => {
    await start();
    await consumed(1);
    let linked = (): void => undefined;
    others.ready = () => new Promise<void>((resolve) => (linked = resolve));
    others.lost();
    const broker = await openBroker(rabbit.url);
    await eventually(async () => (await broker.count(queue)).consumers === 0);
    const id = randomUUID();
    await broker.publish('notification.created', notification({ id }), { persistent: true });
    await new Promise((resolve) => setTimeout(resolve, 3_000));
    expect(await broker.count(queue)).toEqual({ messages: 1, consumers: 0 });
    expect(strategy.health().ok).toBe(false);
    linked();
    await eventually(() => consumer?.sent.some(({ payload }) => payload.id === id));
    expect(strategy.health().ok).toBe(true);
    await broker.close();
  }, 30_000);

  it('lets clients come back that were there before the queue of their replica', async () => {
    await start('r1');
    await consumed(1);
    expect(others.resyncs).toBe(1);
    await rabbit.ctl('close_all_connections', 'maintenance');
    await consumed(2);
    expect(others.resyncs).toBe(1);
    await consumer?.app.close();
    consumer = undefined;
    const broker = await openBroker(rabbit.url);
    await broker.channel.deleteQueue(`${queue}.r1`);
    await broker.close();
  }, 30_000);

  describe('with a second replica', () => {
    let second: Awaited<ReturnType<typeof startBrokerApp>> | undefined;
    let standby: RmqBroker;

    /** The second replica; `replica` names the queue that it has to itself. */
    async function startSecond(replica?: string): Promise<void> {
      standby = new RmqBroker(rabbit.url, app, new RequestContextService(), { replica });
      second = await startBrokerApp(standby);
    }

    afterEach(async () => {
      await second?.app.close();
      second = undefined;
    });

    async function publish(...ids: string[]): Promise<void> {
      const broker = await openBroker(rabbit.url);
      for (const id of ids) {
        const properties = { messageId: id, persistent: true };
        await broker.publish('notification.created', notification({ id }), properties);
      }
      await broker.close();
    }
    const sentBy = (replica: typeof second): string[] =>
      replica?.sent.map(({ payload }) => payload.id) ?? [];

    it('has one consumer of a shared queue; the other stands by and takes over', async () => {
      await start();
      await consumed(1);
      await startSecond();
      await eventually(() => standby.health().ok);
      const ids = Array.from({ length: 200 }, (_none, i) => `before-${i}`);
      await publish(...ids);
      await eventually(() => sentBy(consumer).length === ids.length);
      expect(sentBy(consumer)).toEqual(ids);
      expect(sentBy(second)).toEqual([]);
      await consumer?.app.close();
      consumer = undefined;
      await publish('after');
      await eventually(() => sentBy(second).length > 0);
      expect(sentBy(second)).toEqual(['after']);
    }, 30_000);

    it('gives a replica all events by a queue of its own, which expires', async () => {
      strategy = new RmqBroker(rabbit.url, app, new RequestContextService(), { replica: 'r1' });
      consumer = await startBrokerApp(strategy);
      await startSecond('r2');
      await eventually(() => strategy.health().ok && standby.health().ok);
      const queues = await rabbit.ctl('list_queues', 'name', 'arguments');
      for (const name of ['r1', 'r2']) {
        const [line = ''] = queues.split('\n').filter((l) => l.startsWith(`${queue}.${name}\t`));
        expect(line).toContain('{"x-expires",1800000}');
        expect(line).toContain('{"x-queue-type","quorum"}');
      }
      const ids = Array.from({ length: 50 }, (_none, i) => `event-${i}`);
      await publish(...ids);
      const broker = await openBroker(rabbit.url);
      await broker.publish('notification.created', { pattern: 'notification.created', data: {} });
      await eventually(() => [consumer, second].every((r) => sentBy(r).length === ids.length));
      expect(sentBy(consumer)).toEqual(ids);
      expect(sentBy(second)).toEqual(ids);
      await eventually(async () => (await broker.count(`${queue}.dead`)).messages === 2);
      await consumer?.app.close();
      await second?.app.close();
      consumer = second = undefined;
      await broker.channel.deleteQueue(`${queue}.r1`);
      await broker.channel.deleteQueue(`${queue}.r2`);
      await broker.close();
    }, 30_000);

    it('lets no two of one name share the events of a queue', async () => {
      strategy = new RmqBroker(rabbit.url, app, new RequestContextService(), { replica: 'twin' });
      consumer = await startBrokerApp(strategy);
      await eventually(() => strategy.health().ok);
      await startSecond('twin');
      await eventually(() => second?.lines.some((line) => line.includes('REALTIME_REPLICA')));
      await publish('one', 'two');
      await eventually(() => sentBy(consumer).length === 2);
      expect(standby.health().ok).toBe(false);
      expect(sentBy(second)).toEqual([]);
      // After a restart, or a connection that was lost unseen, the name becomes free.
      await consumer?.app.close();
      consumer = undefined;
      await eventually(() => standby.health().ok);
      await publish('three');
      await eventually(() => sentBy(second).length === 1);
      await second?.app.close();
      second = undefined;
      const broker = await openBroker(rabbit.url);
      await broker.channel.deleteQueue(`${queue}.twin`);
      await broker.close();
    }, 30_000);
  });
});
