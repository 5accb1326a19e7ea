import { Broadcaster } from '@kernel/core/broadcaster';
import type { DomainBroadcaster } from '@kernel/core/broadcaster';
import type { Socket } from 'socket.io-client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Broker, startRedis } from '../support/brokers.js';
import { connected, sign, Stack, wait } from '../support/stack.js';

type Events = Record<string, (payload: null) => void>;

const meta = { id: 'e1', at: '2026-01-01T00:00:00.000Z' };
const NAMESPACES = ['/notifications', '/chats'];
const REPLICAS = ['a', 'b'] as const;
const PEOPLE = ['t1', 't2'].flatMap((tenant) =>
  ['u1', 'u2'].map((user) => [tenant, user] as const),
);

/** Who must get an event: replica, tenant, user and namespace of each client. */
const clients = (namespace: string, people: readonly (readonly [string, string])[]): string[] =>
  REPLICAS.flatMap((replica) =>
    people.map(([tenant, user]) => `${replica} ${tenant}/${user} ${namespace}`),
  ).sort();

const WAYS: {
  name: string;
  namespace: string;
  send: (domain: DomainBroadcaster<Events>, event: string) => void;
  reaches: readonly (readonly [string, string])[];
}[] = [
  ...NAMESPACES.flatMap((namespace) =>
    PEOPLE.map(([tenant, user]) => ({
      name: `toUser ${tenant}/${user}`,
      namespace,
      send: (domain: DomainBroadcaster<Events>, event: string) =>
        domain.toUser(tenant, user, event, null, meta),
      reaches: [[tenant, user] as const],
    })),
  ),
  ...['t1', 't2'].map((tenant) => ({
    name: `toTenant ${tenant}`,
    namespace: '/notifications',
    send: (domain: DomainBroadcaster<Events>, event: string) =>
      domain.toTenant(tenant, event, null, meta),
    reaches: PEOPLE.filter(([of]) => of === tenant),
  })),
  ...['t1', 't2'].map((tenant) => ({
    name: `toTenant ${tenant}, where sockets join their user only`,
    namespace: '/chats',
    send: (domain: DomainBroadcaster<Events>, event: string) =>
      domain.toTenant(tenant, event, null, meta),
    reaches: [],
  })),
  {
    name: 'toTenant of nobody',
    namespace: '/notifications',
    send: (domain, event) => domain.toTenant('t3', event, null, meta),
    reaches: [],
  },
  {
    name: 'toUser of another tenant',
    namespace: '/notifications',
    send: (domain, event) => domain.toUser('t3', 'u1', event, null, meta),
    reaches: [],
  },
];

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
      for (const [tenantId, sub] of PEOPLE) {
        for (const namespace of NAMESPACES) {
          const client: Socket = stack.client(namespace, { token: sign({ tenantId, sub }) });
          // What a client says of itself counts for nothing.
          Object.assign(client.auth, { tenantId: 't1', userId: 'u1', sub: 'u1', rooms: ['t:t1'] });
          const who = `${replica} ${tenantId}/${sub} ${namespace}`;
          client.onAny((event: string) => received.push({ who, event }));
          await connected(client);
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
