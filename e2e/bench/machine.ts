import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
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

/** Seconds of CPU that a process has used, user and system, all threads: from /proc. */
export function cpuSeconds(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

/** Bytes in memory. */
export function residentBytes(pid: number): number {
  const line = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
  return Number(line?.[1]) * 1_024;
}

export function describeMachine(): string {
  const model = /model name\s*:\s*(.*)/.exec(readFileSync('/proc/cpuinfo', 'utf8'))?.[1] ?? 'CPU';
  const memory = Math.round(totalmem() / 2 ** 30);
  return `${cpus().length} cores (${model}), ${memory} GiB, Node ${process.versions.node}`;
}

function works(command: string, ...args: string[]): boolean {
  try {
    execFileSync(command, args, { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}
