/**
 * `npm test [-- <lane> ...]`: every lane, each with its time. A lane is a vitest project of a
 * package, or `e2e`. Fails when a lane fails, when a test is skipped and when a lane has no test.
 * `--all` adds the lanes that are too long for every change.
 * The last line is the sum over all lanes: `N passed, N failed, N skipped`.
 */
import { execFileSync, spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { basename, join } from 'node:path';
import { loadConfigFromFile } from 'vite';
import { chromiumPath } from '../e2e/support/browser.js';
import { packTarballs } from '../e2e/support/pack.js';
import { REPO } from '../e2e/support/repo.js';
import { tarballVariables } from '../e2e/support/tarballs.js';
import type { Tarballs } from '../e2e/support/tarballs.js';

interface Lane {
  readonly name: string;
  readonly long: boolean;
  readonly env?: Readonly<Record<string, string>>;
  /** Whether its tests install the packed packages. */
  readonly packed?: boolean;
  /** Test files that are run each by itself, so that they can be run side by side. */
  readonly files?: readonly string[];
  /** Arguments of `npx` that run it, or one of its files, and write a report in Jest's JSON format. */
  readonly command: (report: string, file?: string) => readonly string[];
}

/** A lane, or one file of it. */
interface Job {
  readonly lane: Lane;
  readonly file?: string;
}

interface Result extends Counts {
  readonly name: string;
  readonly seconds: number;
  readonly ok: boolean;
}

interface Counts {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  /** Each test that failed, with what it said. */
  readonly failures: readonly string[];
}

/** What vitest and Jest both write. */
interface Report {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numPendingTests: number;
  readonly numTodoTests: number;
  readonly testResults: readonly {
    readonly name: string;
    readonly status: string;
    readonly message?: string;
    readonly assertionResults: readonly {
      readonly status: string;
      readonly fullName: string;
      readonly failureMessages?: readonly string[];
    }[];
  }[];
}

const REPORTS = join(REPO, 'test-artifacts/reports');
const SUMMARY = join(REPORTS, 'summary.txt');

/** Debian package and the binary that shows it is there. */
const PACKAGES: readonly (readonly [name: string, isInstalled: () => boolean])[] = [
  ['rabbitmq-server', () => isCommand('rabbitmq-server') || isSet('RABBITMQ_URL')],
  ['redis-server', () => isCommand('redis-server') || isSet('REDIS_URL')],
  ['nginx', () => isCommand('nginx')],
  ['chromium', () => chromiumPath() !== undefined],
];

const LANES: readonly Lane[] = [
  ...(await vitestLanes('packages/plugin')),
  ...(await vitestLanes('packages/nest')),
  ...(await vitestLanes('packages/react')),
  ...(await vitestLanes('packages/eslint-plugin')),
  jestLane('e2e', '.e2e.ts'),
  {
    ...vitestLane('packages/nest', 'kernel', 'test/fuzz.test.ts'),
    name: 'long-fuzz',
    long: true,
    env: { KERNEL_FUZZ_SECONDS: '300' },
  },
  {
    ...vitestLane('packages/nest', 'kernel'),
    name: 'kernel-packed',
    long: true,
    packed: true,
    env: { KERNEL_PACKED: '1' },
  },
  {
    ...vitestLane('packages/plugin', 'emitted', 'test/emitted/format.test.ts'),
    name: 'long-format',
    long: true,
    env: { FORMAT_RUNS: '4000' },
  },
  { ...jestLane('matrix', '.matrix.ts'), long: true },
  { ...jestLane('upgrade', '.upgrade.ts'), long: true },
  { ...jestLane('deploy', '.deploy.ts'), long: true },
  { ...jestLane('quick-start', '.quick-start.ts'), long: true },
  {
    ...vitestLane('packages/nest', 'kernel', 'test/topology.test.ts'),
    name: 'long-faults',
    long: true,
    env: { KERNEL_REPLICAS: '4', KERNEL_LOAD_MS: '3000' },
  },
  {
    name: 'mutation',
    long: true,
    command: (report) => ['tsx', 'scripts/mutate.mts', `--report=${report}`],
  },
];

/** They wait for nothing: alone they take every core, where vitest leaves one free. */
const COMPUTING: ReadonlySet<string> = new Set(['unit', 'emitted', 'rules', 'react-package']);

/** They wait for timers and compute next to nothing: two of their files run side by side. */
const WAITING: ReadonlySet<string> = new Set(['web', 'web-react18']);

let tarballs: Tarballs | undefined;

/** What runs now. */
const children = new Set<ChildProcess>();

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => {
    for (const child of children) child.kill(signal);
    process.exit(130);
  });
}

await main(process.argv.slice(2));

async function main(args: readonly string[]): Promise<void> {
  const all = args.includes('--all');
  const names = args.filter((arg) => arg !== '--all');
  const unknown = names.filter((name) => !LANES.some((lane) => lane.name === name));
  if (unknown.length > 0) {
    console.error(
      `No such lane: ${unknown.join(', ')}. Lanes: ${LANES.map(({ name }) => name).join(', ')}`,
    );
    process.exit(2);
  }
  const lanes = LANES.filter((lane) =>
    names.length > 0 ? names.includes(lane.name) : all || !lane.long,
  );
  installMissing();
  rmSync(REPORTS, { recursive: true, force: true });
  mkdirSync(REPORTS, { recursive: true });
  const started = Date.now();
  const results = await runLanes(lanes);
  const rows = lanes.flatMap((lane): Result[] => {
    const own = [...results].flatMap(([job, result]) => (job.lane === lane ? [result] : []));
    return own.length > 1 ? [sumOf(lane.name, own), ...own] : own;
  });
  printTable(rows, (Date.now() - started) / 1_000);
  const { passed, failed, skipped, failures, ok } = sumOf('all', [...results.values()]);
  // Once more at the end, where a log that was cut still has them.
  for (const failure of failures) console.log(`FAILED ${failure.slice(0, 4_000)}\n`);
  const summary = `${passed} passed, ${failed} failed, ${skipped} skipped`;
  writeFileSync(SUMMARY, `${summary}\n`);
  console.log(summary);
  process.exitCode = ok ? 0 : 1;
}

/**
 * Two at a time: one worker takes from the front of the list, where the lanes mostly wait, the other from its
 * end, where they mostly compute. Then one by one the long ones: a long lane renders where one of these does.
 */
async function runLanes(lanes: readonly Lane[]): Promise<Map<Job, Result>> {
  const results = new Map<Job, Result>();
  const jobs = lanes.flatMap(jobsOf);
  const side = jobs.filter(({ lane }) => !lane.long);
  const alone = jobs.length === 1;
  const work = async (next: () => Job | undefined): Promise<void> => {
    for (let job = next(); job; job = next()) results.set(job, await runJob(job, alone));
  };
  await Promise.all([work(() => side.shift()), ...(isShared() ? [] : [work(() => side.pop())])]);
  for (const job of jobs) {
    if (job.lane.long) results.set(job, await runJob(job, true));
  }
  return results;
}

function jobsOf(lane: Lane): readonly Job[] {
  return lane.files?.map((file) => ({ lane, file })) ?? [{ lane }];
}

function nameOf({ lane, file }: Job): string {
  return file === undefined || lane.files?.length === 1 ? lane.name : `- ${basename(file, '.ts')}`;
}

function sumOf(name: string, parts: readonly Result[]): Result {
  const sum = (key: 'passed' | 'failed' | 'skipped' | 'seconds'): number =>
    parts.reduce((total, part) => total + part[key], 0);
  return {
    name,
    passed: sum('passed'),
    failed: sum('failed'),
    skipped: sum('skipped'),
    failures: parts.flatMap(({ failures }) => failures),
    seconds: sum('seconds'),
    ok: parts.every(({ ok }) => ok),
  };
}

/** @param alone whether nothing runs beside it: else what it prints is printed as a whole, when it has ended */
async function runJob(job: Job, alone: boolean): Promise<Result> {
  const { lane, file } = job;
  const stdio = alone ? 'inherit' : 'pipe';
  const title = file === undefined ? lane.name : `${lane.name}: ${file}`;
  const report = join(REPORTS, `${[lane.name, ...(file ? [basename(file)] : [])].join('-')}.json`);
  const started = Date.now();
  if (alone) console.log(`\n=== ${title} ===`);
  const child = spawn('npx', ['--no-install', ...lane.command(report, file)], {
    cwd: REPO,
    // In CI no runner watches, and none writes a snapshot that is missing.
    env: {
      ...process.env,
      CI: 'true',
      ...workersOf(lane, alone),
      ...(lane.packed && packed()),
      ...lane.env,
    },
    stdio: ['ignore', stdio, stdio],
  });
  children.add(child);
  const output: Buffer[] = [];
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('data', (chunk: Buffer) => output.push(chunk));
  }
  const [status] = (await once(child, 'close')) as [number | null];
  children.delete(child);
  if (!alone) {
    console.log(`\n=== ${title} ===`);
    process.stdout.write(Buffer.concat(output));
  }
  const seconds = (Date.now() - started) / 1_000;
  const counts = readReport(report);
  // A file that could not be loaded, and a runner that died, have no failed test of their own.
  const failed = Math.max(counts.failed, status === 0 && counts.passed > 0 ? 0 : 1);
  const ok = status === 0 && failed === 0 && counts.skipped === 0;
  return { ...counts, name: nameOf(job), failed, seconds, ok };
}

/** How many files of a lane vitest runs at a time, where that is not for it to choose. */
function workersOf({ name }: Lane, alone: boolean): NodeJS.ProcessEnv {
  if (WAITING.has(name)) return { VITEST_MAX_WORKERS: '2' };
  if (alone && COMPUTING.has(name)) return { VITEST_MAX_WORKERS: String(availableParallelism()) };
  if (isShared() && !COMPUTING.has(name)) return { VITEST_MAX_WORKERS: '1' };
  return {};
}

/** Names the packages' tarballs to the tests, packed on first use. */
function packed(): NodeJS.ProcessEnv {
  tarballs ??= packTarballs();
  return tarballVariables(tarballs);
}

/** Nothing of a runner that died before it wrote all of its report. */
function readReport(file: string): Counts {
  let report: Report;
  try {
    report = JSON.parse(readFileSync(file, 'utf8')) as Report;
  } catch {
    return { passed: 0, failed: 0, skipped: 0, failures: [] };
  }
  const broken = report.testResults.filter(
    ({ status, assertionResults }) => status === 'failed' && assertionResults.length === 0,
  );
  return {
    passed: report.numPassedTests,
    failed: report.numFailedTests + broken.length,
    skipped: report.numPendingTests + report.numTodoTests,
    failures: report.testResults.flatMap(failuresOf),
  };
}

function failuresOf({ name, status, message, assertionResults }: Report['testResults'][number]) {
  if (status === 'failed' && assertionResults.length === 0) return [`${name}\n${message ?? ''}`];
  return assertionResults
    .filter((test) => test.status === 'failed')
    .map(({ fullName, failureMessages = [] }) =>
      [`${name}: ${fullName}`, ...failureMessages].join('\n'),
    );
}

function printTable(results: readonly Result[], total: number): void {
  const row = (...cells: readonly (string | number)[]): string =>
    cells
      .map((cell, index) => (index === 0 ? String(cell).padEnd(24) : String(cell).padStart(9)))
      .join('');
  console.log(`\n${row('lane', 'passed', 'failed', 'skipped', 'time')}`);
  for (const { name, passed, failed, skipped, seconds, ok } of results) {
    console.log(
      row(name, passed, failed, skipped, `${seconds.toFixed(1)} s`) + (ok ? '' : '  FAILED'),
    );
  }
  console.log(row('total', '', '', '', `${total.toFixed(1)} s`), '\n');
}

/** One for each vitest project of a package. */
async function vitestLanes(root: string): Promise<Lane[]> {
  const path = join(REPO, root, 'vitest.config.mts');
  const loaded = await loadConfigFromFile({ command: 'build', mode: 'test' }, path);
  const config = loaded?.config as { test?: { projects?: { test?: { name?: string } }[] } };
  return (config.test?.projects ?? []).map(({ test }) => {
    if (!test?.name) throw new Error('A vitest project without a name is in no lane.');
    return vitestLane(root, test.name);
  });
}

function vitestLane(root: string, name: string, ...files: readonly string[]): Lane {
  return {
    name,
    long: false,
    command: (report) => [
      ...['vitest', 'run', '--root', root, '--project', name, ...files],
      ...['--reporter=default', '--reporter=json', `--outputFile.json=${report}`],
    ],
  };
}

/** The files of e2e that end so. */
function jestLane(name: string, ending: string): Lane {
  const files = readdirSync(join(REPO, 'e2e')).filter((file) => file.endsWith(ending));
  if (files.length === 0) throw new Error(`No file of ${name} ends in ${ending}.`);
  return {
    name,
    long: false,
    packed: true,
    files: files.sort(),
    command: (report, file) => [
      ...['jest', '--config', 'e2e/jest.config.js', '--verbose', '--testMatch', `**/${file}`],
      ...['--json', `--outputFile=${report}`],
    ],
  };
}

/** Brokers, a proxy and a browser, where we may install them; elsewhere the tests say what they miss. */
function installMissing(): void {
  const missing = PACKAGES.filter(([, isInstalled]) => !isInstalled()).map(([name]) => name);
  if (missing.length === 0) return;
  if (process.getuid?.() !== 0 || !isCommand('apt-get')) {
    console.error(`Not installed: ${missing.join(', ')}. The tests that need them will fail.`);
    return;
  }
  console.log(`Installing ${missing.join(', ')}`);
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const apt = (...args: readonly string[]): void => {
    execFileSync('apt-get', ['-qq', ...args], { stdio: ['ignore', 'ignore', 'inherit'], env });
  };
  apt('update');
  apt('install', '--yes', '--no-install-recommends', ...missing);
}

function isCommand(name: string): boolean {
  const folders = (process.env['PATH'] ?? '').split(':');
  return [...folders, '/usr/sbin'].some((folder) => existsSync(join(folder, name)));
}

/** Of a broker that everything shares, each of two would take what is meant for the other. */
function isShared(): boolean {
  return isSet('RABBITMQ_URL') || isSet('REDIS_URL');
}

function isSet(variable: string): boolean {
  return Boolean(process.env[variable]);
}
