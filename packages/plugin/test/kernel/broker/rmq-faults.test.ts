import { randomUUID } from 'node:crypto';
import { RequestContextService } from '@kernel/core/request-context';
import { RmqBroker } from '@kernel/core/rmq.broker';
import type { ConfirmChannel, Message } from 'amqplib';
import { type OwnRabbit, startOwnRabbit } from '../../support/brokers.js';
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

  async function start(): Promise<void> {
    strategy = new RmqBroker(rabbit.url, app, new RequestContextService());
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
    const unsettled = await rabbit.ctl(
      'list_queues',
      'name',
      'messages',
      'messages_unacknowledged',
    );
    expect(unsettled).toMatch(new RegExp(`${queue}\\s0\\s0\\n`));
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
    await broker.channel.deleteQueue(queue);
    await eventually(() => !strategy.health().ok);
    await consumed(2);
    expect(strategy.health().ok).toBe(true);
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

  it('reports a queue with other arguments once, and does not go on', async () => {
    const broker = await openBroker(rabbit.url);
    await broker.channel.assertQueue(queue, { durable: true });
    await start();
    await eventually(() => consumer?.fatal.length);
    await new Promise((resolve) => setTimeout(resolve, 3_000));
    expect(consumer?.fatal).toHaveLength(1);
    expect(consumer?.fatal[0]?.message).toContain(`RabbitMQ holds ${queue} with other arguments`);
    expect((await broker.count(queue)).consumers).toBe(0);
    await broker.close();
  }, 30_000);
});
