import { Redis } from 'ioredis';
import { rmSync } from 'node:fs';
import { resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import {
  type OwnBroker,
  type OwnRabbit,
  startOwnRabbit,
  startOwnRedis,
} from './support/brokers.js';
import { compileKernel, Load, ReplicaProcess } from './support/replicas.js';
import { JWT_SECRET, ORIGIN } from './support/stack.js';
import { eventually, openBroker } from './broker/broker-app.js';

const TENANTS = ['t1', 't2', 't3'];
const COUNT = Number(process.env['KERNEL_REPLICAS'] ?? 2);
/** Of load before and after each fault. */
const LOAD_MS = Number(process.env['KERNEL_LOAD_MS'] ?? 400);
const DEAD = 'realtime.api-gateway@test.dead';

/**
 * Replicas are processes of their own. Under load each fault is made, and then every client that
 * stayed connected has got every event of its tenant that was published, once and in order.
 */
describe.each(['shared', 'replica'] as const)('topology %s, when a part fails', (topology) => {
  let rabbit: OwnRabbit;
  let redis: OwnBroker;
  let load: Load;
  let main: string;
  const replicas: ReplicaProcess[] = [];

  beforeAll(async () => {
    main = compileKernel();
    [rabbit, redis] = await Promise.all([startOwnRabbit(), startOwnRedis({ durable: true })]);
    for (let i = 0; i < COUNT; i += 1) {
      const replica = new ReplicaProcess(`r${i}`, main, {
        NODE_ENV: 'test',
        NO_COLOR: '1',
        JWT_SECRET,
        FRONTEND_URL: ORIGIN,
        RABBITMQ_URL: rabbit.url,
        REDIS_URL: redis.url,
        REALTIME_TOPOLOGY: topology,
        REALTIME_REPLICA: `r${i}`,
      });
      replicas.push(replica);
      await replica.start();
      await replica.untilHealthy();
    }
    load = new Load(rabbit.url, TENANTS);
  }, 120_000);

  afterAll(async () => {
    await load?.close();
    await Promise.all(replicas.splice(0).map((replica) => replica.stop()));
    await Promise.all([rabbit?.stop(), redis?.stop()]);
    if (main) rmSync(resolve(main, '../../../../..'), { recursive: true, force: true });
  });

  /** Nothing waits for these replicas, and nothing is a dead letter. */
  async function untilConsumed(of: readonly ReplicaProcess[]): Promise<void> {
    const broker = await openBroker(rabbit.url);
    const names = topology === 'shared' ? [''] : of.map(({ name }) => `.${name}`);
    for (const name of names) {
      const queue = `realtime.api-gateway@test${name}`;
      await eventually(async () => (await broker.count(queue)).messages === 0, 30_000);
    }
    expect(await broker.count(DEAD)).toMatchObject({ messages: 0 });
    await broker.close();
  }

  /** The longest time that a client waited for its next event, in ms. */
  async function underLoad(
    fault: () => Promise<unknown>,
    { survivors = replicas }: { survivors?: readonly ReplicaProcess[] } = {},
  ): Promise<{ events: number; silence: number }> {
    await Promise.all(replicas.map((replica) => replica.untilHealthy()));
    // A replica that was away gives what its queue holds to whoever is there.
    await untilConsumed(replicas);
    const clients = await Promise.all(
      survivors.flatMap((replica) => TENANTS.map((tenant) => replica.connect(tenant))),
    );
    const before = new Map([...load.published].map(([tenant, ids]) => [tenant, ids.length]));
    load.start();
    try {
      await delay(LOAD_MS);
      await fault();
      await delay(LOAD_MS);
    } finally {
      await load.stop();
    }
    const expected = (tenant: string): string[] =>
      (load.published.get(tenant) ?? []).slice(before.get(tenant) ?? 0);
    await eventually(
      () => clients.every(({ tenantId, ids }) => ids.length >= expected(tenantId).length),
      60_000,
    ).catch(() => undefined);
    await delay(300);
    for (const { tenantId, ids, disconnects } of clients) {
      expect(ids).toEqual(expected(tenantId));
      expect(disconnects).toBe(0);
      expect(ids.length).toBeGreaterThan(0);
    }
    const silence = Math.max(
      ...clients.flatMap(({ received }) =>
        received.map(({ at }, i) => at - (received[i - 1]?.at ?? at)),
      ),
    );
    await untilConsumed(survivors);
    clients.forEach(({ socket }) => socket.disconnect());
    survivors.forEach((replica) => replica.clients.splice(0));
    const events = TENANTS.reduce((sum, tenant) => sum + expected(tenant).length, 0);
    console.log(
      `${topology} x${COUNT}, ${expect.getState().currentTestName?.split('> ').at(-1)}: ` +
        `${events} events, each once and in order at ${clients.length} clients, longest silence ${silence.toFixed(0)} ms`,
    );
    return { events, silence };
  }

  it('delivers each event once to each client, in order', async () => {
    await underLoad(() => delay(500));
  }, 60_000);

  it('loses nothing while RabbitMQ is killed and restarted', async () => {
    // RabbitMQ 3.10 writes its list of quorum queues to disk with a delay.
    await delay(2_000);
    await underLoad(() => rabbit.restart());
  }, 120_000);

  it('loses nothing when all connections to RabbitMQ are closed', async () => {
    await underLoad(() => rabbit.ctl('close_all_connections', 'maintenance'));
  }, 60_000);

  it('loses nothing when a channel fails', async () => {
    await underLoad(async () => replicas.forEach((replica) => replica.breakChannel()));
  }, 60_000);

  it('loses nothing while RabbitMQ blocks its connections', async () => {
    await underLoad(async () => {
      await rabbit.ctl('set_vm_memory_high_watermark', '0.000001');
      await delay(500);
      await rabbit.ctl('set_vm_memory_high_watermark', '0.4');
    });
  }, 60_000);

  it('loses nothing while Redis is killed and restarted', async () => {
    await underLoad(async () => {
      await redis.kill();
      // So long that the one consumer of a shared queue has given back what it had in hand.
      await delay(topology === 'shared' ? 6_500 : 1_000);
      await redis.restart();
    });
  }, 60_000);

  it('loses nothing when a replica is cut off from Redis while the others are not', async () => {
    const admin = new Redis(redis.url);
    admin.on('error', () => undefined);
    await underLoad(async () => {
      for (let i = 0; i < 3; i += 1) {
        const [reader = ''] = await eventually(async () => {
          const blocked = String(await admin.client('LIST')).match(/^id=\d+(?=.* cmd=xread )/gm);
          return blocked ?? undefined;
        });
        await admin.client('KILL', 'ID', reader.slice(3));
        await delay(100);
      }
    });
    admin.disconnect();
  }, 60_000);

  it('loses nothing when a replica is killed', async () => {
    const [first, ...survivors] = replicas;
    await underLoad(async () => first?.end('SIGKILL'), { survivors });
    await first?.start();
  }, 60_000);

  it('loses nothing when a replica is stopped', async () => {
    const [first, ...survivors] = [...replicas].reverse();
    let code: number | null | undefined;
    await underLoad(async () => (code = await first?.end('SIGTERM')), { survivors });
    expect(code).toBe(0);
    await first?.start();
  }, 60_000);
});
