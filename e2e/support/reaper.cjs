'use strict';
/*
 * Outlives the runner that started it, to end what the runner left behind when it was killed.
 * The runner writes lines on stdin: `+<pid>` and `-<pid>` for a process group, `rm <path>`
 * for a folder. End of input means that the runner is gone.
 */
const { readdirSync, readFileSync, rmSync } = require('node:fs');
const { createInterface } = require('node:readline');

if (require.main === module) {
  const groups = new Set();
  const folders = new Set();

  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => undefined);

  const lines = createInterface({ input: process.stdin });
  lines.on('line', (line) => {
    if (line.startsWith('+')) groups.add(Number(line.slice(1)));
    else if (line.startsWith('-')) groups.delete(Number(line.slice(1)));
    else if (line.startsWith('rm ')) folders.add(line.slice(3));
  });
  lines.on('close', () => {
    for (const pid of groups) killTree(pid);
    for (const folder of folders) rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  });
}

/** SIGKILLs a process group and every descendant of its leader, also those in groups of their own. */
function killTree(leader) {
  const pids = descendants(leader);
  for (const pid of [-leader, ...pids]) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // Already gone.
    }
  }
}

/** Every living descendant of a process; empty where there is no /proc. */
function descendants(root) {
  const children = new Map();
  let entries = [];
  try {
    entries = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  } catch {
    return [];
  }
  for (const entry of entries) {
    try {
      // `pid (name) state ppid ...`, where the name may hold spaces and parentheses.
      const stat = readFileSync(`/proc/${entry}/stat`, 'utf8');
      const parent = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
      children.set(parent, [...(children.get(parent) ?? []), Number(entry)]);
    } catch {
      // It ended meanwhile.
    }
  }
  const found = [];
  for (const queue = [root]; queue.length > 0;) {
    const next = children.get(queue.pop()) ?? [];
    found.push(...next);
    queue.push(...next);
  }
  return found;
}

module.exports = { descendants };
