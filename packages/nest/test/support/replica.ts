import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'vite';
import { aliasesOf, PACKAGE, TMP } from './aliases.js';
import { mutant } from '../../../plugin/test/support/vite-plugins.js';
import { ENV } from './stack.js';

/** The kernel of this test project, in a process of its own. */
export interface Replica {
  readonly pid: number;
  readonly url: string;
  /** Resolves with the exit code, or the signal that ended it. */
  readonly exited: Promise<number | string>;
  output(): string;
  /** Resolves when the text was printed. */
  printed(text: string | RegExp, timeoutMs?: number): Promise<void>;
  kill(signal: NodeJS.Signals): void;
  /** Ends it, whatever it does. */
  stop(): Promise<void>;
}

/** Bundles `replica-main.ts` once for a test file; packages are not bundled in. */
export async function buildReplica(): Promise<{ file: string; remove: () => void }> {
  const host = process.env['KERNEL_HOST'] ?? 'kernel';
  // Inside the repository: its packages are found from here.
  const outDir = mkdtempSync(join(TMP, 'replica-'));
  await build({
    configFile: false,
    root: PACKAGE,
    logLevel: 'warn',
    plugins: [mutant()],
    resolve: { alias: aliasesOf(host) },
    build: {
      ssr: join(PACKAGE, 'test/replica-main.ts'),
      outDir,
      minify: false,
      // As the package is built: it knows where it is by its folder.
      rollupOptions: { output: { format: 'cjs', entryFileNames: '[name].cjs' } },
    },
  });
  return {
    file: join(outDir, 'replica-main.cjs'),
    remove: () => rmSync(outDir, { recursive: true, force: true }),
  };
}

/** Starts a replica; resolves when it listens. @param env laid over that of the kernel's tests */
export async function startReplica(
  file: string,
  env: Readonly<Record<string, string | undefined>>,
): Promise<Replica> {
  const child = spawn(process.execPath, ['--enable-source-maps', file], {
    cwd: PACKAGE,
    env: { PATH: process.env['PATH'], ...ENV, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let text = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
  }
  const exited = once(child, 'exit').then(([code, signal]) => (code ?? signal) as number | string);
  const printed = async (wanted: string | RegExp, timeoutMs = 20_000): Promise<void> => {
    const until = Date.now() + timeoutMs;
    while (!new RegExp(wanted).test(text)) {
      if (Date.now() > until || child.exitCode !== null) {
        throw new Error(`A replica did not print ${String(wanted)}:\n${text}`);
      }
      await new Promise((done) => setTimeout(done, 20));
    }
  };
  const stop = async (): Promise<void> => {
    child.kill('SIGKILL');
    await exited;
  };
  try {
    // A busy machine takes its time to load Nest.
    await printed('listening on', 60_000);
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    pid: child.pid as number,
    url: `http://127.0.0.1:${/listening on (\d+)/.exec(text)?.[1]}`,
    exited,
    output: () => text,
    printed,
    kill: (signal) => void child.kill(signal),
    stop,
  };
}
