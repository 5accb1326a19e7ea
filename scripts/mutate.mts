/**
 * `npm run mutation [-- filter]`: takes each protection of the kernels, of the emitted code and of the plugin
 * out in turn (packages/plugin/test/mutations.ts), emitted code in a copy of its own and the packages in
 * memory, and runs the one test file that must go red. Fails when a mutant survives, when its text is not
 * found exactly once, and when its tests cannot run at all. `filter` is a part of a name, of a file or of
 * a test file. With `--report=<file>` the result is also written as a test report in Jest's JSON format.
 */
import { spawn } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { REPO } from '../e2e/support/repo.js';
import {
  mutantHost,
  MUTATIONS,
  packageOf,
  projectOf,
  testFileOf,
} from '../packages/plugin/test/mutations.js';
import type { Mutation } from '../packages/plugin/test/mutations.js';

/** `green` for a mutant: it survives. `broken`: nothing was asserted. */
type Verdict = 'red' | 'green' | 'broken';

interface Run {
  readonly verdict: Verdict;
  /** The first test that failed, else what was printed. */
  readonly detail: string;
  readonly seconds: number;
}

/** What vitest writes in Jest's JSON format. */
interface Report {
  readonly success: boolean;
  readonly numPassedTests: number;
  readonly testResults: readonly {
    assertionResults: readonly { fullName: string; status: string }[];
  }[];
}

const PARALLEL = 2;
/** Of one test file; without a mutation all run after one another. */
const TIMEOUT_MS = 600_000;
const REPORTS = join(REPO, 'test-artifacts/mutants');

const [options, [filter = '']] = splitArguments(process.argv.slice(2));

await main(filter);

function splitArguments(args: readonly string[]): [options: string[], others: string[]] {
  const isOption = (arg: string): boolean => arg.startsWith('--');
  return [args.filter(isOption), args.filter((arg) => !isOption(arg))];
}

/** Every killed mutant is a passed test. */
function writeReport(killed: number, survivors: number): void {
  const file = options.find((option) => option.startsWith('--report='))?.slice('--report='.length);
  const report = { numPassedTests: killed, numFailedTests: survivors };
  const none = { numPendingTests: 0, numTodoTests: 0, testResults: [] };
  if (file) writeFileSync(file, JSON.stringify({ ...report, ...none }));
}

async function main(filter: string): Promise<void> {
  const chosen = MUTATIONS.filter(({ name, file, test }) =>
    [name, file, test].some((text) => text.includes(filter)),
  );
  if (chosen.length === 0) return fail(`No mutation matches ${filter}.`);
  mkdirSync(REPORTS, { recursive: true });

  const started = Date.now();
  const tests = [...new Set(chosen.map(({ test }) => test))];
  for (const folder of new Set(tests.map(packageOf))) {
    const own = tests.filter((test) => packageOf(test) === folder);
    const control = await run(undefined, own);
    print(`without a mutation, ${folder}`, control);
    if (control.verdict !== 'green') return fail('The tests fail without a mutation.');
  }

  const survivors: string[] = [];
  const queue = [...chosen];
  const work = async (): Promise<void> => {
    for (let next = queue.shift(); next; next = queue.shift()) {
      if (!(await isKilled(next))) survivors.push(next.name);
    }
  };
  await Promise.all(Array.from({ length: PARALLEL }, work));

  console.log(
    `\n${chosen.length - survivors.length} of ${chosen.length} mutants killed in ${seconds(started).toFixed(0)} s`,
  );
  writeReport(chosen.length - survivors.length, survivors.length);
  if (survivors.length > 0) fail(`Not killed: ${survivors.sort().join(', ')}`);
}

async function isKilled(mutation: Mutation): Promise<boolean> {
  const result = await run(mutation, [mutation.test]);
  print(mutation.name, result);
  return result.verdict === 'red';
}

/** @param tests of one package */
async function run(mutation: Mutation | undefined, tests: readonly string[]): Promise<Run> {
  const started = Date.now();
  const host = mutation ? mutantHost(mutation) : 'mutant-none';
  const report = join(REPORTS, `${host}.json`);
  rmSync(report, { force: true });
  const timeout = TIMEOUT_MS * (mutation ? 1 : 4);
  const output = await vitest(
    { MUTANT: host, MUTATION: JSON.stringify(mutation) },
    tests,
    report,
    timeout,
  );
  for (const owner of ['nest', 'plugin']) {
    rmSync(join(REPO, 'packages', owner, 'tmp', host), { recursive: true, force: true });
  }
  const { verdict, detail } = judge(report, output);
  return { verdict, detail, seconds: seconds(started) };
}

function vitest(
  env: NodeJS.ProcessEnv,
  tests: readonly string[],
  report: string,
  timeout: number,
): Promise<string> {
  const args = ['vitest', 'run', '--root', packageOf(tests[0] ?? '')];
  for (const project of new Set(tests.map(projectOf))) args.push('--project', project);
  // Of a mutant one red test is enough; without a mutation all are to be green.
  if (tests.length === 1) args.push('--bail=1');
  args.push('--reporter=json', `--outputFile=${report}`);
  args.push(...tests.map(testFileOf));
  const child = spawn('npx', ['--no-install', ...args], {
    cwd: REPO,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout,
  });
  let output = '';
  child.stdout.on('data', (chunk) => (output += String(chunk)));
  child.stderr.on('data', (chunk) => (output += String(chunk)));
  return new Promise((resolve) => child.once('close', () => resolve(output)));
}

function judge(file: string, output: string): { verdict: Verdict; detail: string } {
  try {
    const report = JSON.parse(readFileSync(file, 'utf8')) as Report;
    const failed = report.testResults
      .flatMap(({ assertionResults }) => assertionResults)
      .find(({ status }) => status === 'failed');
    if (failed) return { verdict: 'red', detail: failed.fullName };
    if (report.success && report.numPassedTests > 0 && !output.includes('Unhandled Error')) {
      return { verdict: 'green', detail: `${report.numPassedTests} tests passed` };
    }
  } catch {
    // No report: what was printed says why.
  }
  return { verdict: 'broken', detail: output.trim() };
}

function print(name: string, { verdict, detail, seconds }: Run): void {
  console.log(`${verdict.padEnd(7)} ${seconds.toFixed(1).padStart(5)} s  ${name}: ${detail}`);
}

function seconds(started: number): number {
  return (Date.now() - started) / 1_000;
}

function fail(message: string): void {
  console.error(message);
  process.exitCode = 1;
}
