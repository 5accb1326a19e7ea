import { Broadcaster } from '@kernel/core/broadcaster';
import { Replicas } from '@kernel/core/replicas';
import { Redis } from 'ioredis';
import type { Socket } from 'socket.io-client';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startOwnRedis } from '../support/brokers.js';
import { sign, Stack, wait } from '../support/stack.js';

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
