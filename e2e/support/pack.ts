import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { hostEnv } from './host';
import { REPO } from './repo';

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
    const config = join(path, 'tsconfig.build.json');
    if (existsSync(config)) {
      rmSync(join(path, 'dist'), { recursive: true, force: true });
      execFileSync(
        process.execPath,
        [join(REPO, 'node_modules/typescript/bin/tsc'), '-p', config],
        {
          stdio: ['ignore', 'inherit', 'inherit'],
        },
      );
    }
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

/** The tarball of one package. */
export function tarballOf(name: string, packed: readonly Packed[]): string {
  const found = packed.find((entry) => entry.name === name);
  if (!found) throw new Error(`${name} was not packed`);
  return found.tarball;
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
