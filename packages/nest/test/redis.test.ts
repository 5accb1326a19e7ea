import { Broadcaster } from '../src/events/broadcaster';
import { listen } from '../src/observability/diagnostics';
import { ReplicaStream } from '../src/replicas/redis';
import { Replicas } from '../src/replicas/replicas';
import { Redis } from 'ioredis';
import { randomUUID } from 'node:crypto';
import type { Socket } from 'socket.io-client';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startOwnRedis } from './support/brokers.js';
import { connected, once, sign, Stack, wait } from './support/stack.js';

const PEOPLE = [
  ['t1', 'u1'],
  ['t1', 'u2'],
  ['t2', 'u1'],
] as const;

const meta = { id: 'e1', at: '2026-01-01T00:00:00.000Z' };

describe('replicas on one Redis', () => {
  let redis: Awaited<ReturnType<typeof startOwnRedis>>;
  let received: string[] = [];
  const stacks: Stack[] = [];
  const rejections: unknown[] = [];
  const remember = (error: unknown): void => void rejections.push(error);

  const start = async (name: string, app: string): Promise<void> => {
    const stack = await Stack.start({ env: { REDIS_URL: redis.url }, app });
    stacks.push(stack);
    for (const [tenantId, sub] of PEOPLE) {
      const client: Socket = await stack.connect('/notifications', sign({ tenantId, sub }));
      client.onAny((event: string) => received.push(`${name} ${tenantId}/${sub} ${event}`));
    }
  };
  const emit = (stack: Stack | undefined, act: 'tenant' | 'user', event: string): void => {
    const domain = stack?.app
      .get(Broadcaster)
      .namespace<Record<string, (p: null) => void>>('/notifications');
    if (act === 'tenant') domain?.toTenant('t1', event, null, meta);
    else domain?.toUser('t1', 'u1', event, null, meta);
  };
  const until = async (line: string): Promise<void> => {
    for (let i = 0; i < 200 && !received.includes(line); i++) await wait(10);
    await wait(100);
  };

  beforeAll(async () => {
    process.on('unhandledRejection', remember);
    redis = await startOwnRedis({ durable: true });
    await start('a', 'shop');
    await start('b', 'shop');
    await start('other', 'admin');
    await wait(200);
  }, 60_000);
  afterAll(async () => {
    await Promise.all(stacks.map((stack) => stack.close()));
    await redis?.stop();
    process.off('unhandledRejection', remember);
  });
  beforeEach(() => (received = []));

  it('each deliver once, to the right people, and never to another app', async () => {
    emit(stacks[0], 'tenant', 'x');
    await until('b t1/u2 x');
    expect(received.sort()).toEqual(['a t1/u1 x', 'a t1/u2 x', 'b t1/u1 x', 'b t1/u2 x']);
    received = [];
    emit(stacks[1], 'user', 'y');
    await until('a t1/u1 y');
    expect(received.sort()).toEqual(['a t1/u1 y', 'b t1/u1 y']);
  });

  it('tell each other nothing of a token', async () => {
    const { config } = stacks[0]?.app as unknown as {
      config: {
        getIoAdapter(): {
          createIOServer(): {
            of(name: string): { fetchSockets(): Promise<{ handshake: unknown }[]> };
          };
        };
      };
    };
    const sockets = await config
      .getIoAdapter()
      .createIOServer()
      .of('/notifications')
      .fetchSockets();
    expect(sockets).toHaveLength(6);
    expect(JSON.stringify(sockets.map(({ handshake }) => handshake))).not.toContain('eyJ');
  });

  it('leave no connection to Redis behind', async () => {
    const probe = new Redis(redis.url);
    const connections = async (): Promise<number> =>
      String(await probe.client('LIST'))
        .trim()
        .split('\n').length;
    const before = await connections();
    const stack = await Stack.start({ env: { REDIS_URL: redis.url } });
    expect(await connections()).toBeGreaterThan(before);
    await stack.close();
    for (let i = 0; i < 100 && (await connections()) > before; i++) await wait(10);
    expect(await connections()).toBe(before);
    probe.disconnect();
  });

  it('live on without Redis, serve their own clients, and find each other again', async () => {
    const health = () => stacks[0]?.app.get(Replicas).health();
    expect(health()?.ok).toBe(true);
    await redis.kill();
    await wait(300);
    expect(health()).toEqual({ ok: false, detail: 'Redis does not answer' });
    emit(stacks[0], 'tenant', 'alone');
    await until('a t1/u2 alone');
    expect(received.sort()).toEqual(['a t1/u1 alone', 'a t1/u2 alone']);
    await stacks[0]?.connect('/notifications', sign({ sub: 'u3' }));

    await redis.restart();
    for (let i = 0; i < 50 && !received.includes('b t1/u1 back'); i++) {
      emit(stacks[0], 'tenant', 'back');
      await wait(200);
    }
    expect(received).toContain('b t1/u1 back');
    expect(health()?.ok).toBe(true);
    expect(rejections).toEqual([]);
    expect(stacks[0]?.logs.join()).toContain('Redis');
  }, 30_000);

  it('let their clients come back when Redis has lost what they have not read', async () => {
    const app = randomUUID();
    const empty = await startOwnRedis();
    const [a, b] = await Promise.all(
      [1, 2].map(() => Stack.start({ env: { REDIS_URL: empty.url }, app })),
    );
    const clients = await Promise.all(
      [a, b].map((stack) => (stack as Stack).connect('/notifications')),
    );
    const reasons = clients.map(
      (client) => new Promise((resolve) => client.once('disconnect', resolve)),
    );
    let gaps = 0;
    const stop = listen('redis.gap', () => (gaps += 1));
    await empty.restart();
    // A close from the server's side that a client comes back from by itself.
    expect(await Promise.all(reasons)).toEqual(['transport close', 'transport close']);
    expect(gaps).toBe(2);
    await Promise.all(clients.map(connected));
    const got = Promise.all(clients.map((client) => once(client, 'afterwards')));
    emit(a, 'tenant', 'afterwards');
    await got;
    stop();
    await Promise.all([a?.close(), b?.close()]);
    await empty.stop();
  }, 30_000);

  it('can start and stop while Redis is away', async () => {
    await redis.kill();
    const stack = await Stack.start({ env: { REDIS_URL: redis.url } });
    await stack.connect('/notifications');
    emit(stack, 'tenant', 'z');
    await wait(200);
    await stack.close();
    await wait(200);
    expect(rejections).toEqual([]);
    await redis.restart();
  }, 30_000);
});

describe('the stream of the replicas', () => {
  let redis: Awaited<ReturnType<typeof startOwnRedis>>;
  const streams: ReplicaStream[] = [];
  const read: Record<string, unknown[]> = {};
  let missed: string[] = [];
  let lost: string[] = [];

  async function open(id: string, key = 'app:test'): Promise<ReplicaStream> {
    const stream = await ReplicaStream.open(redis.url, key, id, () => Promise.resolve());
    streams.push(stream);
    const messages: unknown[] = (read[id] = []);
    stream.read({
      read: (message) => {
        if (Object.keys(message as object).length > 0) messages.push(message);
      },
      missed: () => missed.push(id),
      lost: () => lost.push(id),
    });
    return stream;
  }
  const until = async (condition: () => boolean): Promise<void> => {
    for (let i = 0; i < 1_500 && !condition(); i++) await wait(10);
    expect(condition()).toBe(true);
  };

  beforeAll(async () => {
    redis = await startOwnRedis({ durable: true });
  }, 60_000);
  beforeEach(() => {
    missed = [];
    lost = [];
  });
  afterEach(() => Promise.all(streams.splice(0).map((stream) => stream.close())));
  afterAll(() => redis?.stop());

  it('is read by all in one order, and what has one key once', async () => {
    const a = await open('a');
    const b = await open('b');
    for (let i = 0; i < 500; i++) {
      void a.append({ a: i }, `event ${i}`);
      // As the next consumer does with what the last one has not acknowledged.
      void b.append({ a: i }, `event ${i}`);
      void b.append({ b: i });
    }
    await b.append({ end: true });
    await until(() => [read['a'], read['b']].every((all) => all?.length === 1_001));
    expect(read['a']).toEqual(read['b']);
    const numbers = (key: string): unknown[] =>
      (read['a'] as Record<string, unknown>[]).map((m) => m[key]).filter((n) => n !== undefined);
    expect(numbers('a')).toEqual(Array.from({ length: 500 }, (_none, i) => i));
    expect(numbers('b')).toEqual(Array.from({ length: 500 }, (_none, i) => i));
  });

  it('starts behind what was there before, and is of one app and environment', async () => {
    const a = await open('a');
    await a.append({ before: 1 });
    await open('late');
    await open('other', 'app:production');
    await a.append({ after: 1 });
    await until(() => read['late']?.length === 1);
    expect(read['late']).toEqual([{ after: 1 }]);
    expect(read['other']).toEqual([]);
    expect(missed).toEqual([]);
  });

  it('takes in order what was appended while Redis was away, and bounds what waits', async () => {
    const a = await open('a');
    await open('b');
    await redis.kill();
    const results = Array.from({ length: 10_010 }, (_none, i) => a.append({ i }));
    const refusals = (await Promise.allSettled(results.slice(10_000))).map(({ status }) => status);
    expect(refusals).toEqual(Array(10).fill('rejected'));
    await redis.restart();
    await Promise.all(results.slice(0, 10_000));
    await until(() => read['b']?.length === 10_000);
    expect(read['b']).toEqual(Array.from({ length: 10_000 }, (_none, i) => ({ i })));
    expect(missed).toEqual([]);
  }, 30_000);

  it('gives broker events back when Redis stays away', async () => {
    const a = await open('a');
    await redis.kill();
    const event = a.append({ event: 1 }, 'event');
    const service = a.append({ service: 1 });
    await expect(event).rejects.toThrow('Redis is lost');
    expect(lost).toEqual(['a']);
    await expect(a.append({ event: 2 }, 'event 2')).rejects.toThrow('Redis does not answer');
    await redis.restart();
    await service;
    await a.ready();
    await a.append({ event: 3 }, 'event 3');
    await until(() => read['a']?.length === 2);
    expect(read['a']).toEqual([{ service: 1 }, { event: 3 }]);
  }, 30_000);

  it('notices that it was cut off for longer than the stream reaches back', async () => {
    const a = await open('a');
    await open('b');
    const admin = new Redis(redis.url);
    const reader = async (): Promise<string> => {
      await a.append({ tick: 1 });
      const all = String(await admin.client('LIST')).match(/^id=\d+(?=.* cmd=xread )/gm) ?? [];
      return all.at(-1)?.slice(3) ?? '';
    };
    let id = '';
    for (let i = 0; i < 100 && !id; i++) id = await reader();
    // At once, as if thousands of entries had come while the connection was away.
    await admin
      .multi()
      .client('KILL', 'ID', id)
      .xtrim('app:test:stream', 'MAXLEN', 0)
      .xadd('app:test:stream', '*', 'key', 'x', 'body', '{"x":1}')
      .exec();
    await until(() => missed.length > 0);
    await a.append({ after: 1 });
    await until(() =>
      [read['a'], read['b']].every((all) => all?.some((m) => 'after' in (m as object))),
    );
    admin.disconnect();
  });

  it('notices that the stream was cut while it read on', async () => {
    const a = await open('a');
    await a.append({ tick: 1 });
    await until(() => read['a']?.length === 1);
    const admin = new Redis(redis.url);
    const many = admin.multi();
    for (let i = 0; i < 1_000; i++) many.xadd('app:test:stream', '*', 'key', `${i}`, 'body', '{}');
    await many.xtrim('app:test:stream', 'MAXLEN', 300).exec();
    await until(() => missed.length > 0);
    await a.append({ after: 1 });
    await until(() => read['a']?.length === 2);
    expect(missed).toEqual(['a']);
    admin.disconnect();
  });

  it('reads on behind an entry that is no message', async () => {
    const a = await open('a');
    const admin = new Redis(redis.url);
    const states: unknown[] = [];
    const end = listen('redis.state', (state) => states.push(state));
    await admin.xadd('app:test:stream', '*', 'key', 'of nobody', 'body', '{"cut":');
    await a.append({ after: 1 });
    await until(() => read['a']?.length === 1);
    expect(read['a']).toEqual([{ after: 1 }]);
    expect(states).toEqual([]);
    end();
    admin.disconnect();
  });

  it('has written what waits when it is closed', async () => {
    const a = await open('a');
    await open('b');
    const appended = Array.from({ length: 1_000 }, (_none, i) => a.append({ i }));
    await a.close();
    await Promise.all(appended);
    await until(() => read['b']?.length === 1_000);
    expect(read['b']).toEqual(appended.map((_none, i) => ({ i })));
  });

  it('takes a short outage for no long one, when that would be noticed', async () => {
    const a = await open('a');
    await redis.restart();
    await a.append({ back: 1 });
    await a.ready();
    await wait(5_500);
    expect(lost).toEqual([]);
    expect(a.health()).toMatchObject({ ok: true });
    await a.append({ event: 1 }, 'event after the outage');
    await until(() => read['a']?.length === 2);
  }, 30_000);
});
