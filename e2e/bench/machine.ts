import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';

/** The server has a core to itself; brokers, load and publisher share another. */
const CORES = { server: '0', load: '1' };

const canPin = cpus().length > 1 && works('taskset', '--version');

export const isPinned = canPin;

/** A prefix of a command line that starts it on a core. */
export function onCore(role: keyof typeof CORES): string {
  return canPin ? `taskset -c ${CORES[role]} ` : '';
}

/** Moves a running process, and what it starts, to a core. */
export function pin(pid: number, role: keyof typeof CORES): void {
  if (canPin) {
    execFileSync('taskset', ['-a', '-c', '-p', CORES[role], String(pid)], { stdio: 'ignore' });
  }
}

/**
 * Seconds of CPU that the threads of a process that still run have used, user and system: from /proc, where the
 * scheduler counts nanoseconds. `stat` counts in hundredths of a second, less than what a thousand events cost Redis.
 */
export function cpuSeconds(pid: number): number {
  const tasks = readdirSync(`/proc/${pid}/task`);
  const nanos = tasks.map((task) => {
    const [running] = readFileSync(`/proc/${pid}/task/${task}/schedstat`, 'utf8').split(' ');
    return Number(running);
  });
  return nanos.reduce((sum, value) => sum + value, 0) / 1e9;
}

/** Seconds that a core was busy since the machine started, whoever used it; NaN where none is set apart. */
export function coreSeconds(role: keyof typeof CORES): number {
  if (!canPin) return NaN;
  const line = new RegExp(`^cpu${CORES[role]} (.*)$`, 'm').exec(readFileSync('/proc/stat', 'utf8'));
  const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0] = (line?.[1] ?? '')
    .split(' ')
    .map(Number);
  return (user + nice + system + irq + softirq) / 100;
}

/** Bytes in memory. */
export function residentBytes(pid: number): number {
  const line = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
  return Number(line?.[1]) * 1_024;
}

/** A connection is an open file, in the load and in the server: 10,000 of them, and what both have besides. */
const OPEN_FILES = 11_000;

/** @throws Error where the machine does not allow as many connections as are measured */
export function checkLimits(): void {
  if (openFiles() < OPEN_FILES) {
    throw new Error(
      `${openFiles()} open files are allowed, ${OPEN_FILES} are needed: ulimit -Hn ${OPEN_FILES}`,
    );
  }
  const [low = 0, high = 0] = setting('net/ipv4/ip_local_port_range').split(/\s+/).map(Number);
  if (high - low < OPEN_FILES) {
    throw new Error(`net.ipv4.ip_local_port_range allows ${high - low} connections to a server`);
  }
}

/** Node raises its own limit up to this one. */
function openFiles(): number {
  const limits = readFileSync('/proc/self/limits', 'utf8');
  const hard = /^Max open files\s+\S+\s+(\S+)/m.exec(limits)?.[1];
  return hard === 'unlimited' ? Infinity : Number(hard);
}

function setting(path: string): string {
  return readFileSync(`/proc/sys/${path}`, 'utf8').trim();
}

export function describeMachine(): string {
  const model = /model name\s*:\s*(.*)/.exec(readFileSync('/proc/cpuinfo', 'utf8'))?.[1] ?? 'CPU';
  const memory = Math.round(totalmem() / 2 ** 30);
  const limits = `${openFiles()} open files, backlog of ${setting('net/core/somaxconn')}`;
  return `${cpus().length} cores (${model}), ${memory} GiB, Node ${process.versions.node}, ${limits}`;
}

function works(command: string, ...args: string[]): boolean {
  try {
    execFileSync(command, args, { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}
