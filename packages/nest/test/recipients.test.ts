import { Broadcaster } from '../src/events/broadcaster';
import type { DomainBroadcaster } from '../src/events/broadcaster';
import { DocumentsPolicy } from '@kernel/documents/documents.policy';
import type { Socket } from 'socket.io-client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Broker, startRedis } from './support/brokers.js';
import { connected, sign, Stack, wait } from './support/stack.js';

type Events = Record<string, (payload: null) => void>;

const meta = { id: 'e1', at: '2026-01-01T00:00:00.000Z' };
/** Their sockets join tenant and user, user, subscribed resources, and what the token's claims say. */
const NAMESPACES = ['/notifications', '/chats', '/documents', '/regions'];
const REPLICAS = ['a', 'b'] as const;
const PEOPLE = ['t1', 't2'].flatMap((tenant) =>
  ['u1', 'u2'].map((user) => [tenant, user] as const),
);

/** Who must get an event: replica, tenant, user and namespace of each client. */
const clients = (namespace: string, people: readonly (readonly [string, string])[]): string[] =>
  REPLICAS.flatMap((replica) =>
    people.map(([tenant, user]) => `${replica} ${tenant}/${user} ${namespace}`),
  ).sort();

type Send = (domain: DomainBroadcaster<Events>, event: string) => void;

/** The first user of each tenant reads this resource and is in this room; the second is not. */
const RESOURCE = 'd1';
const ROOM = 'north';

const WAYS: {
  name: string;
  namespace: string;
  send: Send;
  reaches: readonly (readonly [string, string])[];
}[] = NAMESPACES.flatMap((namespace) => {
  const way = (name: string, send: Send, reaches: readonly (readonly [string, string])[]) => ({
    name,
    namespace,
    send,
    reaches,
  });
  const only = (those: string, people: readonly (readonly [string, string])[]) =>
    namespace === those ? people : [];
  return [
    ...PEOPLE.map(([tenant, user]) =>
      way(
        `toUser ${tenant}/${user}`,
        (domain, event) => domain.toUser(tenant, user, event, null, meta),
        [[tenant, user]],
      ),
    ),
    ...['t1', 't2'].flatMap((tenant) => [
      way(
        `toTenant ${tenant}`,
        (domain, event) => domain.toTenant(tenant, event, null, meta),
        only(
          '/notifications',
          PEOPLE.filter(([of]) => of === tenant),
        ),
      ),
      way(
        `toResource ${tenant}/${RESOURCE}`,
        (domain, event) => domain.toResource(tenant, RESOURCE, event, null, meta),
        only('/documents', [[tenant, 'u1']]),
      ),
      way(
        `toCustom ${tenant}/${ROOM}`,
        (domain, event) => domain.toCustom(tenant, ROOM, event, null, meta),
        only('/regions', [[tenant, 'u1']]),
      ),
    ]),
    way('toTenant of nobody', (domain, event) => domain.toTenant('t3', event, null, meta), []),
    way('toUser of nobody', (domain, event) => domain.toUser('t3', 'u1', event, null, meta), []),
  ];
});

describe('recipients, over two replicas on one Redis', () => {
  let redis: Broker;
  const stacks = new Map<string, Stack>();
  const received: { who: string; event: string }[] = [];
  let rounds = 0;

  const domain = (replica: string, namespace: string): DomainBroadcaster<Events> => {
    const stack = stacks.get(replica);
    if (!stack) throw new Error(`no replica ${replica}`);
    return stack.app.get(Broadcaster).namespace<Events>(namespace);
  };
  /** Resolves when every client has got `event`. */
  const everyone = async (event: string): Promise<void> => {
    const all = REPLICAS.length * PEOPLE.length * NAMESPACES.length;
    for (let i = 0; i < 500; i++) {
      if (received.filter((line) => line.event === event).length >= all) return;
      await wait(10);
    }
    throw new Error(`${event} did not reach everyone: ${JSON.stringify(received)}`);
  };
  const barrier = async (replica: string, name: string): Promise<void> => {
    for (const namespace of NAMESPACES) {
      for (const [tenant, user] of PEOPLE) {
        domain(replica, namespace).toUser(tenant, user, name, null, meta);
      }
    }
    await everyone(name);
  };

  beforeAll(async () => {
    redis = await startRedis();
    const app = `matrix-${process.pid}`;
    for (const replica of REPLICAS) {
      const stack = await Stack.start({ env: { REDIS_URL: redis.url }, app });
      stacks.set(replica, stack);
      stack.app.get(DocumentsPolicy).canSubscribe = () => Promise.resolve(true);
      for (const [tenantId, sub] of PEOPLE) {
        for (const namespace of NAMESPACES) {
          const rooms = sub === 'u1' ? [ROOM] : ['south'];
          const token = sign({ tenantId, sub, rooms });
          const client: Socket = stack.client(namespace, { token });
          // What a client says of itself counts for nothing.
          Object.assign(client.auth, { tenantId: 't1', userId: 'u1', sub: 'u1', rooms: ['t:t1'] });
          const who = `${replica} ${tenantId}/${sub} ${namespace}`;
          client.onAny((event: string) => received.push({ who, event }));
          await connected(client);
          if (namespace === '/documents') {
            const id = sub === 'u1' ? RESOURCE : 'd2';
            const ack: unknown = await client
              .timeout(2_000)
              .emitWithAck('document.subscribe', { id });
            expect(ack).toMatchObject({ ok: true });
          }
        }
      }
    }
    // The replicas have subscribed to each other once this arrives in both directions.
    for (let i = 0; i < 50; i++) {
      try {
        await Promise.all(REPLICAS.map((replica) => barrier(replica, `ready-${replica}-${i}`)));
        return;
      } catch {
        await wait(100);
      }
    }
  }, 60_000);
  afterAll(async () => {
    await Promise.all([...stacks.values()].map((stack) => stack.close()));
    await redis?.stop();
  });

  describe.each(REPLICAS)('sent by replica %s', (replica) => {
    it.each(WAYS)('$name on $namespace', async ({ namespace, send, reaches }) => {
      received.length = 0;
      const round = ++rounds;
      send(domain(replica, namespace), 'event');
      // Behind the event on the same way: whoever has got it would have got the event before.
      await barrier(replica, `barrier-${round}`);
      const got = received.filter(({ event }) => event === 'event').map(({ who }) => who);
      expect(got.sort()).toEqual(clients(namespace, reaches));
    });
  });
});
