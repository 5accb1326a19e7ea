import { RequestContextService } from '../../src/events/request-context';
import { RmqBroker } from '../../src/broker/rmq.broker';
import { type OwnRabbit, startOwnRabbit } from '../support/brokers.js';
import {
  calls,
  eventually,
  flaky,
  notification,
  openBroker,
  startBrokerApp,
} from '../broker/broker-app.js';
import { CliHost } from './cli-host.js';

const NAME = 'api-gateway@test';
const QUEUE = `realtime.${NAME}`;
const DEAD = `${QUEUE}.dead`;

describe('nx-realtime dead-letters', () => {
  let host: CliHost;
  let rabbit: OwnRabbit;
  let broker: Awaited<ReturnType<typeof openBroker>>;
  let consumer: Awaited<ReturnType<typeof startBrokerApp>>;
  let env: NodeJS.ProcessEnv;

  beforeAll(async () => {
    rabbit = await startOwnRabbit();
    broker = await openBroker(rabbit.url);
    env = { RABBITMQ_URL: rabbit.url, NODE_ENV: 'test' };
  }, 60_000);

  beforeEach(async () => {
    host = new CliHost();
    consumer = await startBrokerApp(new RmqBroker(rabbit.url, NAME, new RequestContextService()));
    await eventually(() => consumer.lines.some((line) => line.startsWith('Consuming from')));
    await broker.channel.purgeQueue(DEAD);
    calls.length = 0;
    flaky.failures = 0;
  });

  afterEach(async () => {
    await consumer.app.close();
    host.remove();
  });

  afterAll(async () => {
    await broker?.close();
    await rabbit?.stop();
  });

  const run = (...args: string[]) => host.run(['dead-letters', ...args], { env });
  const ready = async (): Promise<number> => (await broker.count(DEAD)).messages;
  const dead = (count: number) => eventually(async () => (await ready()) === count);

  /** Dead-letters events that lack a field, as an app with an older contract would. */
  async function bury(...ids: string[]): Promise<void> {
    const before = await ready();
    for (const id of ids) {
      const event = notification({ id, message: undefined });
      await broker.publish('notification.created', event, {
        messageId: id,
        headers: { traceparent: 'x' },
      });
    }
    await dead(before + ids.length);
  }

  /** What an app with the right contract would take: the same ids, complete. */
  async function buryGood(...ids: string[]): Promise<void> {
    const before = await ready();
    for (const id of ids) {
      const content = Buffer.from(JSON.stringify(notification({ id })));
      await broker.channel.publish('', DEAD, content, {
        persistent: true,
        messageId: id,
        timestamp: 1_790_000_000,
        headers: {
          traceparent: 'x',
          'x-realtime-reason': 'PAYLOAD: from a test',
          'x-realtime-routing-key': 'notification.created',
        },
      });
    }
    await broker.channel.waitForConfirms();
    await dead(before + ids.length);
  }

  const idsIn = (lines: readonly string[]): string[] =>
    lines.map((line) => (JSON.parse(line) as { id: string }).id);

  it('lists what is there with id, event and reason, and changes nothing', async () => {
    await bury('a', 'b');
    await broker.publish('audit.hack', { pattern: 'x', data: 1 }, {}).catch(() => undefined);
    await broker.publish('notification.created', Buffer.from('not JSON'), {});
    flaky.failures = 100;
    const flakyEvent = { pattern: 'test.flaky', data: 1 };
    const timestamp = 1_790_000_000;
    await broker.publish('test.flaky', flakyEvent, { messageId: 'f', timestamp });
    await dead(4);
    const { code, out, notes } = await run('list', '--json');
    expect(code).toBe(0);
    expect(out.map((line) => JSON.parse(line))).toMatchObject([
      { id: 'a', pattern: 'notification.created', reason: expect.stringContaining('PAYLOAD') },
      { id: 'b', pattern: 'notification.created' },
      {
        pattern: 'notification.created',
        reason: expect.stringContaining('JSON'),
        body: 'not JSON',
      },
      { id: 'f', pattern: 'test.flaky' },
    ]);
    const { since } = JSON.parse(out[3] ?? '') as { since: string };
    expect(Date.now() - Date.parse(since)).toBeLessThan(60_000);
    expect(notes).toEqual([`4 of 4 in ${DEAD}.`]);
    const people = await run();
    expect(people.out[0]).toMatch(/^ *\S+ {2}a {2}notification\.created {2}PAYLOAD: /);
    expect((await run('--pattern=test.flaky')).out).toHaveLength(1);
    expect(await ready()).toBe(4);
    expect(idsIn((await run('--json', '--limit=2')).out)).toEqual(['a', 'b']);
  }, 60_000);

  it('can be listed more often than RabbitMQ gives a message back', async () => {
    await buryGood('a', 'b', 'c');
    for (let look = 0; look < 30; look += 1) {
      const { out } = await run('--json');
      expect(idsIn(out).sort()).toEqual(['a', 'b', 'c']);
    }
    let highest = 0;
    for (let taken = 0; taken < 3; taken += 1) {
      const message = await broker.channel.get(DEAD, { noAck: false });
      if (message)
        highest = Math.max(highest, Number(message.properties.headers?.['x-delivery-count'] ?? 0));
    }
    broker.channel.nackAll(true);
    expect(highest).toBeGreaterThan(0);
    // RabbitMQ 4 drops a message that has been given back twenty times.
    expect(highest).toBeLessThan(20);
  }, 60_000);

  it('replays what is asked for: delivered once, with its id and its own headers', async () => {
    await buryGood('a', 'b', 'c');
    const { queue } = await broker.channel.assertQueue('', { durable: true });
    await broker.channel.bindQueue(queue, 'realtime.events', 'notification.created');
    expect(await run('replay', '--id=b')).toMatchObject({
      code: 0,
      notes: [`1 replayed, 0 not, of 3 in ${DEAD}.`],
    });
    await eventually(() => consumer.sent.length === 1);
    expect(consumer.sent).toMatchObject([
      { payload: { id: 'b' }, meta: { id: 'b', at: '2026-09-21T14:13:20.000Z' } },
    ]);
    const [message] = await broker.drain(queue);
    expect(message?.properties.headers).toEqual({ traceparent: 'x' });
    expect(message?.properties).toMatchObject({ deliveryMode: 2, messageId: 'b' });
    expect(idsIn((await run('--json')).out)).toEqual(['a', 'c']);
    expect(await run('replay', '--pattern=notification.created')).toMatchObject({ code: 0 });
    await eventually(() => consumer.sent.length === 3);
    await dead(0);
    await broker.channel.deleteQueue(queue);
  });

  it('lets the retries of a replayed event begin anew', async () => {
    flaky.failures = 100;
    await broker.publish('test.flaky', { pattern: 'test.flaky', data: 1 }, { messageId: 'f' });
    await dead(1);
    const attempts = calls.length;
    // Fails as often as it did, then once more than it may in all.
    flaky.failures = attempts + 2;
    expect(await run('replay', '--all')).toMatchObject({ code: 0 });
    await eventually(() => calls.length === attempts + 3);
    expect(await ready()).toBe(0);
  }, 60_000);

  it('leaves alone what fails again, and ends', async () => {
    await bury('a', 'b');
    expect(await run('replay', '--all')).toMatchObject({
      code: 0,
      notes: [`2 replayed, 0 not, of 2 in ${DEAD}.`],
    });
    await dead(2);
  });

  it('keeps what no app takes, says so, and replays the rest', async () => {
    await buryGood('a');
    const content = Buffer.from('{}');
    const headers = { 'x-realtime-routing-key': 'nobody.listens' };
    broker.channel.publish('', DEAD, content, { persistent: true, messageId: 'n', headers });
    broker.channel.publish('', DEAD, content, { persistent: true });
    await dead(3);
    const { code, notes } = await run('replay', '--all');
    expect(code).toBe(1);
    expect(notes).toEqual([
      expect.stringMatching(/^not replayed: n nobody\.listens: RT036 .*no queue/),
      expect.stringMatching(/^not replayed: \(no id\)/),
      `1 replayed, 2 not, of 3 in ${DEAD}.`,
    ]);
    await eventually(() => consumer.sent.length === 1);
    expect(await ready()).toBe(2);
  });

  it('replays an event that several replicas could not handle once', async () => {
    const event = notification({ id: 'same' });
    const headers = { 'x-realtime-routing-key': 'notification.created' };
    const content = Buffer.from(JSON.stringify(event));
    for (const messageId of ['one', 'one', 'one', 'other']) {
      broker.channel.publish('', DEAD, content, { persistent: true, messageId, headers });
    }
    await dead(4);
    const { queue } = await broker.channel.assertQueue('', { durable: true });
    await broker.channel.bindQueue(queue, 'realtime.events', 'notification.created');
    await run('replay', '--all');
    const replayed = (await broker.drain(queue)).map(({ properties }) => properties.messageId);
    await broker.channel.deleteQueue(queue);
    expect(replayed).toEqual(['one', 'other']);
    expect(await ready()).toBe(0);
  });

  it('loses nothing when it is killed in the middle, or the broker is', async () => {
    const ids = Array.from({ length: 300 }, (_, n) => `k${n}`);
    await buryGood(...ids);
    const ended = run('replay', '--all').catch((error: unknown) => error);
    await eventually(() => consumer.sent.length > 20);
    await rabbit.restart();
    expect(String(await ended)).toMatch(/RT036 /);
    broker = await openBroker(rabbit.url);
    const left = await eventually(async () => {
      await run('replay', '--all').catch(() => undefined);
      return (await ready().catch(() => -1)) === 0;
    }, 60_000);
    expect(left).toBe(true);
    const arrived = () => consumer.sent.map(({ payload }) => payload.id);
    await eventually(() => ids.every((id) => arrived().includes(id)), 30_000);
    expect(arrived()).toHaveLength(ids.length);
  }, 120_000);

  it('discards what is asked for, when someone is sure', async () => {
    await buryGood('a', 'b');
    await expect(run('discard', '--id=a')).rejects.toThrow(/^RT039 .*--yes/);
    const asked = await host.run(['dead-letters', 'discard', '--id=a'], { env, answer: false });
    expect(asked.code).toBe(1);
    expect(await ready()).toBe(2);
    expect(await run('discard', '--id=a', '--yes')).toMatchObject({
      code: 0,
      notes: [`1 discarded of 2 in ${DEAD}.`],
    });
    expect(idsIn((await run('--json')).out)).toEqual(['b']);
    await host.run(['dead-letters', 'discard', '--all'], { env, answer: true });
    expect(await ready()).toBe(0);
    expect(consumer.sent).toEqual([]);
  });

  it.each([
    ['RT038', 'list, replay or discard', ['drop']],
    ['RT038', 'list, replay or discard', ['replay', 'a']],
    ['RT038', '--id, --pattern or --all', ['replay']],
    ['RT038', '--id, --pattern or --all', ['discard', '--yes']],
    ['RT038', '--limit', ['--limit=many']],
  ])('refuses with %s, naming %s: %j', async (code, named, args) => {
    const failure = run(...args);
    await expect(failure).rejects.toThrow(new RegExp(`^${code} `));
    await expect(failure).rejects.toThrow(named);
  });

  it('says what is missing: the broker, its queue, or RabbitMQ altogether', async () => {
    host.addApp('other');
    host.addDomain('other', { name: 'Job' });
    await expect(host.run(['dead-letters', '--app=other'])).rejects.toThrow(/^RT032 RABBITMQ_URL/);
    await expect(
      host.run(['dead-letters', '--app=other'], { env: { REALTIME_TRANSPORT: 'tcp' } }),
    ).rejects.toThrow(/^RT032 .*embedded transport/);
    await expect(
      host.run(['dead-letters', '--app=other'], { env: { RABBITMQ_URL: 'amqp://127.0.0.1:1' } }),
    ).rejects.toThrow(/^RT036 /);
    await expect(run('--app=other')).rejects.toThrow(/^RT036 .*realtime\.other@test\.dead/);
    const remote = { RABBITMQ_URL: 'amqp://u:secret@rabbit.example' };
    await expect(
      host.run(['dead-letters', 'replay', '--all', '--app=api-gateway'], { env: remote }),
    ).rejects.toThrow(/^RT039 Replay dead letters on rabbit\.example\?/);
  });
});
