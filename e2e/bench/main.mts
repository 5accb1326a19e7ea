/**
 * `npm run bench [-- <scenario> ...] [--quick] [--rounds=3]`: what is generated against three servers written by hand,
 * in one run, on this machine. Prints tables; a whole run writes docs/benchmarks.md.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { startOwnRabbit, startOwnRedis } from '../support/brokers.js';
import { cleanUp } from '../support/processes.js';
import { artifact, REPO } from '../support/repo.js';
import { measureGeneration } from './generation.js';
import { describeMachine, isPinned, pin } from './machine.js';
import type { Bench, Figures } from './measure.js';
import { profileShares } from './profile.js';
import type { PublishCommands } from './publish.js';
import { replicas, SCENARIOS, type Scenario } from './scenarios.js';
import { buildGenerated, defineSystems, RAISED_LIMITS, type System } from './systems.js';
import { Worker } from './worker.js';

/** Figures of each system, one for each round. */
type Rounds = Map<System, Figures[]>;

const args = process.argv.slice(2);
const quick = args.includes('--quick');
const rounds = Number(args.find((arg) => arg.startsWith('--rounds='))?.slice(9) ?? (quick ? 1 : 3));
const wanted = args.filter((arg) => !arg.startsWith('--'));

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => void cleanUp().finally(() => process.exit(130)));
}

try {
  await main();
} finally {
  await cleanUp();
}
process.exit();

async function main(): Promise<void> {
  const started = Date.now();
  const rabbit = await startOwnRabbit();
  const redis = await startOwnRedis();
  const publisher = Worker.start<PublishCommands>('publish');
  try {
    for (const pid of [rabbit.pid, redis.pid]) pin(pid, 'load');
    await publisher.ask('connect', { url: rabbit.url });
    const bench: Bench = { rabbitmq: rabbit.url, publisher, quick };
    console.error('Building what is generated');
    const host = await buildGenerated();
    const systems = defineSystems(host);
    const all = [
      ...SCENARIOS,
      replicas(1, undefined),
      replicas(1, redis.url, redis.pid),
      replicas(2, redis.url, redis.pid),
    ];
    const known = [...all.map(({ name }) => name), 'profile', 'generation'];
    const isWanted = (name: string): boolean =>
      wanted.length === 0 || wanted.some((prefix) => name.startsWith(prefix));
    const chosen = all.filter(({ name }) => isWanted(name));
    if (!known.some(isWanted)) throw new Error(`No such scenario. Scenarios: ${known.join(', ')}`);
    const sections: string[] = [];
    const figures: Record<string, Record<string, Figures[]>> = {};
    for (const scenario of chosen) {
      const results = await runScenario(bench, scenario, systems);
      figures[scenario.name] = Object.fromEntries(
        [...results].map(([{ name }, list]) => [name, list]),
      );
      const section = formatSection(scenario, results);
      console.log(`\n${section}`);
      sections.push(section);
    }
    if (isWanted('profile')) {
      const section = await profileShares(bench, systems['nx-realtime']);
      console.log(`\n${section}`);
      sections.push(section);
    }
    if (isWanted('generation')) {
      console.error('generation');
      const section = await measureGeneration(host, quick ? 1 : rounds);
      console.log(`\n${section}`);
      sections.push(section);
    }
    writeFileSync(artifact('bench.json'), `${JSON.stringify(figures, null, 2)}\n`);
    const minutes = ((Date.now() - started) / 60_000).toFixed(1);
    console.error(`${minutes} minutes`);
    if (wanted.length === 0 && !quick) writeDocs(sections, minutes);
  } finally {
    publisher.stop();
    await Promise.all([rabbit.stop(), redis.stop()]);
  }
}

async function runScenario(
  bench: Bench,
  scenario: Scenario,
  systems: Record<string, System>,
): Promise<Rounds> {
  const results: Rounds = new Map();
  for (let round = 0; round < rounds; round += 1) {
    for (const name of scenario.systems) {
      const system = systems[name] as System;
      console.error(`${scenario.name}, round ${round + 1}: ${system.label}`);
      const figures = await scenario.run(bench, system);
      results.set(system, [...(results.get(system) ?? []), figures]);
    }
  }
  return results;
}

function formatSection({ title, method, columns, ratios }: Scenario, results: Rounds): string {
  const head = ['', ...columns.map(([, heading]) => heading)];
  const rows = [...results].map(([{ label }, list]) => [
    label,
    ...columns.map(([figure, , digits]) => spread(valuesOf(list, figure), digits)),
  ]);
  const baseline = [...results].find(([{ name }]) => name === 'socket.io')?.[1];
  const compared = [...results].filter(([{ name }]) => name !== 'socket.io');
  const lines = ratios.flatMap((figure) => {
    const heading = columns.find(([name]) => name === figure)?.[1] ?? figure;
    return compared.map(([{ label }, list]) => {
      // Round by round: what disturbed both is in neither.
      const pairs = list.map(
        (figures, round) => at(figures, figure) / at(baseline?.[round], figure),
      );
      return `- ${heading}: ${label} is ${spread(pairs, 2)} of (a)`;
    });
  });
  return [`## ${title}`, method, table([head, ...rows]), ...(baseline ? [lines.join('\n')] : [])]
    .filter(Boolean)
    .join('\n\n');
}

function valuesOf(list: readonly Figures[], figure: string): number[] {
  return list.map((figures) => at(figures, figure));
}

function at(figures: Figures | undefined, figure: string): number {
  return figures?.[figure] ?? NaN;
}

/** The median, and the least and the greatest where there are several. */
function spread(values: readonly number[], digits: number): string {
  const sorted = [...values].sort((a, b) => a - b);
  const median = sorted[Math.floor((sorted.length - 1) / 2)] ?? NaN;
  const range = [sorted[0], sorted.at(-1)].map((value) => (value ?? NaN).toFixed(digits));
  return sorted.length > 1
    ? `${median.toFixed(digits)} (${range.join('–')})`
    : median.toFixed(digits);
}

function table(rows: readonly (readonly string[])[]): string {
  const [head = [], ...body] = rows;
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...body.map(line)].join('\n');
}

function writeDocs(sections: readonly string[], minutes: string): void {
  const file = join(REPO, 'docs/benchmarks.md');
  const marker = '<!-- Written by npm run bench from here on -->';
  const own = readFileSync(file, 'utf8').split(marker)[0] ?? '';
  const commit = execFileSync('git', ['rev-parse', '--short', 'HEAD'], {
    cwd: REPO,
    encoding: 'utf8',
  });
  const limits = Object.keys(RAISED_LIMITS).join(', ');
  const facts = [
    `Commit ${commit.trim()}, ${new Date().toISOString().slice(0, 10)}, ${describeMachine()}, ${minutes} minutes, ${rounds} rounds: median (least–greatest).`,
    isPinned
      ? 'The server has one core to itself; RabbitMQ, Redis, the publisher and the load share the other.'
      : 'Processes were not bound to cores.',
    `Versions: ${versions().join(', ')}.`,
    `Raised for the load: ${limits}. All other protections are on.`,
  ];
  writeFileSync(file, `${own}${marker}\n\n${facts.join('\n\n')}\n\n${sections.join('\n\n')}\n`);
  execFileSync('npx', ['prettier', '--write', file], { cwd: REPO, stdio: 'ignore' });
}

function versions(): string[] {
  const names = ['@nestjs/core', 'socket.io', 'ws', 'amqplib', 'ioredis', 'jsonwebtoken'];
  return names.map((name) => {
    const manifest = readFileSync(join(REPO, 'node_modules', name, 'package.json'), 'utf8');
    return `${name} ${(JSON.parse(manifest) as { version: string }).version}`;
  });
}
