import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { hostEnv, type Host } from './host';
import { removeAtExit, run, start, type Readiness, type Running } from './processes';

/** What a Dockerfile makes, as a folder. */
export interface Image {
  /** Where its command runs. */
  readonly folder: string;
  /** Starts its command as a plain process. */
  start(label: string, ready: Readiness, env: NodeJS.ProcessEnv): Promise<Running>;
}

interface Stage {
  readonly root: string;
  folder: string;
  env: NodeJS.ProcessEnv;
}

/**
 * Runs the steps of a Dockerfile as plain processes, for machines without Docker. Its context is what the host
 * has committed. The installation of the whole workspace is the host's own, linked: it is what `npm ci` makes.
 *
 * @param args values of its ARGs
 * @throws Error for an instruction that is not known here
 */
export async function buildImage(
  host: Host,
  dockerfile: string,
  args: Readonly<Record<string, string>> = {},
): Promise<Image> {
  const parent = mkdtempSync(join(tmpdir(), 'nx-realtime-image-'));
  if (!process.env['NX_REALTIME_KEEP']) removeAtExit(parent);
  const stages = new Map<string, Stage>();
  let stage: Stage = { root: parent, folder: parent, env: {} };
  let command: string[] = [];
  const at = (path: string, from = stage): string =>
    path.startsWith('/') ? join(from.root, path) : join(from.folder, path);
  for (const line of dockerfile.split('\n').filter((one) => one && !one.startsWith('#'))) {
    const [instruction = '', ...words] = line.split(' ');
    const rest = words.join(' ');
    const [first = '', second = '', third = ''] = words;
    if (instruction === 'FROM') {
      const root = mkdtempSync(join(parent, 'stage-'));
      stage = { root, folder: root, env: {} };
      stages.set(third, stage);
    } else if (instruction === 'WORKDIR') {
      stage.folder = at(first);
      mkdirSync(stage.folder, { recursive: true });
    } else if (instruction === 'COPY' && rest === '. .') {
      host.git('checkout-index', '--all', `--prefix=${stage.folder}/`);
    } else if (instruction === 'COPY' && first.startsWith('--from=')) {
      const from = stages.get(first.slice('--from='.length));
      cpSync(at(second, from), at(third), { recursive: true, verbatimSymlinks: true });
    } else if (instruction === 'RUN' && rest === 'npm ci') {
      execFileSync('cp', ['-al', host.path('node_modules'), stage.folder]);
    } else if (instruction === 'RUN') {
      const env = hostEnv(stage.env);
      await run(rest, { cwd: stage.folder, env, logFile: host.logFile });
    } else if (instruction === 'ARG') {
      stage.env = { ...stage.env, [first]: args[first] };
    } else if (instruction === 'ENV') {
      const [name = '', value] = rest.split('=');
      stage.env = { ...stage.env, [name]: value };
    } else if (instruction === 'CMD') {
      command = JSON.parse(rest) as string[];
    } else if (instruction !== 'USER') {
      throw new Error(`Not known here: ${line}`);
    }
  }
  const { folder, env: own } = stage;
  return {
    folder,
    start: (label, ready, env) =>
      start(`exec ${command.join(' ')}`, {
        cwd: folder,
        env: hostEnv({ ...own, ...env }),
        logFile: host.logFile.replace(/\.log$/, `-${label}.log`),
        ready,
        timeoutMs: 120_000,
      }),
  };
}
