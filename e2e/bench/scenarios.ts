import { setTimeout as delay } from 'node:timers/promises';
import type { LoadCommands } from './load';
import { cpuSeconds } from './machine';
import {
  burst,
  measureShares,
  mintTokens,
  openAll,
  paced,
  warmUp,
  withSystem,
  type Bench,
  type Figures,
} from './measure';
import { nameTenants, startSystem, type Algorithm, type System, type SystemName } from './systems';
import { Worker } from './worker';

export interface Scenario {
  readonly name: string;
  readonly title: string;
  /** What was done, in a sentence or two, for the reader of the table. */
  readonly method: string;
  readonly systems: readonly SystemName[];
  /** Columns: the figure's name, its heading, and digits after the point. */
  readonly columns: readonly (readonly [figure: string, heading: string, digits: number])[];
  /** Figures of which the ratio to (a) is printed. */
  readonly ratios: readonly string[];
  /** Bounds of the ratio of ours to another's. */
  readonly goals?: readonly {
    readonly figure: string;
    readonly than: SystemName;
    readonly least?: number;
    readonly most?: number;
  }[];
  run(bench: Bench, system: System): Promise<Figures>;
}

const ALL = ['nx-realtime', 'socket.io', 'nest-recipe', 'ws'] as const;
const ONE = ['t1'];

const SHARES = [
  ['serverShare', 'server core used', 2],
  ['loadShare', 'load process', 2],
  ['coreShare', 'its core in all', 2],
] as const;

const NO_SLOWER = { figure: 'p99', than: 'socket.io', most: 1 } as const;

function fanOut(sockets: number, rate: number): Scenario {
  const events = Math.max(200, 400_000 / sockets / (sockets < 1_000 ? 2 : 1));
  return {
    name: `fan-out-${sockets}`,
    title: `Fan-out to ${sockets.toLocaleString('en')} sockets`,
    method: `One tenant. ${events} broker events at once; then ${rate} a second.`,
    systems: ALL,
    columns: [
      ['rate', 'thousand deliveries/s', 0],
      ['cpu', 'server CPU µs/delivery', 2],
      ['p50', `p50 ms at ${rate}/s`, 1],
      ['p99', 'p99 ms', 1],
      ...SHARES,
    ],
    ratios: ['rate', 'p50', 'p99'],
    goals: [
      { figure: 'rate', than: 'socket.io', least: 1.5 },
      { figure: 'rate', than: 'ws', least: 0.9 },
      NO_SLOWER,
    ],
    run: (bench, system) =>
      withSystem(bench, system, {}, async (server, load) => {
        await openAll(load, server, mintTokens(sockets, ONE));
        await warmUp(bench, load, { tenants: ONE, members: sockets });
        const count = bench.quick ? Math.ceil(events / 4) : events;
        const fast = await burst(bench, load, [server], {
          events: count,
          tenants: ONE,
          members: sockets,
        });
        const slow = await paced(bench, load, [server], { rate, tenants: ONE, members: sockets });
        return { ...slow, ...fast, pacedCpu: slow.cpu };
      }),
  };
}

const manyRooms: Scenario = {
  name: 'many-rooms',
  title: '1,000 tenants with 5 sockets each',
  method: '20,000 broker events at once, each to a random tenant; then 500 a second.',
  systems: ALL,
  columns: [
    ['rate', 'thousand deliveries/s', 1],
    ['cpu', 'server CPU µs/delivery', 1],
    ['p50', 'p50 ms at 500/s', 1],
    ['p99', 'p99 ms', 1],
    ...SHARES,
  ],
  ratios: ['rate', 'p50', 'p99'],
  goals: [NO_SLOWER],
  run: (bench, system) =>
    withSystem(bench, system, {}, async (server, load) => {
      const tenants = nameTenants(1_000);
      await openAll(load, server, mintTokens(5_000, tenants));
      await warmUp(bench, load, { tenants, members: 5 });
      const events = bench.quick ? 4_000 : 20_000;
      const fast = await burst(bench, load, [server], { events, tenants, members: 5 });
      const slow = await paced(bench, load, [server], { rate: 500, tenants, members: 5 });
      return { ...slow, ...fast };
    }),
};

const clientEvents: Scenario = {
  name: 'client-events',
  title: 'Client events with acknowledgement, 1,000 sockets',
  method:
    'Each socket sends its next event when the last is acknowledged; then 1,000 events a second in all. What the server does for each of ours: rate limits, contract, guard, request context.',
  systems: ALL,
  columns: [
    ['perSecond', 'events/s', 0],
    ['cpu', 'server CPU µs/event', 1],
    ['p50', 'p50 ms at 1,000/s', 2],
    ['p99', 'p99 ms', 2],
    ...SHARES,
  ],
  ratios: ['perSecond', 'p50', 'p99'],
  goals: [{ figure: 'perSecond', than: 'socket.io', least: 1 }, NO_SLOWER],
  run: (bench, system) =>
    withSystem(bench, system, {}, async (server, load) => {
      await openAll(load, server, mintTokens(1_000, ONE));
      await load.ask('emit', { seconds: 1, rate: 0 });
      const seconds = bench.quick ? 2 : 6;
      const {
        result: fast,
        shares,
        serverCpu,
      } = await measureShares([server], load, () => load.ask('emit', { seconds, rate: 0 }));
      const slow = await load.ask('emit', { seconds, rate: 1_000 });
      const refused = fast.refused + slow.refused;
      if (refused > 0) throw new Error(`${refused} events were refused`);
      const { perSecond, acks } = fast;
      return { perSecond, cpu: (serverCpu / acks) * 1e6, p50: slow.p50, p99: slow.p99, ...shares };
    }),
};

function handshakes(algorithm: Algorithm): Scenario {
  return {
    name: `handshakes-${algorithm}`,
    title: `Handshakes, ${algorithm}`,
    method: '3,000 connections, 64 at a time, each with a token of its own.',
    systems: ALL,
    columns: [
      ['perSecond', 'connections/s', 0],
      ['cpu', 'server CPU ms each', 3],
      ['p99', 'p99 ms', 0],
      ...SHARES,
    ],
    ratios: ['perSecond'],
    goals: [{ figure: 'perSecond', than: 'socket.io', least: 1.6 }],
    run: (bench, system) =>
      withSystem(bench, system, { algorithm }, async (server, load) => {
        await openAll(load, server, mintTokens(300, ONE, algorithm), 64);
        await load.ask('close', null);
        await delay(500);
        const count = bench.quick ? 1_000 : 3_000;
        const tokens = mintTokens(count, ONE, algorithm);
        const { result, shares, serverCpu } = await measureShares([server], load, () =>
          openAll(load, server, tokens, 64),
        );
        const { seconds, p99 } = result;
        return { perSecond: count / seconds, cpu: (serverCpu / count) * 1e3, p99, ...shares };
      }),
  };
}

const memory: Scenario = {
  name: 'memory',
  title: 'Memory of idle connections',
  method:
    'After a full garbage collection. The process before any connection, then for each connection.',
  systems: ALL,
  columns: [
    ['base', 'process MB', 0],
    ['kb1000', 'KB each at 1,000', 1],
    ['kb5000', 'at 5,000', 1],
    ['kb10000', 'at 10,000', 1],
    ['heap10000', 'of it JS heap', 1],
  ],
  ratios: ['kb1000', 'kb5000', 'kb10000'],
  goals: ['kb1000', 'kb5000', 'kb10000'].map((figure) => ({ figure, than: 'socket.io', most: 1 })),
  run: (bench, system) =>
    withSystem(bench, system, {}, async (server, load) => {
      // What the first connection loads is the process's.
      await openAll(load, server, mintTokens(50, ONE));
      await load.ask('close', null);
      await delay(1_000);
      const base = await server.memory();
      const figures: Figures = { base: base.rss / 2 ** 20 };
      let open = 0;
      for (const sockets of [1_000, 5_000, 10_000]) {
        await openAll(load, server, mintTokens(sockets - open, ONE));
        open = sockets;
        await delay(1_000);
        const now = await server.memory();
        figures[`kb${sockets}`] = (now.rss - base.rss) / sockets / 1_024;
        figures[`heap${sockets}`] = (now.heap - base.heap) / sockets / 1_024;
      }
      return figures;
    }),
};

const reconnectStorm: Scenario = {
  name: 'reconnect-storm',
  title: 'Reconnect storm of 5,000',
  method: '5,000 connections are cut at once and all come back at the same moment.',
  systems: ALL,
  columns: [
    ['seconds', 'seconds until all are back', 2],
    ['p50', 'p50 ms', 0],
    ['p99', 'p99 ms', 0],
    ...SHARES,
  ],
  ratios: ['seconds'],
  run: (bench, system) =>
    withSystem(bench, system, {}, async (server, load) => {
      const tokens = mintTokens(5_000, ONE);
      await openAll(load, server, tokens);
      await load.ask('close', null);
      await delay(200);
      // Half the backlog of a listening socket at a time: the kernel's limit is not what is measured.
      const { result, shares } = await measureShares([server], load, () =>
        openAll(load, server, tokens, 250),
      );
      const { seconds, p50, p99 } = result;
      return { seconds, p50, p99, ...shares };
    }),
};

const hostile: Scenario = {
  name: 'hostile',
  title: 'A slow reader and a flooding client among 1,000 sockets',
  method:
    '50 broker events a second. One socket stops reading; another sends 20,000 client events a second. What the other 998 see. Limits as they are by default.',
  systems: ['nx-realtime', 'socket.io', 'nest-recipe'],
  columns: [
    ['calmP99', 'p99 ms before', 1],
    ['p50', 'p50 ms', 1],
    ['p99', 'p99 ms', 1],
    ['delivered', 'delivered', 3],
  ],
  ratios: ['p99'],
  goals: [NO_SLOWER],
  run: (bench, system) =>
    withSystem(
      bench,
      system,
      {
        env: {
          REALTIME_RATE_EVENTS: '',
          REALTIME_RATE_EVENTS_BURST: '',
          REALTIME_RATE_USER_EVENTS: '',
          REALTIME_RATE_USER_EVENTS_BURST: '',
          REALTIME_MAX_BUFFERED_BYTES: '',
        },
      },
      async (server, load) => {
        const hostileLoad = await startHostile(server.system, server.port);
        try {
          await openAll(load, server, mintTokens(998, ONE));
          await warmUp(bench, load, { tenants: ONE, members: 998 });
          const rate = { rate: 50, tenants: ONE, members: 998 };
          const calm = await paced(bench, load, [server], rate);
          await hostileLoad.begin();
          const { p50, p99, delivered } = await paced(bench, load, [server], {
            ...rate,
            waitMs: 10_000,
          });
          return { calmP99: calm.p99, p50, p99, delivered };
        } finally {
          hostileLoad.stop();
        }
      },
    ),
};

async function startHostile(
  system: System,
  port: number,
): Promise<{ begin(): Promise<void>; stop(): void }> {
  const worker = Worker.start<LoadCommands>('load');
  const { protocol } = system;
  await worker.ask('open', { port, protocol, tokens: mintTokens(2, ONE), concurrency: 1 });
  return {
    begin: async () => {
      await worker.ask('pauseOne', null);
      await worker.ask('flood', null);
    },
    stop: () => worker.stop(),
  };
}

interface RedisLink {
  readonly url: string;
  readonly pid: number;
}

/** How many replicas, linked by which Redis. */
function replicas(count: 1 | 2, redis?: RedisLink): Scenario {
  const label = redis ? 'with Redis' : 'without Redis';
  return {
    name: `replicas-${count}${redis ? '-redis' : ''}`,
    title: `${count} ${count === 1 ? 'replica' : 'replicas'} ${label}`,
    method:
      '1,000 sockets of one tenant, spread evenly. 2,000 broker events at once; then 50 a second.',
    systems: ['nx-realtime'],
    columns: [
      ['rate', 'thousand deliveries/s', 0],
      ['cpuEvent', 'servers CPU ms/event', 2],
      ['redisEvent', 'Redis CPU µs/event', 0],
      ['p50', 'p50 ms at 50/s', 1],
      ['p99', 'p99 ms', 1],
      ...SHARES,
    ],
    ratios: [],
    run: (bench, system) => {
      const env = { ...(redis && { REDIS_URL: redis.url }) };
      const name = (index: number) => ({ env: { ...env, REALTIME_REPLICA: `bench-${index}` } });
      return withSystem(bench, system, name(0), async (first, load) => {
        const others = await Promise.all(
          Array.from({ length: count - 1 }, (_, index) =>
            startSystem(system, bench.rabbitmq, name(index + 1)),
          ),
        );
        try {
          const servers = [first, ...others];
          const ports = servers.map(({ port }) => port);
          await openAll(load, first, mintTokens(1_000, ONE), 100, ports);
          await warmUp(bench, load, { tenants: ONE, members: 1_000 });
          const redisCpu = (): number => (redis ? cpuSeconds(redis.pid) : 0);
          const before = redisCpu();
          const events = bench.quick ? 100 : 2_000;
          const options = { events, tenants: ONE, members: 1_000 };
          const fast = await burst(bench, load, servers, options);
          const redisEvent = ((redisCpu() - before) / events) * 1e6;
          const slow = await paced(bench, load, servers, {
            rate: 50,
            tenants: ONE,
            members: 1_000,
          });
          return { ...slow, ...fast, cpuEvent: fast.cpu, redisEvent };
        } finally {
          await Promise.all(others.map((server) => server.stop()));
        }
      });
    },
  };
}

/** Those that need a Redis. */
export const REPLICAS: readonly ((redis: RedisLink) => Scenario)[] = [
  () => replicas(1),
  (redis) => replicas(1, redis),
  (redis) => replicas(2, redis),
];

export const SCENARIOS: readonly Scenario[] = [
  fanOut(100, 50),
  fanOut(1_000, 50),
  fanOut(5_000, 10),
  manyRooms,
  clientEvents,
  handshakes('HS256'),
  handshakes('RS256'),
  memory,
  reconnectStorm,
  hostile,
];
