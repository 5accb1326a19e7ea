import { execFileSync, execSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join, resolve } from 'node:path';
import { hostEnv } from './host';
import { removeAtExit } from './processes';
import { REPO } from './repo';
import { KEYS, PACKAGES, type Tarballs } from './tarballs';

export interface Packed {
  readonly name: string;
  /** Absolute. */
  readonly tarball: string;
  readonly unpackedBytes: number;
  readonly files: number;
}

/** Builds and packs every package of this repository into a folder, as a release would. */
export function packAll(folder: string): Packed[] {
  const target = resolve(folder);
  mkdirSync(target, { recursive: true });
  return packages().map((path) => {
    build(path);
    const report = execFileSync('npm', ['pack', '--json', '--pack-destination', target], {
      cwd: path,
      encoding: 'utf8',
      env: hostEnv(),
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const [packed] = Object.values(
      JSON.parse(report) as Record<string, NpmPackReport> | NpmPackReport[],
    );
    if (!packed) throw new Error(`npm pack said nothing in ${path}`);
    return {
      name: packed.name,
      tarball: join(target, packed.filename),
      unpackedBytes: packed.unpackedSize,
      files: packed.entryCount,
    };
  });
}

/**
 * Tarballs that the environment names, such as those of a release to test; where it does not name all of them,
 * all are built and packed now into a folder that goes away with this process. The generators take the kernels
 * from beside the plugin, so all lie in one folder.
 */
export function packTarballs(): Tarballs {
  const named = KEYS.map((key) => [key, process.env[PACKAGES[key][1]]] as const);
  if (named.every(([, tarball]) => tarball)) return Object.fromEntries(named) as never;
  const folder = mkdtempSync(join(tmpdir(), 'nx-realtime-packed-'));
  removeAtExit(folder);
  const all = packAll(folder);
  return Object.fromEntries(
    KEYS.map((key) => {
      const packed = all.find(({ name }) => name === PACKAGES[key][0]);
      if (!packed) throw new Error(`${PACKAGES[key][0]} was not packed`);
      return [key, packed.tarball];
    }),
  ) as never;
}

/** As `nx build` does, without Nx's cache. */
export function build(folder: string): void {
  rmSync(join(folder, 'dist'), { recursive: true, force: true });
  const { targets } = JSON.parse(readFileSync(join(folder, 'project.json'), 'utf8')) as {
    targets: { build: { command: string } };
  };
  execSync(targets.build.command, {
    cwd: REPO,
    env: {
      ...process.env,
      PATH: `${join(REPO, 'node_modules/.bin')}${delimiter}${process.env['PATH']}`,
    },
    stdio: ['ignore', 'inherit', 'inherit'],
  });
}

/** The packages that a bundle holds, by the notices beside it. */
export function bundledIn(licenses: string): string[] {
  return [...licenses.matchAll(/^(\S+) \d+\.\d+\.\d+$/gm)].map(([, name = '']) => name);
}

interface NpmPackReport {
  readonly name: string;
  readonly filename: string;
  readonly unpackedSize: number;
  readonly entryCount: number;
}

function packages(): string[] {
  const root = join(REPO, 'packages');
  return readdirSync(root)
    .map((name) => join(root, name))
    .filter((path) => existsSync(join(path, 'package.json')));
}
