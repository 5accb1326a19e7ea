/**
 * `npm test [-- <lane> ...]`: every lane, each with its time. A lane is a vitest project of a
 * package, or `e2e`. Fails when a lane fails, when a test is skipped and when a lane has no test.
 * `--all` adds the lanes that are too long for every change.
 * The last line is the sum over all lanes: `N passed, N failed, N skipped`.
 */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadConfigFromFile } from 'vite';
import { chromiumPath } from '../e2e/support/browser.js';
import { REPO } from '../e2e/support/repo.js';

interface Lane {
  readonly name: string;
  readonly long: boolean;
  readonly env?: Readonly<Record<string, string>>;
  /** Arguments of `npx` that run it and write a report in Jest's JSON format. */
  readonly command: (report: string) => readonly string[];
}

interface Result {
  readonly lane: string;
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  readonly seconds: number;
  readonly ok: boolean;
}

/** What vitest and Jest both write. */
interface Report {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numPendingTests: number;
  readonly numTodoTests: number;
  readonly testResults: readonly { status: string; assertionResults: readonly unknown[] }[];
}

const REPORTS = join(REPO, 'test-artifacts/reports');
const SUMMARY = join(REPORTS, 'summary.txt');

/** Debian package and the binary that shows it is there. */
const PACKAGES: readonly (readonly [name: string, isInstalled: () => boolean])[] = [
  ['rabbitmq-server', () => isCommand('rabbitmq-server') || isSet('RABBITMQ_URL')],
  ['redis-server', () => isCommand('redis-server') || isSet('REDIS_URL')],
  ['chromium', () => chromiumPath() !== undefined],
];

const LANES: readonly Lane[] = [
  ...(await vitestLanes('packages/plugin')),
  ...(await vitestLanes('packages/eslint-plugin')),
  jestLane('e2e'),
  {
    ...vitestLane('packages/plugin', 'kernel', 'test/kernel/fuzz.test.ts'),
    name: 'long-fuzz',
    long: true,
    env: { KERNEL_FUZZ_SECONDS: '300' },
  },
  { ...jestLane('matrix', '--testMatch', '**/*.matrix.ts'), long: true },
  { ...jestLane('upgrade', '--testMatch', '**/*.upgrade.ts'), long: true },
  {
    ...vitestLane('packages/plugin', 'kernel', 'test/kernel/topology.test.ts'),
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
  printTable(results, (Date.now() - started) / 1_000);
  const sum = (key: 'passed' | 'failed' | 'skipped'): number =>
    results.reduce((total, result) => total + result[key], 0);
  const summary = `${sum('passed')} passed, ${sum('failed')} failed, ${sum('skipped')} skipped`;
  writeFileSync(SUMMARY, `${summary}\n`);
  console.log(summary);
  process.exitCode = results.every(({ ok }) => ok) ? 0 : 1;
}

/** Two at a time those that wait more than they compute, then one by one those that fill the machine. */
async function runLanes(lanes: readonly Lane[]): Promise<Result[]> {
  const results = new Map<Lane, Result>();
  const waiting = lanes.filter(isLight);
  const work = async (): Promise<void> => {
    for (let lane = waiting.shift(); lane; lane = waiting.shift()) {
      results.set(lane, await runLane(lane));
    }
  };
  await Promise.all([work(), work()]);
  for (const lane of lanes) {
    if (!isLight(lane)) results.set(lane, await runLane(lane));
  }
  return lanes.map((lane) => results.get(lane) as Result);
}

/** A long lane renders where one of these does. */
function isLight({ name, long }: Lane): boolean {
  return !long && name !== 'e2e';
}

async function runLane(lane: Lane): Promise<Result> {
  // Of two at a time, each is printed as a whole.
  const stdio = isLight(lane) ? 'pipe' : 'inherit';
  const file = join(REPORTS, `${lane.name}.json`);
  const started = Date.now();
  if (stdio === 'inherit') console.log(`\n=== ${lane.name} ===`);
  const child = spawn('npx', ['--no-install', ...lane.command(file)], {
    cwd: REPO,
    // In CI no runner watches, and none writes a snapshot that is missing.
    env: { ...process.env, CI: 'true', ...lane.env },
    stdio: ['ignore', stdio, stdio],
  });
  const output: Buffer[] = [];
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('data', (chunk: Buffer) => output.push(chunk));
  }
  const [status] = (await once(child, 'close')) as [number | null];
  if (stdio === 'pipe') {
    console.log(`\n=== ${lane.name} ===`);
    process.stdout.write(Buffer.concat(output));
  }
  const seconds = (Date.now() - started) / 1_000;
  const counts = readReport(file);
  // A file that could not be loaded, and a runner that died, have no failed test of their own.
  const failed = Math.max(counts.failed, status === 0 && counts.passed > 0 ? 0 : 1);
  const ok = status === 0 && failed === 0 && counts.skipped === 0;
  return { ...counts, lane: lane.name, failed, seconds, ok };
}

function readReport(file: string): { passed: number; failed: number; skipped: number } {
  if (!existsSync(file)) return { passed: 0, failed: 0, skipped: 0 };
  const report = JSON.parse(readFileSync(file, 'utf8')) as Report;
  const broken = report.testResults.filter(
    ({ status, assertionResults }) => status === 'failed' && assertionResults.length === 0,
  );
  return {
    passed: report.numPassedTests,
    failed: report.numFailedTests + broken.length,
    skipped: report.numPendingTests + report.numTodoTests,
  };
}

function printTable(results: readonly Result[], total: number): void {
  const row = (...cells: readonly (string | number)[]): string =>
    cells
      .map((cell, index) => (index === 0 ? String(cell).padEnd(14) : String(cell).padStart(9)))
      .join('');
  console.log(`\n${row('lane', 'passed', 'failed', 'skipped', 'time')}`);
  for (const { lane, passed, failed, skipped, seconds, ok } of results) {
    console.log(
      row(lane, passed, failed, skipped, `${seconds.toFixed(1)} s`) + (ok ? '' : '  FAILED'),
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

function jestLane(name: string, ...args: readonly string[]): Lane {
  return {
    name,
    long: false,
    command: (report) => [
      ...['jest', '--config', 'e2e/jest.config.js', '--verbose', ...args],
      ...['--json', `--outputFile=${report}`],
    ],
  };
}

/** Brokers and a browser, where we may install them; elsewhere the tests say what they miss. */
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

function isSet(variable: string): boolean {
  return Boolean(process.env[variable]);
}
