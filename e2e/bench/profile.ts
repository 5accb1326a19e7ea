import { burst, mintTokens, openAll, warmUp, withSystem, type Bench } from './measure';
import { nameTenants, type RunningSystem, type SelfTime, type System } from './systems';
import type { LoadCommands } from './load';
import { table, type Section } from './report';
import type { Worker } from './worker';

type Work = (
  bench: Bench,
  server: RunningSystem,
  load: Worker<LoadCommands>,
) => Promise<readonly SelfTime[]>;

const TENANTS = ['t1'];
const SYSTEM_CALLS = /^(writev|writeUtf8String|writeBuffer|writeLatin1String|shutdown|open)$/;

/** Loads whose time is told apart, by what the table calls them. */
const WORKS: Readonly<Record<string, Work>> = {
  'fan-out': async (bench, server, load) => {
    const to = { tenants: TENANTS, members: 1_000 };
    await openAll(load, server, mintTokens(1_000, TENANTS));
    await warmUp(bench, load, to);
    const events = bench.quick ? 100 : 600;
    return server.profile(() => burst(bench, load, [server], { ...to, events }));
  },
  'many rooms': async (bench, server, load) => {
    const to = { tenants: nameTenants(1_000), members: 5 };
    await openAll(load, server, mintTokens(5_000, to.tenants));
    await warmUp(bench, load, to);
    const events = bench.quick ? 4_000 : 20_000;
    return server.profile(() => burst(bench, load, [server], { ...to, events }));
  },
  'client events': async (bench, server, load) => {
    await openAll(load, server, mintTokens(1_000, TENANTS));
    await load.ask('emit', { seconds: 1, rate: 0 });
    return server.profile(() => load.ask('emit', { seconds: bench.quick ? 2 : 5, rate: 0 }));
  },
  handshakes: async (bench, server, load) => {
    await openAll(load, server, mintTokens(500, TENANTS), 64);
    return server.profile(() =>
      openAll(load, server, mintTokens(bench.quick ? 1_000 : 4_000, TENANTS), 64),
    );
  },
};

/** Where the server's time goes under each load, as a Markdown table of shares by package. */
export async function profileShares(bench: Bench, system: System): Promise<Section> {
  const columns: Map<string, number>[] = [];
  for (const work of Object.values(WORKS)) {
    const times = await withSystem(bench, system, {}, (server, load) => work(bench, server, load));
    columns.push(sharesOf(times));
  }
  const groups = [...new Set(columns.flatMap((shares) => [...shares.keys()]))].sort(
    (a, b) => sum(columns, b) - sum(columns, a),
  );
  const rows = groups
    .filter((group) => columns.some((shares) => (shares.get(group) ?? 0) >= 0.005))
    .map((group) => {
      const cells = columns.map((shares) => `${((shares.get(group) ?? 0) * 100).toFixed(1)} %`);
      return [group, ...cells];
    });
  const text = [
    `## Where the time goes: ${system.label}`,
    'Shares of the CPU time of functions themselves, by package; idle time is left out.',
    table([['', ...Object.keys(WORKS)], ...rows]),
  ].join('\n\n');
  return { text, goals: [] };
}

function sharesOf(times: readonly SelfTime[]): Map<string, number> {
  const busy = times.filter(([name]) => name !== '(idle)');
  const total = busy.reduce((all, [, , micros]) => all + micros, 0);
  const shares = new Map<string, number>();
  for (const [name, script, micros] of busy) {
    const group = groupOf(name, script);
    shares.set(group, (shares.get(group) ?? 0) + micros / total);
  }
  return shares;
}

function groupOf(name: string, script: string): string {
  if (name === '(garbage collector)') return 'garbage collection';
  const [, packageName] =
    /node_modules\/((?:@[^/]+\/)?[^/]+)\/(?!.*node_modules\/)/.exec(script) ?? [];
  if (packageName) return packageName;
  if (script.endsWith('/main.js')) return 'generated code';
  if (script.includes('async_hooks')) return 'Node: async context';
  if (SYSTEM_CALLS.test(name)) return 'Node: system calls';
  return script === '' ? 'Node: native' : 'Node: JavaScript';
}

function sum(columns: readonly Map<string, number>[], group: string): number {
  return columns.reduce((all, shares) => all + (shares.get(group) ?? 0), 0);
}
