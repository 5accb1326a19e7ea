import { Broadcaster } from '../src/events/broadcaster';
import { RealtimeException } from '../src/handshake/realtime.errors';
import { Subscriptions } from '../src/rooms/subscriptions';
import { DocumentsPolicy } from '@kernel/documents/documents.policy';
import { DOCUMENTS_NAMESPACE, type ServerToClientEvents } from '@acme/realtime-contracts/documents';
import type { Socket } from 'socket.io-client';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startOwnRedis } from './support/brokers.js';
import { sign, Stack, wait } from './support/stack.js';

type Answer = (userId: string, id: string) => unknown;
type Ack = { ok: boolean; error?: { code: string; message: string } };

const PEOPLE = [
  ['t1', 'u1'],
  ['t1', 'u2'],
  ['t2', 'u1'],
  ['t2', 'u2'],
] as const;

const MAX = 5;
const meta = { id: 'e1', at: '2026-01-01T00:00:00.000Z' };
const u1 = { tenantId: 't1', userId: 'u1' };

async function until(condition: () => boolean): Promise<void> {
  for (let i = 0; i < 300 && !condition(); i++) await wait(10);
  expect(condition()).toBe(true);
}

/** A promise that is settled from outside. */
function gate<T>(): { promise: Promise<T>; open: (value: T) => void } {
  let open: (value: T) => void = () => undefined;
  const promise = new Promise<T>((resolve) => (open = resolve));
  return { promise, open };
}

describe('resource rooms', () => {
  let redis: Awaited<ReturnType<typeof startOwnRedis>>;
  let stacks: Stack[];
  let received: string[] = [];
  let asked: string[] = [];
  let clients: Socket[] = [];

  beforeAll(async () => {
    redis = await startOwnRedis();
    const env = { REDIS_URL: redis.url, REALTIME_MAX_SUBSCRIPTIONS: String(MAX) };
    stacks = [await Stack.start({ env }), await Stack.start({ env })];
    await wait(200);
  }, 60_000);
  afterAll(async () => {
    await Promise.all(stacks.map((stack) => stack.close()));
    await redis?.stop();
  });
  beforeEach(() => {
    clients.forEach((client) => client.disconnect());
    clients = [];
    received = [];
    asked = [];
    allow(() => true);
  });

  const allow = (answer: Answer): void => {
    for (const stack of stacks) {
      stack.app.get(DocumentsPolicy).canSubscribe = async (client, id) => {
        asked.push(`${client.tenantId}/${client.userId} ${id}`);
        return (await answer(client.userId, id)) as boolean;
      };
    }
  };
  const join = async (replica = 0, tenantId = 't1', sub = 'u1', extra = {}): Promise<Socket> => {
    const stack = stacks[replica] as Stack;
    const client = await stack.connect(DOCUMENTS_NAMESPACE, sign({ tenantId, sub, ...extra }));
    const name = `${replica} ${tenantId}/${sub}`;
    client.onAny((event: string) => received.push(`${name} ${event}`));
    clients.push(client);
    return client;
  };
  const command = (client: Socket, name: string, payload: unknown): Promise<Ack> =>
    client.timeout(3_000).emitWithAck(`document.${name}`, payload) as Promise<Ack>;
  const subscribe = (client: Socket, id: unknown = 'd1') => command(client, 'subscribe', { id });
  const unsubscribe = (client: Socket, id = 'd1') => command(client, 'unsubscribe', { id });
  const domain = (replica = 0) =>
    (stacks[replica] as Stack).app
      .get(Broadcaster)
      .namespace<ServerToClientEvents & { barrier: (p: null) => void }>(DOCUMENTS_NAMESPACE);
  const service = (replica = 0) => (stacks[replica] as Stack).app.get(Subscriptions);
  /** Who got a document's event, once an event sent after it has reached everyone. */
  const readers = async (tenantId = 't1', id = 'd1'): Promise<string[]> => {
    const payload = { documentId: id, text: 'x' };
    domain().toResource(tenantId, id, 'document.changed', payload, meta);
    for (const [tenant, user] of PEOPLE) domain().toUser(tenant, user, 'barrier', null, meta);
    const barriers = () => received.filter((line) => line.endsWith('barrier')).length;
    await until(() => barriers() === clients.filter(({ connected }) => connected).length);
    const got = received.filter((line) => line.endsWith('document.changed'));
    received = [];
    return got.map((line) => line.replace(' document.changed', '')).sort();
  };

  it('are denied by the policy as it is generated', async () => {
    const client = await join();
    for (const stack of stacks) {
      Reflect.deleteProperty(stack.app.get(DocumentsPolicy), 'canSubscribe');
    }
    expect(await subscribe(client)).toMatchObject({ ok: false, error: { code: 'FORBIDDEN' } });
    expect(await readers()).toEqual([]);
  });

  it('reach exactly their subscribers, in one tenant, on every replica', async () => {
    for (const replica of [0, 1]) {
      for (const [tenantId, sub] of PEOPLE) await join(replica, tenantId, sub);
    }
    expect(await readers()).toEqual([]);
    for (const [index, client] of clients.entries()) {
      const id = index % 2 === 0 ? 'd1' : 'd2';
      expect(await subscribe(client, id)).toEqual({ ok: true, data: null });
    }
    expect(await readers('t1', 'd1')).toEqual(['0 t1/u1', '1 t1/u1']);
    expect(await readers('t1', 'd2')).toEqual(['0 t1/u2', '1 t1/u2']);
    expect(await readers('t2', 'd1')).toEqual(['0 t2/u1', '1 t2/u1']);
    expect(await readers('t1', 'd3')).toEqual([]);
  });

  it.each([
    ['false', () => false],
    ['nothing', () => undefined],
    ['a truthy text', () => 'no'],
    ['an object', () => ({ allowed: false })],
  ])('are not joined when the policy answers %s', async (_name, answer) => {
    allow(answer);
    const client = await join();
    expect(await subscribe(client)).toMatchObject({ ok: false, error: { code: 'FORBIDDEN' } });
    expect(await readers()).toEqual([]);
  });

  it('are not joined when the policy fails, whose text stays inside', async () => {
    // Of many refusals in one second the log tells the number alone.
    await wait(1_100);
    const client = await join();
    allow(() => Promise.reject(new Error('select * from members')));
    const failed = await subscribe(client);
    expect(failed).toMatchObject({ ok: false, error: { code: 'INTERNAL' } });
    expect(JSON.stringify(failed)).not.toContain('members');
    allow(() => Promise.reject(new RealtimeException('ARCHIVED', 'Closed for good')));
    expect(await subscribe(client)).toMatchObject({ ok: false, error: { code: 'ARCHIVED' } });
    expect(await readers()).toEqual([]);
    // Nest has one logger for all apps of a process.
    const logs = stacks.flatMap((stack) => stack.logs);
    expect(
      logs.filter((line) => /subscription refused .*"ARCHIVED".*"u1"/.test(line)),
    ).toHaveLength(1);
  });

  it.each([
    [''],
    ['x'.repeat(257)],
    ['a\nb'],
    ['\ud800'],
    [7],
    [null],
    [['d1']],
    [{ toString: 'd1' }],
  ])('refuse the id %j, before the policy is asked', async (id) => {
    const client = await join();
    expect(await subscribe(client, id)).toMatchObject({ error: { code: 'VALIDATION' } });
    expect(asked).toEqual([]);
  });

  it('refuse a tenant, and any other field, beside the id', async () => {
    const client = await join();
    const ack = await command(client, 'subscribe', { id: 'd1', tenantId: 't2' });
    expect(ack).toMatchObject({ error: { code: 'VALIDATION' } });
    expect(asked).toEqual([]);
  });

  it('take a room name, or another socket, for nothing but an id', async () => {
    const victim = await join(0, 't2', 'u2');
    await subscribe(victim);
    const client = await join();
    for (const id of ['t:t2:r:d1', ':r:d1', 'd1:r:d1', victim.id, 't:t2']) {
      expect((await subscribe(client, id)).ok).toBe(true);
    }
    domain().toTenant('t2', 'document.changed', { documentId: 'd1', text: 'x' }, meta);
    expect(await readers('t2')).toEqual(['0 t2/u2']);
  });

  it('are left on unsubscribing, and only then', async () => {
    const client = await join();
    await subscribe(client);
    await subscribe(client, 'd2');
    expect(await readers()).toEqual(['0 t1/u1']);
    expect(await unsubscribe(client)).toEqual({ ok: true, data: null });
    expect(await readers()).toEqual([]);
    expect(await readers('t1', 'd2')).toEqual(['0 t1/u1']);
    expect(await unsubscribe(client, 'never')).toEqual({ ok: true, data: null });
  });

  it('are capped, those being decided on included, and free again when left', async () => {
    const client = await join();
    const acks = await Promise.all(
      Array.from({ length: MAX + 3 }, (_, index) => subscribe(client, `d${index}`)),
    );
    expect(acks.filter(({ ok }) => ok)).toHaveLength(MAX);
    expect(acks.at(-1)).toMatchObject({ error: { code: 'RATE_LIMITED' } });
    expect((await subscribe(client, 'd1')).ok).toBe(true);
    await unsubscribe(client, 'd1');
    expect((await subscribe(client, 'other')).ok).toBe(true);
    allow(() => false);
    await unsubscribe(client, 'other');
    for (let i = 0; i < MAX; i++) await subscribe(client, `denied${i}`);
    allow(() => true);
    expect((await subscribe(client, 'last')).ok).toBe(true);
  });

  it('stay left when unsubscribed while the policy thinks', async () => {
    const client = await join();
    const thinking = gate<boolean>();
    allow(() => thinking.promise);
    const subscribing = subscribe(client);
    await until(() => asked.length === 1);
    await unsubscribe(client);
    thinking.open(true);
    expect((await subscribing).ok).toBe(false);
    expect(await readers()).toEqual([]);
  });

  it('go by the last answer when they are asked for twice', async () => {
    const client = await join();
    const [first, second] = [gate<boolean>(), gate<boolean>()];
    allow(() => (asked.length === 1 ? first.promise : second.promise));
    const both = [subscribe(client), subscribe(client)];
    await until(() => asked.length === 2);
    first.open(false);
    await wait(50);
    second.open(true);
    expect((await Promise.all(both)).map(({ ok }) => ok)).toEqual([true, true]);
    expect(await readers()).toEqual(['0 t1/u1']);
    allow(() => false);
    expect((await subscribe(client)).ok).toBe(false);
    expect(await readers()).toEqual([]);
  });

  it('are not joined by a socket that is gone when the policy answers', async () => {
    const client = await join();
    const thinking = gate<boolean>();
    allow(() => thinking.promise);
    void subscribe(client).catch(() => undefined);
    await until(() => asked.length === 1);
    client.disconnect();
    await wait(50);
    thinking.open(true);
    await wait(50);
    const { server } = (stacks[0] as Stack).app.get(Broadcaster) as unknown as {
      server: { of(name: string): { adapter: { rooms: Map<string, unknown> } } };
    };
    const rooms = [...server.of(DOCUMENTS_NAMESPACE).adapter.rooms.keys()];
    expect(rooms.filter((room) => room.includes(':r:'))).toEqual([]);
  });

  it('are left on every replica when access is withdrawn, by that user alone', async () => {
    for (const replica of [0, 1]) {
      for (const sub of ['u1', 'u1', 'u2']) await subscribe(await join(replica, 't1', sub));
    }
    await subscribe(await join(1, 't2', 'u1'));
    await subscribe(clients[0] as Socket, 'd2');
    allow((userId) => userId !== 'u1');
    await service().withdraw(DOCUMENTS_NAMESPACE, u1, 'd1');
    expect(await readers()).toEqual(['0 t1/u2', '1 t1/u2']);
    expect(await readers('t2')).toEqual(['1 t2/u1']);
    expect(await readers('t1', 'd2')).toEqual(['0 t1/u1']);
  });

  it('stay when access is withdrawn in another namespace', async () => {
    await subscribe(await join());
    await service().withdraw('/regions', u1, 'd1');
    expect(await readers()).toEqual(['0 t1/u1']);
  });

  it.each([0, 1])('stay left when withdrawn while the policy of replica %i thinks', async (n) => {
    const client = await join(n);
    const thinking = gate<boolean>();
    allow(() => thinking.promise);
    const subscribing = subscribe(client);
    await until(() => asked.length === 1);
    await service().withdraw(DOCUMENTS_NAMESPACE, u1, 'd1');
    thinking.open(true);
    expect(await subscribing).toMatchObject({ error: { code: 'FORBIDDEN' } });
    expect(await readers()).toEqual([]);
  });

  it('are checked again on every replica, when that is asked for', async () => {
    for (const replica of [0, 1]) {
      const client = await join(replica);
      for (const id of ['d1', 'd2', 'd3']) await subscribe(client, id);
    }
    allow((_user, id) => (id === 'd3' ? Promise.reject(new Error('down')) : id === 'd2'));
    await service().recheck(DOCUMENTS_NAMESPACE, u1);
    expect(await readers('t1', 'd1')).toEqual([]);
    expect(await readers('t1', 'd2')).toEqual(['0 t1/u1', '1 t1/u1']);
    expect(await readers('t1', 'd3')).toEqual([]);
  });

  it('are checked again when the token is refreshed', async () => {
    const client = await join();
    await subscribe(client);
    allow(() => false);
    const exp = Math.floor(Date.now() / 1000) + 600;
    await client.timeout(1_000).emitWithAck('realtime.refresh', { token: sign({ exp }) });
    await wait(50);
    expect(await readers()).toEqual([]);
  });

  it.each([
    [{ tenantId: 't1', userId: '' }, 'd1'],
    [{ tenantId: undefined, userId: 'u1' }, 'd1'],
    [u1, ''],
    [u1, undefined],
  ])('throw on a withdrawal from %j of %j', async (user, id) => {
    const withdrawn = service().withdraw(DOCUMENTS_NAMESPACE, user as typeof u1, id as string);
    await expect(withdrawn).rejects.toThrow(TypeError);
  });

  it.each([[''], [undefined], [[]], [{}], ['a\nb']])('throw on the target %j', (id) => {
    const send = (): void =>
      domain().toResource(
        't1',
        id as string,
        'document.changed',
        { documentId: '1', text: '' },
        meta,
      );
    expect(send).toThrow(TypeError);
  });
});
