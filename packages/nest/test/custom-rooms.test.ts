import { Broadcaster } from '../src/events/broadcaster';
import { REALTIME_ROOMS, type JoinedRooms } from '../src/rooms/rooms';
import type { VerifiedToken } from '../src/handshake/identity';
import { regionsRooms } from '@kernel/regions/regions.rooms';
import { REGIONS_NAMESPACE, type ServerToClientEvents } from '@acme/realtime-contracts/regions';
import type { Socket } from 'socket.io-client';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startOwnRedis } from './support/brokers.js';
import { once, sign, Stack, wait } from './support/stack.js';

const meta = { id: 'e1', at: '2026-01-01T00:00:00.000Z' };
const payload = { id: '1', message: 'hi', type: 'info', room: 'north' };

describe('custom rooms', () => {
  let redis: Awaited<ReturnType<typeof startOwnRedis>>;
  let stacks: Stack[];
  let received: string[] = [];
  let clients: Socket[] = [];

  beforeAll(async () => {
    redis = await startOwnRedis();
    const env = { REDIS_URL: redis.url };
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
    use(regionsRooms);
  });

  /** Puts another function in the place of the owner's. */
  const use = (rooms: unknown): void => {
    for (const stack of stacks) {
      stack.app
        .get<Map<string, JoinedRooms>>(REALTIME_ROOMS)
        .set(REGIONS_NAMESPACE, rooms as JoinedRooms);
    }
  };
  const join = async (name: string, claims: object, replica = 0): Promise<Socket> => {
    const client = await (stacks[replica] as Stack).connect(REGIONS_NAMESPACE, sign(claims));
    client.onAny((event: string) => received.push(`${name} ${event}`));
    clients.push(client);
    return client;
  };
  const domain = () =>
    (stacks[0] as Stack).app
      .get(Broadcaster)
      .namespace<ServerToClientEvents & { barrier: (p: null) => void }>(REGIONS_NAMESPACE);
  /** Who got what `send` sent, once an event sent after it has reached everyone. */
  const recipients = async (send: () => void): Promise<string[]> => {
    send();
    for (const tenantId of ['t1', 't2']) domain().toUser(tenantId, 'u1', 'barrier', null, meta);
    const barriers = () => received.filter((line) => line.endsWith('barrier')).length;
    for (let i = 0; i < 300 && barriers() < clients.length; i++) await wait(10);
    expect(barriers()).toBe(clients.length);
    const got = received.filter((line) => !line.endsWith('barrier'));
    received = [];
    return got.map((line) => line.split(' ')[0] ?? '').sort();
  };
  const toRoom = (tenantId: string, key: string) =>
    recipients(() => domain().toCustom(tenantId, key, 'region.created', payload, meta));

  it('come from no token older than that of the connection', async () => {
    const exp = Math.ceil(Date.now() / 1_000) + 60;
    const first = await (stacks[0] as Stack).connect('/notifications', sign({ exp, rooms: [] }));
    clients.push(first);
    const older = sign({ exp: exp - 30, rooms: ['north'] });
    const second = first.io.socket(REGIONS_NAMESPACE, { auth: { token: older } });
    second.connect();
    expect((await once(second, 'connect_error'))[0]).toMatchObject({
      data: { code: 'UNAUTHORIZED' },
    });
    first.disconnect();
    clients.pop();
  });

  it('follow a refresh while the namespace is still to be let in', async () => {
    const stack = stacks[1] as Stack;
    const exp = Math.ceil(Date.now() / 1_000) + 60;
    const { server } = stack.app.get(Broadcaster) as unknown as {
      server: { of(name: string): { use(run: (socket: unknown, next: () => void) => void): void } };
    };
    let proceed: (() => void) | undefined;
    let isHeld = true;
    server.of(REGIONS_NAMESPACE).use((_socket, next) => {
      if (isHeld) proceed = next;
      else next();
    });
    const first = await stack.connect('/notifications', sign({ exp, rooms: ['north'] }));
    const held = first.io.socket(REGIONS_NAMESPACE, {
      auth: { token: sign({ exp, rooms: ['north'] }) },
    });
    const isIn = once(held.connect(), 'connect');
    for (let i = 0; i < 300 && !proceed; i++) await wait(10);
    const token = sign({ exp: exp + 60, rooms: ['south'] });
    const ack: unknown = await first.timeout(2_000).emitWithAck('realtime.refresh', { token });
    expect(ack).toMatchObject({ ok: true });
    isHeld = false;
    proceed?.();
    await isIn;
    held.onAny((event: string) => received.push(`held ${event}`));
    clients.push(held);
    expect(await toRoom('t1', 'south')).toEqual(['held']);
    expect(await toRoom('t1', 'north')).toEqual([]);
    first.disconnect();
  });

  it('are those of the claims, in one tenant, on every replica', async () => {
    await join('north', { rooms: ['north'] });
    await join('both', { rooms: ['north', 'south'] }, 1);
    await join('south', { rooms: ['south'] }, 1);
    await join('none', {});
    await join('foreign', { tenantId: 't2', rooms: ['north', 'south'] });
    expect(await toRoom('t1', 'north')).toEqual(['both', 'north']);
    expect(await toRoom('t1', 'south')).toEqual(['both', 'south']);
    expect(await toRoom('t2', 'south')).toEqual(['foreign']);
    expect(await toRoom('t1', 'west')).toEqual([]);
  });

  it('stay inside the tenant and apart from all others, whatever a key holds', async () => {
    const victim = await join('victim', { tenantId: 't2', rooms: ['north'] });
    const keys = [
      't:t2',
      't:t2:c:north',
      ':u:u1',
      'x:c:north',
      '../t2',
      victim.id,
      't2',
      'u1',
      'd1',
    ];
    await join('attacker', { rooms: keys });
    expect(await toRoom('t2', 'north')).toEqual(['victim']);
    const others = await recipients(() => {
      domain().toTenant('t1', 'region.created', payload, meta);
      domain().toTenant('t2', 'region.created', payload, meta);
      domain().toResource('t1', 'd1', 'region.created', payload, meta);
      domain().toUser('t2', 'u1', 'region.created', payload, meta);
    });
    expect(others).toEqual(['victim']);
  });

  it('are given the verified claims, and the ids that were made of them', async () => {
    let seen: VerifiedToken | undefined;
    use((token: VerifiedToken) => {
      seen = token;
      return ['here'];
    });
    await join('ann', { team: { id: 7 } });
    expect(seen?.identity).toMatchObject({ tenantId: 't1', userId: 'u1' });
    expect(seen?.claims['team']).toEqual({ id: 7 });
    expect(await toRoom('t1', 'here')).toEqual(['ann']);
  });

  it.each([
    [
      'throws',
      () => {
        throw new Error('select * from teams');
      },
    ],
    ['returns nothing', () => undefined],
    ['returns a text', () => 'north'],
    ['returns a promise', async () => ['north']],
    ['names an empty key', () => ['']],
    ['names a key that is no text', () => [['north']]],
  ])('refuse the connection when the function %s', async (_name, rooms) => {
    use(rooms);
    const refusal = await (stacks[0] as Stack).refusal(REGIONS_NAMESPACE, { token: sign() });
    expect(refusal.code).toBe('INTERNAL');
    expect(refusal.message).not.toContain('teams');
  });

  it('are those of the new token after a refresh', async () => {
    const ann = await join('ann', { rooms: ['north', 'west'] });
    await join('bob', { rooms: ['north'] }, 1);
    const exp = Math.floor(Date.now() / 1000) + 600;
    const refresh = (claims: object) =>
      ann.timeout(1_000).emitWithAck('realtime.refresh', { token: sign({ exp, ...claims }) });
    expect(await refresh({ rooms: ['south', 'west'] })).toMatchObject({ ok: true });
    expect(await toRoom('t1', 'north')).toEqual(['bob']);
    expect(await toRoom('t1', 'south')).toEqual(['ann']);
    expect(await toRoom('t1', 'west')).toEqual(['ann']);
    use(() => undefined);
    expect(await refresh({ exp: exp + 1 })).toMatchObject({ error: { code: 'INTERNAL' } });
    expect(await toRoom('t1', 'south')).toEqual(['ann']);
  });

  it.each([[''], [undefined], [[]], [{}], ['a\nb']])('throw on the target %j', (key) => {
    const send = (): void =>
      domain().toCustom('t1', key as string, 'region.created', payload, meta);
    expect(send).toThrow(TypeError);
  });
});
