import type { Tree } from '@nx/devkit';
import { loadYaml } from './yaml.js';

/** A copy of a package, as a lockfile holds it. */
export interface Installed {
  readonly name: string;
  readonly version: string;
  /** Keys of what it depends on at run time. */
  readonly needs: readonly string[];
}

/** Installed packages, by the lockfile's own keys. */
export interface Lock {
  readonly path: string;
  readonly packages: ReadonlyMap<string, Installed>;
  /** Packages that the workspace's own projects need at run time. */
  readonly roots: readonly string[];
}

type Ranges = Readonly<Record<string, string>>;

const READERS: Readonly<Record<string, (text: string, tree: Tree) => Omit<Lock, 'path'>>> = {
  'package-lock.json': readNpm,
  'pnpm-lock.yaml': readPnpm,
  'yarn.lock': readYarn,
};

/**
 * Reads the installed packages from the workspace's lockfile. A string says why it cannot be told, undefined that there is no lockfile.
 */
export function readLock(tree: Tree): Lock | { path: string; problem: string } | undefined {
  for (const [path, read] of Object.entries(READERS)) {
    const text = tree.read(path, 'utf-8');
    if (text === null) continue;
    try {
      return { path, ...read(text, tree) };
    } catch (error) {
      return { path, problem: `it cannot be read: ${(error as Error).message.split('\n')[0]}` };
    }
  }
  const other = ['bun.lock', 'bun.lockb'].find((path) => tree.exists(path));
  return other ? { path: other, problem: 'lockfiles of Bun are not read' } : undefined;
}

/**
 * The shortest chain of packages that brings each copy that is needed at run time, ending with the copy itself.
 */
export function chainsOf({ packages, roots }: Lock): Map<string, Installed[]> {
  const chains = new Map<string, Installed[]>();
  let level = roots.map((key): [string, Installed[]] => [key, []]);
  while (level.length > 0) {
    const next: [string, Installed[]][] = [];
    for (const [key, above] of level) {
      const held = packages.get(key);
      if (!held || chains.has(key)) continue;
      const chain = [...above, held];
      chains.set(key, chain);
      next.push(...held.needs.map((need): [string, Installed[]] => [need, chain]));
    }
    level = next;
  }
  return chains;
}

interface NpmPackage {
  readonly name?: string;
  readonly version?: string;
  readonly link?: boolean;
  readonly resolved?: string;
  readonly dependencies?: Ranges;
  readonly optionalDependencies?: Ranges;
  readonly peerDependencies?: Ranges;
}

function readNpm(text: string): Omit<Lock, 'path'> {
  const { packages: held } = JSON.parse(text) as { packages?: Record<string, NpmPackage> };
  if (!held) throw new Error('its version is 1; npm 7 and later write another');
  /** Resolves a name as Node does: in the folder itself, then in those above it. */
  const find = (from: string, name: string): string | undefined => {
    for (let folder = from; ; folder = folder.slice(0, Math.max(folder.lastIndexOf('/'), 0))) {
      const key = `${folder === '' ? '' : `${folder}/`}node_modules/${name}`;
      const found = held[key];
      if (found) return found.link && found.resolved !== undefined ? found.resolved : key;
      if (folder === '') return undefined;
    }
  };
  const needs = (
    key: string,
    { dependencies, optionalDependencies, peerDependencies }: NpmPackage,
  ): string[] =>
    Object.keys({
      ...dependencies,
      ...optionalDependencies,
      ...(isOwn(key) ? {} : peerDependencies),
    })
      .map((name) => find(key, name))
      .filter((found) => found !== undefined);
  const isOwn = (key: string): boolean => !key.includes('node_modules/');
  const packages = new Map<string, Installed>();
  const roots: string[] = [];
  for (const [key, entry] of Object.entries(held)) {
    if (isOwn(key)) roots.push(...needs(key, entry));
    const name = entry.name ?? key.slice(key.lastIndexOf('node_modules/') + 'node_modules/'.length);
    packages.set(key, { name, version: entry.version ?? '', needs: needs(key, entry) });
  }
  return { packages, roots };
}

interface PnpmEntry {
  readonly version?: string;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

function readPnpm(text: string): Omit<Lock, 'path'> {
  const lock = loadYaml().parse(text, { maxAliasCount: -1 }) as {
    importers?: Record<string, Record<string, Record<string, string | { version: string }>>>;
    packages?: Record<string, PnpmEntry>;
    snapshots?: Record<string, PnpmEntry>;
  };
  const entries = lock.snapshots ?? lock.packages ?? {};
  const known = new Set(Object.keys(entries));
  /** `8.21.0(peer@1)`, or another package's `name@version`; before version 9 with a slash in front. */
  const keyFor = (name: string, version: string): string | undefined =>
    [`${name}@${version}`, `/${name}@${version}`, version, `/${version}`].find((key) =>
      known.has(key),
    );
  const needs = ({ dependencies, optionalDependencies }: PnpmEntry): string[] =>
    Object.entries({ ...dependencies, ...optionalDependencies })
      .map(([name, version]) => keyFor(name, version))
      .filter((key) => key !== undefined);
  const packages = new Map<string, Installed>();
  for (const [key, entry] of Object.entries(entries)) {
    const plain = key.replace(/^\//, '').replace(/\(.*$/, '');
    const at = plain.lastIndexOf('@');
    packages.set(key, {
      name: plain.slice(0, at),
      version: plain.slice(at + 1),
      needs: needs(entry ?? {}),
    });
  }
  const roots = Object.values(lock.importers ?? {}).flatMap((importer) =>
    Object.entries({ ...importer['dependencies'], ...importer['optionalDependencies'] })
      .map(([name, held]) => keyFor(name, typeof held === 'string' ? held : held.version))
      .filter((key) => key !== undefined),
  );
  return { packages, roots };
}

interface YarnEntry {
  readonly version?: string;
  readonly dependencies?: Ranges;
  readonly optionalDependencies?: Ranges;
}

function readYarn(text: string, tree: Tree): Omit<Lock, 'path'> {
  const entries = /^__metadata:/m.test(text)
    ? (loadYaml().parse(text) as Record<string, YarnEntry>)
    : readYarnClassic(text);
  /** By `name@range`, as every dependent asks for it. */
  const keys = new Map<string, string>();
  for (const key of Object.keys(entries)) {
    for (const part of key.split(/,\s*/)) keys.set(part, key);
  }
  const keyFor = ([name, range]: [string, string]): string | undefined =>
    [`${name}@${range}`, `${name}@npm:${range}`].map((part) => keys.get(part)).find(Boolean);
  const needs = (entry: YarnEntry): string[] =>
    Object.entries({ ...entry.dependencies, ...entry.optionalDependencies })
      .map(keyFor)
      .filter((key) => key !== undefined);
  const packages = new Map<string, Installed>();
  const roots: string[] = [];
  for (const [key, entry] of Object.entries(entries)) {
    const at = key.indexOf('@', 1);
    // Berry lists the workspace's own projects too, with what they need for development among the rest.
    if (key === '__metadata' || key.includes('@workspace:')) continue;
    packages.set(key, {
      name: key.slice(0, at),
      version: entry.version ?? '',
      needs: needs(entry),
    });
  }
  for (const manifest of manifestsOf(tree)) roots.push(...needs(manifest));
  return { packages, roots };
}

/** Version 1 of yarn.lock: like YAML, with a space where that has a colon. */
function readYarnClassic(text: string): Record<string, YarnEntry> {
  const entries: Record<string, { version?: string; dependencies: Record<string, string> }> = {};
  let entry: { version?: string; dependencies: Record<string, string> } | undefined;
  let inDependencies = false;
  const bare = (part: string): string => part.replace(/^"|"$/g, '');
  for (const line of text.split(/\r?\n/)) {
    if (line.trim() === '' || line.startsWith('#')) continue;
    if (!line.startsWith(' ')) {
      const key = line.replace(/:$/, '').split(/,\s*/).map(bare).join(', ');
      entry = entries[key] = { dependencies: {} };
      inDependencies = false;
    } else if (!line.startsWith('    ')) {
      const [name, value = ''] = line.trim().split(/\s+(.*)/);
      inDependencies = name === 'dependencies:' || name === 'optionalDependencies:';
      if (name === 'version' && entry) entry.version = bare(value);
    } else if (inDependencies && entry) {
      const [name = '', range = ''] = line.trim().split(/\s+(.*)/);
      entry.dependencies[bare(name)] = bare(range);
    }
  }
  return entries;
}

/** The package.json of the workspace and of its packages. */
function manifestsOf(tree: Tree): YarnEntry[] {
  const root = readManifest(tree, 'package.json');
  const held = root.workspaces ?? [];
  const globs = 'length' in held ? held : (held.packages ?? []);
  const folders = globs.flatMap((glob) => {
    const folder = glob.replace(/\/\*{1,2}$/, '');
    return folder === glob ? [glob] : tree.children(folder).map((name) => `${folder}/${name}`);
  });
  return [root, ...folders.map((folder) => readManifest(tree, `${folder}/package.json`))];
}

function readManifest(
  tree: Tree,
  path: string,
): YarnEntry & { workspaces?: readonly string[] | { packages?: readonly string[] } } {
  const text = tree.read(path, 'utf-8');
  return text === null ? {} : (JSON.parse(text) as YarnEntry);
}
