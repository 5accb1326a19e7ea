import { randomUUID } from 'node:crypto';
import { io, type Socket } from 'socket.io-client';
import {
  type OwnBroker,
  type OwnRabbit,
  startOwnRabbit,
  startOwnRedis,
} from '../support/brokers.js';
import { buildReplica, type Replica, startReplica } from '../support/replica.js';
import { ORIGIN, sign, wait } from '../support/stack.js';
import { eventually, notification, openBroker } from './broker-app.js';

const QUEUE = 'realtime.api-gateway@test';

/** Replicas as processes, told to end while events are on their way. */
describe('a process that is told to end', () => {
  let bundle: Awaited<ReturnType<typeof buildReplica>>;
  let rabbit: OwnRabbit;
  let redis: OwnBroker;
  let broker: Awaited<ReturnType<typeof openBroker>>;
  const replicas: Replica[] = [];
  const clients: Socket[] = [];

  beforeAll(async () => {
    [bundle, rabbit, redis] = await Promise.all([
      buildReplica(),
      startOwnRabbit(),
      startOwnRedis(),
    ]);
    broker = await openBroker(rabbit.url);
  }, 90_000);

  afterEach(async () => {
    clients.splice(0).forEach((client) => client.disconnect());
    await Promise.all(replicas.splice(0).map((replica) => replica.stop()));
    await broker.channel.deleteQueue(QUEUE);
  });

  afterAll(async () => {
    await broker?.close();
    await Promise.all([rabbit?.stop(), redis?.stop()]);
    bundle?.remove();
  });

  async function start(env: Record<string, string> = {}): Promise<Replica> {
    const replica = await startReplica(bundle.file, {
      REALTIME_TRANSPORT: 'rmq',
      RABBITMQ_URL: rabbit.url,
      REDIS_URL: redis.url,
      ...env,
    });
    replicas.push(replica);
    await eventually(async () => (await fetch(`${replica.url}/health/ready`)).ok, 20_000);
    return replica;
  }

  /** Reconnects as Socket.IO's client does by itself; `hosts` answers where to. */
  async function connect(url: string, sub: string) {
    const received: string[] = [];
    const told: number[] = [];
    const client = io(`${url}/notifications`, {
      transports: ['websocket'],
      forceNew: true,
      auth: { token: sign({ sub }) },
      extraHeaders: { origin: ORIGIN },
    });
    clients.push(client);
    for (const event of ['notification.created', 'test.slow']) {
      client.on(event, (_payload: unknown, { id }: { id: string }) => received.push(id));
    }
    client.on('realtime.draining', ({ reconnectInMs }: { reconnectInMs: number }) =>
      told.push(reconnectInMs),
    );
    await eventually(() => client.connected, 15_000);
    return { client, received, told };
  }

  const slow = (id: string, ms: number) => ({
    pattern: 'test.slow',
    data: { tenantId: 't1', probe: { id, ms } },
  });

  it('finishes what is in hand, leaves the rest in the queue, and exits 0', async () => {
    const replica = await start();
    const { client, received, told } = await connect(replica.url, 'u1');
    const ended: string[] = [];
    client.on('disconnect', (reason) => ended.push(reason));
    await broker.publish('test.slow', slow('in-hand', 1_500), { messageId: 'in-hand' });
    await replica.printed('begins in-hand');
    const started = Date.now();
    replica.kill('SIGTERM');
    // A second one, as process managers send, changes nothing.
    replica.kill('SIGTERM');
    await eventually(async () => (await fetch(`${replica.url}/health/ready`)).status === 503);
    await eventually(async () => (await broker.count(QUEUE)).consumers === 0);
    await broker.publish('notification.created', notification(), { messageId: 'unstarted' });
    expect(await replica.exited).toBe(0);
    expect(Date.now() - started).toBeLessThan(15_000);
    expect(received).toEqual(['in-hand']);
    expect(told).toHaveLength(1);
    expect(ended[0]).toBe('transport close');
    await eventually(async () => (await broker.count(QUEUE)).messages === 1);
    // Another process on the same address: the client is back without being told to.
    const port = new URL(replica.url).port;
    await start({ PORT: port });
    await eventually(() => received.length === 2 || client.connected, 15_000);
    await eventually(() => client.connected, 15_000);
    await broker.publish('notification.created', notification(), { messageId: 'later' });
    await eventually(() => received.includes('later'));
  }, 90_000);

  it('ends at once where nothing is in hand, on SIGINT too', async () => {
    const replica = await start();
    await connect(replica.url, 'u1');
    const started = Date.now();
    replica.kill('SIGINT');
    expect(await replica.exited).toBe(0);
    expect(Date.now() - started).toBeLessThan(4_000);
  }, 60_000);

  it('exits 1 when something holds it longer than it may take', async () => {
    const replica = await start({ REALTIME_SHUTDOWN_MS: '2000', TEST_HANG: 'true' });
    replica.kill('SIGTERM');
    expect(await replica.exited).toBe(1);
    expect(replica.output()).toContain('Not ended within REALTIME_SHUTDOWN_MS');
  }, 60_000);

  it('loses no event in a rolling restart of two under load', async () => {
    const ports: string[] = [];
    while (ports.length < 2) ports.push(new URL((await start()).url).port);
    const watchers = await Promise.all(
      ports.flatMap((port) =>
        ['a', 'b'].map((name) => connect(`http://127.0.0.1:${port}`, `${name}-${port}`)),
      ),
    );
    /** By watcher: the times between which it was not connected. */
    const gaps = watchers.map(({ client }) => {
      const times: { from: number; to: number }[] = [];
      client.on('disconnect', () => times.push({ from: Date.now(), to: Infinity }));
      client.on('connect', () => {
        const last = times.at(-1);
        if (last) last.to = Date.now();
      });
      return times;
    });
    const published: { id: string; at: number }[] = [];
    let going = true;
    const load = (async () => {
      while (going) {
        const id = randomUUID();
        await broker.publish('notification.created', notification(), { messageId: id });
        published.push({ id, at: Date.now() });
        await wait(5);
      }
    })();
    const codes: (number | string)[] = [];
    for (const [index, port] of ports.entries()) {
      await wait(500);
      const old = replicas[index]!;
      old.kill('SIGTERM');
      codes.push(await old.exited);
      await start({ PORT: port });
      await eventually(() => watchers.every(({ client }) => client.connected), 20_000);
    }
    await wait(500);
    going = false;
    await load;
    await broker.publish('notification.created', notification(), { messageId: 'barrier' });
    await eventually(() => watchers.every(({ received }) => received.includes('barrier')), 20_000);
    const counts = watchers.map(({ received }, index) => {
      // Events of around a gap may have been sent into it: that is for the client to ask for.
      const inGap = (at: number): boolean =>
        gaps[index]!.some(({ from, to }) => at > from - 500 && at < to + 500);
      const missed = published.filter(({ id }) => !received.includes(id));
      return {
        missedInGap: missed.filter(({ at }) => inGap(at)).length,
        lost: missed.filter(({ at }) => !inGap(at)).length,
        doubled: received.length - new Set(received).size,
      };
    });
    const delivered = new Set(watchers.flatMap(({ received }) => received));
    const nowhere = published.filter(({ id }) => !delivered.has(id));
    expect(codes).toEqual([0, 0]);
    expect(counts.map(({ lost, doubled }) => [lost, doubled])).toEqual(watchers.map(() => [0, 0]));
    // Someone was connected all the time: there is no event that nobody got.
    expect(nowhere).toEqual([]);
    const { messageCount } = await broker.channel.checkQueue(`${QUEUE}.dead`);
    expect(messageCount).toBe(0);
  }, 180_000);
});
