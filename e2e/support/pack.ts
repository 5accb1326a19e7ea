import { execFileSync, execSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join, resolve } from 'node:path';
import { hostEnv } from './host';
import { removeAtExit } from './processes';
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

/** The tarballs of the plugin and of its rules. */
export interface Tarballs {
  readonly plugin: string;
  readonly rules: string;
}

/**
 * What NX_REALTIME_TARBALL and NX_REALTIME_RULES_TARBALL name, such as a release to test, else built and packed now
 * into a folder that goes away with this process.
 */
export function packTarballs(): Tarballs {
  const { NX_REALTIME_TARBALL: plugin, NX_REALTIME_RULES_TARBALL: rules } = process.env;
  if (plugin && rules) return { plugin, rules };
  const folder = mkdtempSync(join(tmpdir(), 'nx-realtime-packed-'));
  removeAtExit(folder);
  const all = packAll(folder);
  const tarballOf = (name: string): string => {
    const packed = all.find((one) => one.name === name);
    if (!packed) throw new Error(`${name} was not packed`);
    return packed.tarball;
  };
  return {
    plugin: plugin ?? tarballOf('@nx-realtime/plugin'),
    rules: rules ?? tarballOf('@nx-realtime/eslint-plugin'),
  };
}

/** The plugin's tarball alone. */
export const packPlugin = (): string => process.env['NX_REALTIME_TARBALL'] ?? packTarballs().plugin;

/** As `nx build` does, without Nx's cache. */
function build(folder: string): void {
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
