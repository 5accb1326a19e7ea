import { randomUUID } from 'node:crypto';
import { RequestContextService } from '../../src/events/request-context';
import { RmqBroker } from '../../src/broker/rmq.broker';
import { listen } from '../../src/observability/diagnostics';
import { type Broker, startRabbit } from '../support/brokers.js';
import {
  calls,
  eventually,
  flaky,
  notification,
  openBroker,
  startBrokerApp,
  TENANT_ROOM,
  USER_ROOM,
} from './broker-app.js';

describe('RmqBroker', () => {
  const name = `test-${randomUUID()}`;
  const queue = `realtime.${name}`;
  const dead = `${queue}.dead`;
  let rabbit: Broker;
  let broker: Awaited<ReturnType<typeof openBroker>>;
  let consumer: Awaited<ReturnType<typeof startBrokerApp>>;

  beforeAll(async () => {
    rabbit = await startRabbit();
    broker = await openBroker(rabbit.url);
    consumer = await startBrokerApp(new RmqBroker(rabbit.url, name, new RequestContextService()));
    await eventually(() => consumer.lines.some((line) => line.startsWith('Consuming from')));
  }, 60_000);

  afterAll(async () => {
    await consumer?.app.close();
    // Nothing was left unsettled: it would be back in the queue now.
    const { messages } = await broker.count(queue);
    await broker.channel.deleteQueue(queue);
    await broker.channel.deleteQueue(dead);
    await broker.close();
    await rabbit.stop();
    expect(messages).toBe(0);
  });

  beforeEach(() => {
    consumer.sent.length = 0;
    calls.length = 0;
    flaky.failures = 0;
  });

  /** A good event that must be the next one handled. */
  async function expectNextIsProcessed(): Promise<void> {
    const id = randomUUID();
    await broker.publish('notification.created', notification({ id }));
    await eventually(() => consumer.sent.some(({ payload }) => payload.id === id));
  }

  it('sends an event to its tenant, with the id and time of the message', async () => {
    const messageId = randomUUID();
    const event = notification();
    await broker.publish('notification.created', event, { messageId, timestamp: 1_790_000_000 });
    await eventually(() => consumer.sent.length === 1);
    expect(consumer.sent).toEqual([
      {
        room: TENANT_ROOM,
        event: 'notification.created',
        payload: event.data.notification,
        meta: { id: messageId, at: '2026-09-21T14:13:20.000Z' },
      },
    ]);
  });

  it('sends an event with a user to that user alone', async () => {
    await broker.publish('notification.created', notification({ userId: 'u7' }));
    await expectNextIsProcessed();
    expect(consumer.sent.map(({ room }) => room)).toEqual([USER_ROOM, TENANT_ROOM]);
  });

  it.each([
    ['no id or time', {}],
    ['a time in milliseconds', { timestamp: 1_790_000_000_000 }],
    ['a time beyond every date', { timestamp: Number.MAX_SAFE_INTEGER }],
    ['an empty id', { messageId: '' }],
  ])('makes up what a message lacks: %s', async (_what, properties) => {
    await broker.publish('notification.created', notification(), properties);
    const [sent] = await eventually(() => consumer.sent.length === 1 && consumer.sent);
    expect(sent?.meta.id).toMatch(/^[\da-f-]{36}$/);
    expect(Math.abs(Date.parse(sent?.meta.at ?? '') - Date.now())).toBeLessThan(5_000);
  });

  it('takes null for absent where a field is optional', async () => {
    await broker.publish('notification.created', notification({ userId: null }));
    await expectNextIsProcessed();
    expect(consumer.sent.map(({ room }) => room)).toEqual([TENANT_ROOM, TENANT_ROOM]);
    expect(consumer.sent[0]?.payload).not.toHaveProperty('userId');
  });

  const nested = (depth: number, open: string, close: string): unknown =>
    JSON.parse(`${open.repeat(depth)}null${close.repeat(depth)}`);
  const valid = notification();
  const tooLarge = notification({ message: 'x'.repeat(300_000) });
  const malformed: [string, unknown, string, object?][] = [
    ['text', Buffer.from('hello'), 'JSON'],
    ['nothing', Buffer.alloc(0), 'JSON'],
    ['invalid UTF-8', Buffer.from([0xff, 0xfe, 0x00]), 'JSON'],
    ['null', null, 'ENVELOPE'],
    ['a number', 42, 'ENVELOPE'],
    ['a string', 'notification.created', 'ENVELOPE'],
    ['an array', [valid], 'ENVELOPE'],
    ['no pattern', { data: valid.data }, 'ENVELOPE'],
    ['an object as pattern', { pattern: { cmd: 'x' }, data: valid.data }, 'ENVELOPE'],
    ['no data', { pattern: valid.pattern }, 'ENVELOPE'],
    ['another pattern than the routing key', { ...valid, pattern: 'test.flaky' }, 'ROUTING_KEY'],
    ['__proto__ as pattern', { ...valid, pattern: '__proto__' }, 'ROUTING_KEY'],
    ['a request', { ...valid, id: 'rpc-1' }, 'RPC'],
    ['a request by properties', valid, 'RPC', { replyTo: 'somewhere' }],
    ['more than 256 KiB', tooLarge, 'TOO_LARGE'],
    ['no tenant', { ...valid, data: { notification: valid.data.notification } }, 'TENANT'],
    ['an empty tenant', notification({}, ''), 'TENANT'],
    ['a list as tenant', notification({}, ['t1']), 'TENANT'],
    ['a tenant with a line break', notification({}, 't1\n'), 'TENANT'],
    ['a tenant of 257 characters', notification({}, 'x'.repeat(257)), 'TENANT'],
    ['data that is null', { ...valid, data: null }, 'TENANT'],
    ['no payload', { ...valid, data: { tenantId: 't1' } }, 'PAYLOAD'],
    ['a field of another type', notification({ message: 1 }), 'PAYLOAD'],
    ['a message that is null', notification({ message: null }), 'PAYLOAD'],
    ['lists within lists', notification({ message: nested(2_500, '[', ']') }), 'SHAPE'],
    ['objects within objects', notification({ message: nested(33, '{"a":', '}') }), 'SHAPE'],
    ['an empty user', notification({ userId: '' }), 'RECIPIENT'],
  ];
  it.each(malformed)('dead-letters %s and goes on', async (_what, body, code, properties) => {
    const headers = { CC: ['realtime.other'], trace: 't' };
    const messageId = randomUUID();
    await broker.publish('notification.created', body, { messageId, headers, ...properties });
    await expectNextIsProcessed();
    const [letter, ...more] = await eventually(async () => {
      const letters = await broker.drain(dead);
      return letters.length > 0 && letters;
    });
    expect(more).toEqual([]);
    expect(consumer.sent).toHaveLength(1);
    expect(letter?.properties.messageId).toBe(messageId);
    expect(letter?.properties.replyTo).toBeUndefined();
    expect(letter?.properties.headers).not.toHaveProperty('CC');
    expect(letter?.properties.headers).toMatchObject({
      trace: 't',
      'x-realtime-reason': expect.stringMatching(new RegExp(`^${code}: `)),
      'x-realtime-routing-key': 'notification.created',
      'x-realtime-dead-since': expect.stringMatching(/^\d{4}-.*Z$/),
    });
    expect(letter?.content).toEqual(
      Buffer.isBuffer(body) ? body : Buffer.from(JSON.stringify(body)),
    );
  });

  it('dead-letters a pattern without a consumer', async () => {
    await broker.channel.bindQueue(queue, 'realtime.events', 'audit.hack');
    await broker.publish('audit.hack', { ...valid, pattern: 'audit.hack' });
    await expectNextIsProcessed();
    const [letter] = await broker.drain(dead);
    expect(letter?.properties.headers?.['x-realtime-reason']).toMatch(/^UNKNOWN_PATTERN/);
  });

  it('sends a duplicate once', async () => {
    const messageId = randomUUID();
    const event = notification();
    for (let copy = 0; copy < 5; copy += 1) {
      await broker.publish('notification.created', event, { messageId });
    }
    await expectNextIsProcessed();
    expect(consumer.sent).toHaveLength(2);
    expect((await broker.count(dead)).messages).toBe(0);
  });

  it('tries again what fails for a while', async () => {
    flaky.failures = 2;
    await broker.publish('test.flaky', { pattern: 'test.flaky', data: {} }, { messageId: 'f1' });
    await eventually(() => calls.length === 3);
    expect(calls.map(({ redelivered }) => redelivered)).toEqual([false, true, true]);
    await expectNextIsProcessed();
    expect((await broker.count(dead)).messages).toBe(0);
  });

  it('dead-letters what fails for ever, after a bounded number of attempts', async () => {
    flaky.failures = Infinity;
    await broker.publish('test.flaky', { pattern: 'test.flaky', data: {} }, { messageId: 'f2' });
    const [letter] = await eventually(async () => {
      const letters = await broker.drain(dead);
      return letters.length > 0 && letters;
    }, 12_000);
    expect(calls).toHaveLength(6);
    expect(letter?.properties.headers?.['x-realtime-reason']).toBe(
      'INTERNAL: Internal server error',
    );
    expect(consumer.lines.join('\n')).not.toContain('Not settled');
    await expectNextIsProcessed();
  });

  it('settles once what a guard, a pipe or a stream refuses', async () => {
    await broker.publish('test.piped', { pattern: 'test.piped', data: {} });
    await broker.publish('test.stream', { pattern: 'test.stream', data: 'error' });
    await broker.publish('test.stream', { pattern: 'test.stream', data: 'values' });
    await broker.publish('test.stream', { pattern: 'test.stream', data: 'nothing' });
    await broker.publish('test.guarded', { pattern: 'test.guarded', data: {} });
    const letters: Awaited<ReturnType<typeof broker.drain>> = [];
    await eventually(async () => letters.push(...(await broker.drain(dead))) === 3, 12_000);
    expect(calls.map(({ name }) => name)).toEqual([
      'stream error',
      'stream values',
      'stream nothing',
    ]);
    const reasons = letters.map(
      ({ properties: { headers } }) => headers?.['x-realtime-reason'] as unknown,
    );
    expect(reasons).toEqual([
      'PIPE: refused by a pipe',
      'STREAM: refused by a stream',
      'INTERNAL: Forbidden resource',
    ]);
    await expectNextIsProcessed();
  });

  it('keeps the last dead letters, of a queue that was there too, and says what it throws away', async () => {
    for (let n = 0; n < 12; n += 1) {
      await broker.publish('notification.created', Buffer.from('no JSON'), { messageId: `n${n}` });
    }
    await eventually(async () => (await broker.count(dead)).messages === 12);
    const reported: object[] = [];
    const ends = [
      listen('dead-letters.kept', (fields) => reported.push(fields)),
      listen('dead-letters.dropped', (fields) => reported.push(fields)),
    ];
    // It stands by, and looks after the queue at once.
    const bounded = await startBrokerApp(
      new RmqBroker(rabbit.url, name, new RequestContextService(), { maxDeadLetters: 5 }),
    );
    await eventually(() => reported.length === 2);
    ends.forEach((end) => end());
    expect(reported).toEqual([{ letters: 7 }, { letters: 5 }]);
    expect(bounded.lines.filter((line) => line.startsWith(dead))).toEqual([
      `${dead} is full: the 7 oldest dead letters were thrown away`,
      `${dead} holds 12 dead letters; above 5 the oldest are thrown away`,
    ]);
    await bounded.app.close();
    const ids = (await broker.drain(dead)).map(({ properties }) => String(properties.messageId));
    expect(ids).toEqual(['n7', 'n8', 'n9', 'n10', 'n11']);
  });

  it('says which queue of a former name is left behind, as long as it is there', async () => {
    const [former, now] = [`test-${randomUUID()}`, `test-${randomUUID()}`];
    const first = await startBrokerApp(
      new RmqBroker(rabbit.url, former, new RequestContextService()),
    );
    await eventually(() => first.lines.some((line) => line.startsWith('Consuming from')));
    await first.app.close();
    await broker.publish('notification.created', notification());
    const renamed = async () => {
      const formerNames = [former, 'never-was', now];
      const strategy = new RmqBroker(rabbit.url, now, new RequestContextService(), { formerNames });
      const second = await startBrokerApp(strategy);
      await eventually(() => second.lines.some((line) => line.startsWith('Consuming from')));
      return { second, strategy };
    };
    const { second, strategy } = await renamed();
    await eventually(() => strategy.health().detail.includes('left behind'));
    expect(strategy.health()).toEqual({
      ok: true,
      detail: `consuming from realtime.${now}, realtime.${former} is left behind`,
    });
    expect(second.lines.filter((line) => line.includes('left behind'))).toEqual([
      `realtime.${former} is left behind, and its events are kept there: 1 events, 0 consumers. Once no old replica needs it: rabbitmqctl delete_queue realtime.${former}`,
    ]);
    await second.app.close();
    await broker.channel.deleteQueue(`realtime.${former}`);
    const later = await renamed();
    // Asked of the server behind the look for what is left.
    await later.second.app.close();
    expect(later.second.lines.filter((line) => line.includes('left behind'))).toEqual([]);
    for (const one of [former, now]) {
      for (const end of ['', '.dead', '.waiting', '.waiting.all']) {
        await broker.channel.deleteQueue(`realtime.${one}${end}`);
      }
    }
  });

  it('binds no handler of the host, and runs none on its events', async () => {
    const hosted = await openBroker(rabbit.url);
    let returned = 0;
    hosted.channel.on('return', () => (returned += 1));
    for (const key of ['host.any', 'host.kafka']) {
      await hosted.publish(key, { pattern: key, data: {} }, { mandatory: true });
    }
    await hosted.close();
    await expectNextIsProcessed();
    expect(returned).toBe(2);
    expect(calls).toEqual([]);
  });

  it('lets events in hand end at shutdown, and takes no further one', async () => {
    const other = `test-${randomUUID()}`;
    const second = await startBrokerApp(
      new RmqBroker(rabbit.url, other, new RequestContextService()),
    );
    await eventually(() => second.lines.some((line) => line.startsWith('Consuming from')));
    await broker.channel.unbindQueue(queue, 'realtime.events', 'test.slow');
    await broker.publish('test.slow', { pattern: 'test.slow', data: {} });
    await eventually(() => calls.some((call) => call.name === 'slow begins'));
    const closed = second.app.close();
    await eventually(async () => (await broker.count(`realtime.${other}`)).consumers === 0);
    await broker.publish('test.slow', { pattern: 'test.slow', data: {} });
    await closed;
    expect(calls.map((call) => call.name)).toEqual(['slow begins', 'slow ends']);
    await eventually(async () => (await broker.count(`realtime.${other}`)).messages === 1);
    await broker.channel.deleteQueue(`realtime.${other}`);
    await broker.channel.deleteQueue(`realtime.${other}.dead`);
  });
});
