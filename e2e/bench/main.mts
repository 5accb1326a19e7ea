/**
 * `npm run bench [-- <scenario> ...] [--quick] [--rounds=3]`: what is generated against three servers written by hand,
 * in one run, on this machine. Prints tables and writes test-artifacts/bench.json; a whole run writes
 * docs/benchmarks.md. Ends with 1 when a scenario fails, and by itself when the run takes too long.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { startOwnRabbit, startOwnRedis } from '../support/brokers.js';
import { cleanUp } from '../support/processes.js';
import { artifact, REPO } from '../support/repo.js';
import { measureGeneration } from './generation.js';
import { checkLimits, describeMachine, isPinned, pin } from './machine.js';
import type { Bench, Figures } from './measure.js';
import { profileShares } from './profile.js';
import { measureProtections } from './protections.js';
import type { PublishCommands } from './publish.js';
import { goalsSection, scenarioSection, type Rounds, type Section } from './report.js';
import { REPLICAS, SCENARIOS, type Scenario } from './scenarios.js';
import { buildGenerated, defineSystems, RAISED_LIMITS, type System } from './systems.js';
import { Worker } from './worker.js';

/** A bound and no forecast: one round with --quick took 16 minutes on a machine that was eight times overloaded. */
const LIMIT_MINUTES = 50;

const KNOWN = [
  ...SCENARIOS,
  ...REPLICAS.map((scenarioWith) => scenarioWith({ url: '', pid: 0 })),
].map(({ name }) => name);
KNOWN.push('protections', 'profile', 'generation');

const args = process.argv.slice(2);
const quick = args.includes('--quick');
const rounds = Number(args.find((arg) => arg.startsWith('--rounds='))?.slice(9) ?? (quick ? 1 : 3));
const wanted = args.filter((arg) => !arg.startsWith('--'));
const started = Date.now();

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void end(130));
setTimeout(() => {
  console.error(`Not done after ${LIMIT_MINUTES} minutes`);
  void end(1);
}, LIMIT_MINUTES * 60_000).unref();

await main().then(end, (error: unknown) => {
  console.error(error);
  return end(1);
});

/** Brokers and workers end with this process. */
async function end(code: number): Promise<never> {
  await cleanUp();
  process.exit(code);
}

/** @returns the exit code */
async function main(): Promise<number> {
  const mistake = mistakeInArguments();
  if (mistake !== undefined) {
    console.error(mistake);
    return 2;
  }
  checkLimits();
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
    const redisLink = { url: redis.url, pid: redis.pid };
    const parts: [name: string, measure: () => Promise<Section & { figures?: unknown }>][] = [
      ...[...SCENARIOS, ...REPLICAS.map((scenarioWith) => scenarioWith(redisLink))].map(
        (scenario): (typeof parts)[number] => [
          scenario.name,
          () => measureScenario(bench, scenario, systems),
        ],
      ),
      ['protections', () => measureProtections(bench, host)],
      ['profile', () => profileShares(bench, systems['nx-realtime'])],
      ['generation', () => measureGeneration(host, rounds)],
    ];
    const sections: Section[] = [];
    const figures: Record<string, unknown> = {};
    const failed: string[] = [];
    for (const [name, measure] of parts) {
      if (!isWanted(name)) continue;
      const began = Date.now();
      try {
        const section = await measure();
        figures[name] = section.figures;
        sections.push(section);
        console.log(`\n${section.text}\n`);
      } catch (error) {
        failed.push(name);
        console.error(`${name} failed:`, error);
      }
      console.error(`${name}: ${((Date.now() - began) / 1_000).toFixed(0)} s`);
      writeResults(figures, failed);
    }
    const goals = sections.flatMap((section) => section.goals);
    if (goals.length > 0) sections.push({ text: goalsSection(goals), goals: [] });
    console.log(`\n${goals.length > 0 ? `${sections.at(-1)?.text}\n` : ''}`);
    console.error(`${minutes()} minutes`);
    if (failed.length > 0) {
      console.error(`Failed: ${failed.join(', ')}`);
      return 1;
    }
    if (wanted.length === 0 && !quick) writeDocs(sections);
    return 0;
  } finally {
    publisher.stop();
    await Promise.all([rabbit.stop(), redis.stop()]);
  }
}

/** Names that were given, or begin with one that is none itself. */
function isWanted(name: string): boolean {
  if (wanted.length === 0) return true;
  return wanted.some((given) => (KNOWN.includes(given) ? given === name : name.startsWith(given)));
}

/** Before anything is built: a mistyped name is not found out after minutes. */
function mistakeInArguments(): string | undefined {
  if (!Number.isInteger(rounds) || rounds < 1) return '--rounds takes a whole number';
  const unknown = wanted.filter((given) => !KNOWN.some((name) => name.startsWith(given)));
  if (unknown.length === 0) return undefined;
  return `No such scenario: ${unknown.join(', ')}. Scenarios: ${KNOWN.join(', ')}`;
}

async function measureScenario(
  bench: Bench,
  scenario: Scenario,
  systems: Record<string, System>,
): Promise<Section & { figures: Record<string, readonly Figures[]> }> {
  const results = new Map<System, Figures[]>();
  for (let round = 0; round < rounds; round += 1) {
    for (const name of scenario.systems) {
      const system = systems[name] as System;
      console.error(`${scenario.name}, round ${round + 1}: ${system.label}`);
      const figures = await scenario.run(bench, system);
      results.set(system, [...(results.get(system) ?? []), figures]);
    }
  }
  const figures = Object.fromEntries([...results].map(([{ name }, list]) => [name, list]));
  return { ...scenarioSection(scenario, results satisfies Rounds), figures };
}

function writeResults(figures: Record<string, unknown>, failed: readonly string[]): void {
  const results = { command: command(), ...facts(), figures, failed };
  writeFileSync(artifact('bench.json'), `${JSON.stringify(results, null, 2)}\n`);
}

function writeDocs(sections: readonly Section[]): void {
  const file = join(REPO, 'docs/benchmarks.md');
  const marker = '<!-- Written by npm run bench from here on -->';
  const own = readFileSync(file, 'utf8').split(marker)[0] ?? '';
  const { commit, date, machine, versions } = facts();
  const lines = [
    `\`${command()}\` at commit ${commit}, ${date}: ${machine}, ${minutes()} minutes, ${rounds} rounds: median (least–greatest).`,
    isPinned
      ? 'The server has one core to itself; RabbitMQ, Redis, the publisher and the load share the other.'
      : 'Processes were not bound to cores.',
    `Versions: ${versions.join(', ')}.`,
    `Raised for the load: ${Object.keys(RAISED_LIMITS).join(', ')}. All other protections are on.`,
    ...sections.map(({ text }) => text),
  ];
  writeFileSync(file, `${own}${marker}\n\n${lines.join('\n\n')}\n`);
  execFileSync('npx', ['prettier', '--write', file], { cwd: REPO, stdio: 'ignore' });
}

function command(): string {
  return ['npm run bench', ...(args.length > 0 ? ['--', ...args] : [])].join(' ');
}

function minutes(): string {
  return ((Date.now() - started) / 60_000).toFixed(1);
}

interface Facts {
  readonly commit: string;
  readonly date: string;
  readonly machine: string;
  readonly versions: readonly string[];
}

function facts(): Facts {
  const git = ['rev-parse', '--short', 'HEAD'];
  const names = ['@nestjs/core', 'socket.io', 'ws', 'amqplib', 'ioredis', 'jsonwebtoken', 'nx'];
  return {
    commit: execFileSync('git', git, { cwd: REPO, encoding: 'utf8' }).trim(),
    date: new Date().toISOString().slice(0, 10),
    machine: describeMachine(),
    versions: names.map((name) => {
      const manifest = readFileSync(join(REPO, 'node_modules', name, 'package.json'), 'utf8');
      return `${name} ${(JSON.parse(manifest) as { version: string }).version}`;
    }),
  };
}
