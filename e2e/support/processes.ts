import { spawn, type ChildProcess } from 'node:child_process';
import { createWriteStream, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { get } from 'node:http';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { descendants } from './reaper.cjs';
import { REPO } from './repo';

export interface ProcessOptions {
  readonly cwd: string;
  /** The whole environment: nothing is inherited. */
  readonly env: NodeJS.ProcessEnv;
  /** Everything that it prints is appended here. */
  readonly logFile: string;
}

/** When a started process counts as up: an HTTP answer of any status below 500, or a line that it prints. */
export type Readiness = { readonly http: string } | { readonly log: RegExp };

export interface StartOptions extends ProcessOptions {
  readonly ready: Readiness;
  /** Default 60 000. */
  readonly timeoutMs?: number;
}

export interface Running {
  readonly pid: number;
  readonly logFile: string;
  /** All that it printed so far. */
  output(): string;
  /** Gives it input; it has none otherwise. */
  write(text: string): void;
  /** Resolves with its exit code (or the signal's name) once it has ended. */
  readonly exited: Promise<number | NodeJS.Signals>;
  /** SIGTERM to its process group, SIGKILL to what is left of its descendants after `graceMs` (default 5 000). */
  stop(graceMs?: number): Promise<void>;
}

/** A command that ended with another code than 0, or did not end in time. */
export class CommandError extends Error {
  constructor(
    readonly command: string,
    readonly code: number | NodeJS.Signals,
    readonly output: string,
    logFile: string,
  ) {
    const tail = output.trimEnd().split('\n').slice(-40).join('\n');
    super(`"${command}" ended with ${code}. The end of ${logFile}:\n${tail}`);
  }
}

/**
 * Starts a shell command line in a process group of its own and waits until it is ready.
 * It ends with this process, however this process ends.
 * @throws CommandError when it exits or is not ready in time
 */
export async function start(command: string, options: StartOptions): Promise<Running> {
  const running = launch(command, options);
  const deadline = Date.now() + (options.timeoutMs ?? 60_000);
  let ended: number | NodeJS.Signals | undefined;
  void running.exited.then((code) => (ended = code));
  for (;;) {
    if (await isReady(options.ready, running)) return running;
    if (ended !== undefined || Date.now() > deadline) {
      await running.stop();
      throw new CommandError(
        `${command} (waiting for ${describe(options.ready)})`,
        ended ?? 'SIGALRM',
        running.output(),
        options.logFile,
      );
    }
    await delay(100);
  }
}

/** Starts a shell command line that waits for input, as {@link start} does. */
export const startInput = (command: string, options: ProcessOptions): Running =>
  launch(command, options, 'pipe');

/**
 * Runs a shell command line to its end and returns what it printed, stdout and stderr together.
 * @throws CommandError on an exit code other than 0, and after `timeoutMs` (default 600 000)
 */
export async function run(
  command: string,
  options: ProcessOptions & { readonly timeoutMs?: number },
): Promise<string> {
  const { code, output } = await tryRun(command, options);
  if (code !== 0) throw new CommandError(command, code, output, options.logFile);
  return output;
}

/** As `run`, for a command that may fail. */
export async function tryRun(
  command: string,
  options: ProcessOptions & { readonly timeoutMs?: number },
): Promise<{ code: number | NodeJS.Signals; output: string }> {
  const running = launch(command, options);
  const timer = setTimeout(() => void running.stop(0), options.timeoutMs ?? 600_000);
  const code = await running.exited;
  clearTimeout(timer);
  // What it left running in the background ends with it.
  await running.stop(0);
  return { code, output: running.output() };
}

/** Has the reaper remove a folder when this process is gone. */
export function removeAtExit(folder: string): void {
  folders.add(folder);
  tellReaper(`rm ${folder}`);
}

/** Stops every process and removes every folder, at once: what the reaper does otherwise, later. */
export async function cleanUp(): Promise<void> {
  await Promise.all([...alive].map((running) => running.stop(2_000)));
  for (const folder of folders) rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
}

/** True once something answers HTTP at the URL with a status below 500. */
export function answers(url: string): Promise<boolean> {
  return new Promise((resolve) => {
    const request = get(url, (response) => {
      response.resume();
      resolve((response.statusCode ?? 500) < 500);
    });
    request.setTimeout(20_000, () => request.destroy());
    request.on('error', () => resolve(false));
  });
}

const alive = new Set<Running>();
const folders = new Set<string>();

function launch(
  command: string,
  options: ProcessOptions,
  input: 'ignore' | 'pipe' = 'ignore',
): Running {
  mkdirSync(dirname(options.logFile), { recursive: true });
  const log = createWriteStream(options.logFile, { flags: 'a' });
  const started = Date.now();
  log.write(`\n$ ${command}\n`);
  const chunks: string[] = [];
  const child = spawn('sh', ['-c', command], {
    cwd: options.cwd,
    env: options.env,
    detached: true,
    stdio: [input, 'pipe', 'pipe'],
  });
  const pid = child.pid;
  if (pid === undefined) throw new Error(`sh could not be started in ${options.cwd}`);
  tellReaper(`+${pid}`);
  // Read by nobody any more, it is not to be told.
  child.stdin?.on('error', () => undefined);
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (text: string) => {
      chunks.push(text);
      log.write(text);
    });
  }
  const exited = new Promise<number | NodeJS.Signals>((resolve) => {
    child.once('exit', (code, signal) => {
      // Pipes stay open while a descendant lives on; what is read by then is all we want.
      const settle = (): void => {
        log.end(`\n# ${((Date.now() - started) / 1_000).toFixed(1)} s: ${command}\n`);
        resolve(code ?? signal ?? 1);
      };
      const timer = setTimeout(settle, 1_000);
      child.once('close', () => {
        clearTimeout(timer);
        settle();
      });
    });
  });
  const running: Running = {
    pid,
    logFile: options.logFile,
    output: () => chunks.join(''),
    write: (text) => void child.stdin?.write(text),
    exited,
    stop: async (graceMs = 5_000) => {
      alive.delete(running);
      await stop(child, pid, exited, graceMs);
    },
  };
  alive.add(running);
  return running;
}

async function stop(
  child: ChildProcess,
  pid: number,
  exited: Promise<unknown>,
  graceMs: number,
): Promise<void> {
  const tree = [pid, ...descendants(pid)];
  signal(-pid, 'SIGTERM');
  for (const deadline = Date.now() + graceMs; Date.now() < deadline && tree.some(isAlive);) {
    await delay(50);
  }
  for (const left of new Set([...tree, ...tree.flatMap(descendants)])) {
    if (isAlive(left)) signal(left, 'SIGKILL');
  }
  signal(-pid, 'SIGKILL');
  await exited;
  child.stdout?.destroy();
  child.stderr?.destroy();
  tellReaper(`-${pid}`);
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // Already gone.
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  try {
    // A zombie is dead, only not yet waited for.
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat[stat.lastIndexOf(')') + 2] !== 'Z';
  } catch {
    return true;
  }
}

async function isReady(ready: Readiness, running: Running): Promise<boolean> {
  return 'http' in ready ? answers(ready.http) : ready.log.test(running.output());
}

function describe(ready: Readiness): string {
  return 'http' in ready ? ready.http : String(ready.log);
}

let reaper: ChildProcess | undefined;

function tellReaper(line: string): void {
  if (!reaper) {
    reaper = spawn(process.execPath, [join(REPO, 'e2e/support/reaper.cjs')], {
      detached: true,
      stdio: ['pipe', 'ignore', 'ignore'],
    });
    reaper.unref();
    (reaper.stdin as unknown as { unref(): void }).unref();
  }
  reaper.stdin?.write(`${line}\n`);
}
