import { Broadcaster } from '../src/events/broadcaster';
import type { ServerToClientEvents } from '@acme/realtime-contracts/notifications';
import { WebSocketGateway } from '@nestjs/websockets';
import type { Socket } from 'socket.io-client';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { sign, Stack, wait } from './support/stack.js';

@WebSocketGateway({ namespace: '/by-hand' })
class HandWrittenGateway {}

const PEOPLE = [
  ['t1', 'u1'],
  ['t1', 'u2'],
  ['t2', 'u1'],
  ['t2', 'u2'],
] as const;

const payload = { id: '1', message: 'hi', type: 'info' };
const meta = { id: 'e1', at: '2026-01-01T00:00:00.000Z' };

describe('broadcaster', () => {
  let stack: Stack;
  let received: string[] = [];

  const listen = async (namespace: string): Promise<void> => {
    for (const [tenantId, sub] of PEOPLE) {
      const client: Socket = await stack.connect(namespace, sign({ tenantId, sub }));
      client.onAny((event: string) => received.push(`${tenantId}/${sub} ${event}`));
    }
  };
  /** Sends an event to everyone alive after `act`, so that what `act` sent has arrived before it. */
  const recipients = async (namespace: string, act: () => void): Promise<string[]> => {
    const domain = stack.app
      .get(Broadcaster)
      .namespace<{ barrier: (payload: null) => void }>(namespace);
    act();
    for (const [tenantId, sub] of PEOPLE) domain.toUser(tenantId, sub, 'barrier', null, meta);
    for (
      let i = 0;
      i < 100 && received.filter((line) => line.endsWith('barrier')).length < 4;
      i++
    ) {
      await wait(10);
    }
    expect(received.filter((line) => line.endsWith('barrier'))).toHaveLength(4);
    return received
      .filter((line) => !line.endsWith('barrier'))
      .map((line) => line.split(' ')[0] ?? '')
      .sort();
  };

  beforeAll(async () => {
    stack = await Stack.start({ providers: [HandWrittenGateway] });
    for (const namespace of ['/notifications', '/chats', '/by-hand']) await listen(namespace);
  });
  afterAll(() => stack?.close());
  beforeEach(() => (received = []));

  const domain = (namespace = '/notifications') =>
    stack.app.get(Broadcaster).namespace<ServerToClientEvents>(namespace);

  it('reaches exactly the sockets of a tenant', async () => {
    const got = await recipients('/notifications', () =>
      domain().toTenant('t1', 'notification.created', payload, meta),
    );
    expect(got).toEqual(['t1/u1', 't1/u2']);
  });

  it('gives an event that has none an id and a time of its own', async () => {
    const client = await stack.connect('/notifications', sign({ tenantId: 't9', sub: 'u9' }));
    const metas: unknown[] = [];
    const all = new Promise<void>((resolve) => {
      client.on('notification.created', (_payload, given) => {
        metas.push(given);
        if (metas.length === 3) resolve();
      });
    });
    const before = new Date().toISOString();
    domain().toTenant('t9', 'notification.created', payload);
    domain().toUser('t9', 'u9', 'notification.created', payload);
    domain().toUser('t9', 'u9', 'notification.created', payload, meta);
    await all;
    const own = { id: expect.stringMatching(/^[\da-f-]{36}$/), at: expect.any(String) };
    expect(metas).toEqual([own, own, meta]);
    const [first, second] = metas as (typeof meta)[];
    expect(first?.id).not.toBe(second?.id);
    expect(first!.at >= before && second!.at <= new Date().toISOString()).toBe(true);
  });

  it('reaches exactly the sockets of a user, in one tenant', async () => {
    const got = await recipients('/notifications', () =>
      domain().toUser('t2', 'u1', 'notification.created', payload, meta),
    );
    expect(got).toEqual(['t2/u1']);
  });

  it.each(['/chats', '/by-hand'])(
    'reaches no tenant on %s, whose sockets join their user',
    async (namespace) => {
      const got = await recipients(namespace, () =>
        domain(namespace).toTenant('t1', 'notification.created', payload, meta),
      );
      expect(got).toEqual([]);
    },
  );

  it.each([[''], [undefined], [null], [[]], [{}], [7], ['a\nb'], ['x'.repeat(257)]])(
    'throws on the target %j and sends nothing',
    async (id) => {
      const got = await recipients('/notifications', () => {
        const event = 'notification.created';
        expect(() => domain().toTenant(id as string, event, payload, meta)).toThrow(TypeError);
        expect(() => domain().toUser('t1', id as string, event, payload, meta)).toThrow(TypeError);
        expect(() => domain().toUser(id as string, 'u1', event, payload, meta)).toThrow(TypeError);
      });
      expect(got).toEqual([]);
    },
  );

  it('takes a room name or a socket id for nothing else than an id', async () => {
    const got = await recipients('/notifications', () => {
      for (const id of ['t:t1', 't1:u:u1', 't:t1:u:u1']) {
        domain().toTenant(id, 'notification.created', payload, meta);
      }
    });
    expect(got).toEqual([]);
  });

  it('throws before there is a server', () => {
    const unbound = new Broadcaster().namespace<ServerToClientEvents>('/notifications');
    expect(() => unbound.toTenant('t1', 'notification.created', payload, meta)).toThrow(
      'setupRealtime',
    );
  });
});
