import { setTimeout as delay } from 'node:timers/promises';
import type { LoadCommands } from './load';
import { coreSeconds, cpuSeconds } from './machine';
import type { PublishCommands } from './publish';
import {
  mintTokens,
  startSystem,
  type Algorithm,
  type RunningSystem,
  type System,
} from './systems';
import { Worker } from './worker';

/** One run's figures by name, of one system. */
export type Figures = Record<string, number>;

export interface Bench {
  readonly rabbitmq: string;
  readonly publisher: Worker<PublishCommands>;
  /** Shortens every measurement: to see that it works. */
  readonly quick: boolean;
}

const WAIT_MS = 60_000;

/** Runs `measure` on a fresh server with fresh connections; both are gone afterwards. */
export async function withSystem<T>(
  bench: Bench,
  system: System,
  options: { readonly algorithm?: Algorithm; readonly env?: NodeJS.ProcessEnv },
  measure: (server: RunningSystem, load: Worker<LoadCommands>) => Promise<T>,
): Promise<T> {
  const server = await startSystem(system, bench.rabbitmq, options);
  const load = Worker.start<LoadCommands>('load');
  try {
    return await measure(server, load);
  } finally {
    load.stop();
    await server.stop();
  }
}

/** Opens connections and fails when one is refused: nothing is measured by halves. */
export async function openAll(
  load: Worker<LoadCommands>,
  server: RunningSystem,
  tokens: readonly string[],
  concurrency = 100,
  ports: readonly number[] = [server.port],
): Promise<LoadCommands['open']['out']> {
  const { protocol } = server.system;
  const opened = await load.ask('open', {
    port: server.port,
    ports,
    protocol,
    tokens,
    concurrency,
  });
  if (opened.failed > 0) throw new Error(`${opened.failed} refused: ${opened.refusal}`);
  return opened;
}

/** Seconds of a core for each second: the load must not be the bottleneck. */
export interface Shares extends Figures {
  /** Of the servers together. */
  serverShare: number;
  /** Of the process that makes the load. */
  loadShare: number;
  /** Of its core, which brokers and publisher use too. */
  coreShare: number;
}

/** What used the processor while `work` ran, in shares and, of the servers, in seconds. */
export async function measureShares<T>(
  servers: readonly RunningSystem[],
  load: Worker<LoadCommands>,
  work: () => Promise<T>,
): Promise<{ result: T; shares: Shares; serverCpu: number }> {
  const now = (): [server: number, load: number, core: number] => [
    servers.reduce((sum, server) => sum + server.cpu(), 0),
    cpuSeconds(load.pid),
    coreSeconds('load'),
  ];
  const [began, before] = [performance.now(), now()];
  const result = await work();
  const after = now();
  const seconds = (performance.now() - began) / 1_000;
  const shareOf = (index: 0 | 1 | 2): number => (after[index] - before[index]) / seconds;
  const shares = { serverShare: shareOf(0), loadShare: shareOf(1), coreShare: shareOf(2) };
  return { result, shares, serverCpu: after[0] - before[0] };
}

export interface BurstResult extends Shares {
  /** Thousand deliveries a second. */
  rate: number;
  /** Server CPU for one delivery, in microseconds. */
  cpu: number;
}

/** `events` as fast as the broker takes them, until the last has arrived everywhere. */
export async function burst(
  bench: Bench,
  load: Worker<LoadCommands>,
  servers: readonly RunningSystem[],
  { events, tenants, members }: { events: number; tenants: readonly string[]; members: number },
): Promise<BurstResult> {
  await load.ask('reset', { ages: false });
  const expected = events * members;
  const { result, shares, serverCpu } = await measureShares(servers, load, () =>
    Promise.all([
      bench.publisher.ask('burst', { count: events, tenants }),
      load.ask('wait', { events: expected, timeoutMs: WAIT_MS }),
    ]),
  );
  const [{ startedAt }, { events: got, lastAt }] = result;
  if (got < expected) throw new Error(`${got} of ${expected} deliveries arrived`);
  const seconds = (lastAt - startedAt) / 1e6;
  return { rate: got / seconds / 1_000, cpu: (serverCpu / got) * 1e6, ...shares };
}

export interface PacedResult extends Figures {
  p50: number;
  p99: number;
  /** Server CPU for one delivery, in microseconds. */
  cpu: number;
  /** Of what was due, the share that arrived. */
  delivered: number;
}

/** `rate` events a second: how old each is on arrival, in milliseconds. */
export async function paced(
  bench: Bench,
  load: Worker<LoadCommands>,
  servers: readonly RunningSystem[],
  options: { rate: number; tenants: readonly string[]; members: number; waitMs?: number },
): Promise<PacedResult> {
  const seconds = bench.quick ? 2 : 6;
  const { rate, tenants, members } = options;
  await load.ask('reset', { ages: true });
  const cpuOf = (): number => servers.reduce((sum, server) => sum + server.cpu(), 0);
  const cpu = cpuOf();
  await bench.publisher.ask('paced', { rate, seconds, tenants });
  const expected = rate * seconds * members;
  const wait = { events: expected, timeoutMs: options.waitMs ?? WAIT_MS };
  const { events, p50, p99 } = await load.ask('wait', wait);
  return { p50, p99, cpu: ((cpuOf() - cpu) / events) * 1e6, delivered: events / expected };
}

/** A few events that nobody counts, until the last has arrived: code that runs for the first time is slow. */
export async function warmUp(
  bench: Bench,
  load: Worker<LoadCommands>,
  { tenants, members }: { tenants: readonly string[]; members: number },
): Promise<void> {
  const [rate, seconds] = [100, 0.5];
  await load.ask('reset', { ages: false });
  await bench.publisher.ask('paced', { rate, seconds, tenants });
  const events = rate * seconds * members;
  const arrived = await load.ask('wait', { events, timeoutMs: WAIT_MS });
  if (arrived.events < events) throw new Error(`${arrived.events} of ${events} arrived at first`);
  await delay(500);
}

export { mintTokens };
