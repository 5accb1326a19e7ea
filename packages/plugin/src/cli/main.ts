#!/usr/bin/env node
import { workspaceRoot } from '@nx/devkit';
import { createInterface } from 'node:readline/promises';
import { RealtimeError } from '../domain/index.js';
import { run } from './commands.js';

const interrupted = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  // Once: the second one ends a command that hangs.
  process.once(signal, () => interrupted.abort());
}
// A reader that has gone away, as in `listen | head`, wants no more.
process.stdout.on('error', () => process.exit(0));

const isInteractive = process.stdin.isTTY && process.stderr.isTTY;

run(
  {
    root: workspaceRoot,
    env: process.env,
    out: (line) => console.log(line),
    note: (line) => console.error(line),
    confirm: isInteractive ? confirm : null,
    signal: interrupted.signal,
  },
  process.argv.slice(2),
).then(
  (code) => {
    process.exitCode = code;
  },
  (error: unknown) => {
    console.error(error instanceof RealtimeError ? error.message : error);
    process.exitCode = 1;
  },
);

async function confirm(question: string): Promise<boolean> {
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    const answer = await terminal.question(`${question} [y/N] `, { signal: interrupted.signal });
    return /^y(?:es)?$/i.test(answer.trim());
  } catch {
    return false;
  } finally {
    terminal.close();
  }
}
