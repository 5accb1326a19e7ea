/**
 * What each protection costs: the generated server beside copies of itself, each with one protection taken out of its
 * built `main.js`. All run side by side, so that what disturbs one disturbs the others too.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Host } from '../support/host';
import { distOf } from '../support/stack';
import { percentile } from './clock';
import type { LoadCommands } from './load';
import { mintTokens, openAll, type Bench } from './measure';
import { table, type Section } from './report';
import { nameTenants, startSystem, type RunningSystem, type System } from './systems';
import { Worker } from './worker';

interface Protection {
  readonly name: string;
  /** What is replaced in the built file, which holds it once. */
  readonly find: string;
  readonly replace: string;
}

interface Variant {
  readonly name: string;
  readonly server: RunningSystem;
  readonly load: Worker<LoadCommands>;
}

interface Work {
  readonly title: string;
  readonly protections: readonly Protection[];
  /** Makes the load once for some variants, and returns how often the work was done by each. */
  readonly run: (bench: Bench, variants: readonly Variant[]) => Promise<number>;
  /** All variants get the load at the same time: their events are published once. */
  readonly isShared?: boolean;
}

const SOCKETS = 200;
const TENANTS = nameTenants(SOCKETS);
const NONE: Protection = { name: 'as generated', find: '', replace: '' };

const WORKS: readonly Work[] = [
  {
    title: 'client event',
    protections: [
      {
        name: 'limits of events, by socket and by user',
        find: 'const retryAfterMs = limits.countEvent(socket);',
        replace: 'const retryAfterMs = 0;',
      },
      {
        name: 'limit of packets, by connection',
        find: 'if (tracked.packets.take(1 + bytes / PACKET_BYTES) > 0) {',
        replace: 'if (false) {',
      },
      {
        name: 'screening of payloads: depth, size, `__proto__`',
        find: 'isKnown && isHarmless(packet)',
        replace: 'isKnown',
      },
      {
        name: 'the contract',
        find: 'const result = this.schema.safeParse(payload);',
        replace: 'const result = { success: true, data: payload };',
      },
      {
        name: 'expiry of the token, in the guard',
        find: 'canActivate(context) {',
        replace: 'canActivate(context) { return true;',
      },
      {
        name: 'request context',
        find: 'context.run(about, async () => {',
        replace: '((_about, work) => work())(about, async () => {',
      },
    ],
    async run(bench, [variant]) {
      const { acks, refused } = await (variant as Variant).load.ask('emit', {
        seconds: bench.quick ? 0.3 : 0.8,
        rate: 0,
      });
      if (refused > 0) throw new Error(`${refused} events were refused`);
      return acks;
    },
  },
  {
    title: 'broker event with one delivery',
    isShared: true,
    protections: [
      {
        name: 'the contract',
        find: 'const parsed = schema.safeParse(own(data, key));',
        replace: 'const parsed = { success: true, data: own(data, key) };',
      },
      {
        name: 'order of a tenant’s events',
        find: 'inOrder(tenant, run) {',
        replace: 'inOrder(tenant, run) { return run();',
      },
      {
        name: 'time limit of a handler',
        find: 'function within(ms, work) {',
        replace: 'function within(ms, work) { return work;',
      },
      {
        name: 'nothing sent twice by a second attempt',
        find: 'attempts.run({ emission, sent: 0 }, () => this.context',
        replace: '(work => work())(() => this.context',
      },
      {
        name: 'request context',
        find: 'this.context.run(requestContextOf(pattern, meta.id, data), () => settled(handler(data, context)))',
        replace: 'settled(handler(data, context))',
      },
    ],
    async run(bench, variants) {
      const events = bench.quick ? 500 : 10_000;
      for (const { load } of variants) await load.ask('reset', { ages: false });
      const [, ...arrived] = await Promise.all([
        bench.publisher.ask('burst', { count: events, tenants: TENANTS }),
        ...variants.map(({ load }) => load.ask('wait', { events, timeoutMs: 60_000 })),
      ]);
      if (arrived.some((got) => got.events < events)) throw new Error('Deliveries are missing');
      return events;
    },
  },
  {
    title: 'handshake (HS256)',
    protections: [
      {
        name: 'limits of handshakes, by address',
        find: 'takeHandshake(request) {',
        replace: 'takeHandshake(request) { return true;',
      },
      {
        name: 'limit of connections, by user',
        find: 'if (others.length >= this.limits.maxConnectionsPerUser) {',
        replace: 'if (false) {',
      },
      {
        name: 'revocation',
        find: 'this.requireValid(identity);',
        replace: '',
      },
    ],
    async run(bench, [variant]) {
      const { load, server } = variant as Variant;
      await load.ask('close', null);
      const count = bench.quick ? 100 : 1_000;
      await openAll(load, server, mintTokens(count, TENANTS), 64);
      return count;
    },
  },
];

/** Processor time of the server for each work, with and without each protection, as Markdown. */
export async function measureProtections(bench: Bench, host: Host): Promise<Section> {
  const parts: string[] = [];
  const rounds = bench.quick ? 2 : 10;
  // All of them first: what is not found in the built file is told before anything is measured.
  const copies = WORKS.map((work, index) =>
    [NONE, ...work.protections].map((protection, which) =>
      without(host, protection, `copy-${index}-${which}`),
    ),
  );
  for (const [index, work] of WORKS.entries()) {
    const costs = await measureWork(bench, work, copies[index] ?? [], rounds);
    const base = costs.get(NONE.name) as readonly number[];
    const rows = [...costs].map(([name, micros]) => {
      const shares = micros.map((value, round) => 1 - value / (base[round] as number));
      const share = name === NONE.name ? '' : `${middle(shares.map((part) => part * 100))} %`;
      return [name === NONE.name ? name : `without: ${name}`, middle(micros), share];
    });
    parts.push(table([[`A ${work.title}`, 'server CPU µs', 'its share'], ...rows]));
  }
  const text = [
    '## What protections cost',
    `Copies of the generated server, each without one protection. Client events of ${SOCKETS} sockets and handshakes come to one copy after another, a broker event to all at once. Shares are taken round by round: median (quartiles) of ${rounds} rounds. What is smaller than its quartiles are apart is not told from nothing.`,
    ...parts,
  ].join('\n\n');
  return { text, goals: [] };
}

/** The median and the quartiles. */
function middle(values: readonly number[]): string {
  const [low, half, high] = [25, 50, 75].map((p) => percentile(values, p).toFixed(1));
  return `${half} (${low}–${high})`;
}

async function measureWork(
  bench: Bench,
  work: Work,
  copies: readonly System[],
  rounds: number,
): Promise<Map<string, readonly number[]>> {
  const variants: Variant[] = [];
  const costs = new Map<string, number[]>();
  try {
    for (const [index, { name }] of [NONE, ...work.protections].entries()) {
      const server = await startSystem(copies[index] as System, bench.rabbitmq);
      const load = Worker.start<LoadCommands>('load');
      variants.push({ name, server, load });
      await openAll(load, server, mintTokens(SOCKETS, TENANTS));
      costs.set(name, []);
    }
    // The first ones, of code that is not optimised yet, do not count.
    for (let round = -2; round < rounds; round += 1) {
      // Each round begins with another one: no copy always follows the same.
      const first = (round + 2) % variants.length;
      const inTurn = [...variants.slice(first), ...variants.slice(0, first)];
      const groups = work.isShared ? [variants] : inTurn.map((variant) => [variant]);
      for (const group of groups) {
        const before = group.map(({ server }) => server.cpu());
        const done = await work.run(bench, group);
        for (const [index, { name, server }] of group.entries()) {
          const micros = ((server.cpu() - (before[index] as number)) / done) * 1e6;
          if (round >= 0) costs.get(name)?.push(micros);
        }
      }
    }
    return costs;
  } finally {
    for (const { load, server } of variants) {
      load.stop();
      await server.stop();
    }
  }
}

/** A copy of the built server, with a queue of its own. */
function without(host: Host, { name, find, replace }: Protection, app: string): System {
  const dist = distOf(host, 'api-gateway');
  const built = readFileSync(join(host.root, dist, 'main.js'), 'utf8');
  const edits: readonly (readonly [string, string])[] = [
    ['`realtime.${app}`', `'realtime.${app}'`],
    ...(find === '' ? [] : [[find, replace] as const]),
  ];
  const text = edits.reduce((source, [from, to]) => {
    if (source.split(from).length !== 2) throw new Error(`Not once in main.js: ${from}`);
    return source.replace(from, () => to);
  }, built);
  const folder = join(host.root, dist, app);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'main.js'), text);
  return {
    name: 'nx-realtime',
    label: `without: ${name}`,
    protocol: 'socket.io',
    queues: [`realtime.${app}`, `realtime.${app}.dead`],
    entry: () => ({ cwd: host.root, args: `${dist}/${app}/main.js` }),
  };
}
