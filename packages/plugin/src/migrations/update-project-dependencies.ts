import { joinPathFragments, readJson, writeJson } from '@nx/devkit';
import type { Tree } from '@nx/devkit';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { HostProjects } from '../host/index.js';
import { MANIFEST_PATH, isOlder, parseManifest } from '../reconcile/index.js';
import { packageFolder } from '../render/index.js';

/** The part of migrations.json that Nx applies to the root's package.json. */
interface PackageUpdates {
  readonly packageJsonUpdates?: Readonly<
    Record<
      string,
      {
        readonly version: string;
        readonly packages: Readonly<Record<string, string | { readonly version: string }>>;
      }
    >
  >;
}

type Sections = Record<string, Record<string, string> | undefined>;

/**
 * Raises in the package.json of each project what the releases since raised at the root: Nx does it
 * at the root alone, and in a workspace of packages each project names its dependencies too.
 *
 * @param updates by default those of this package
 */
export function updateProjectDependencies(
  tree: Tree,
  projects: HostProjects,
  updates: PackageUpdates = readUpdates(),
): void {
  const wrote = parseManifest(tree.read(MANIFEST_PATH, 'utf-8')).plugin;
  const versions = new Map(
    Object.values(updates.packageJsonUpdates ?? {})
      .filter(({ version }) => isOlder(wrote, version))
      .sort((a, b) => (isOlder(a.version, b.version) ? -1 : 1))
      .flatMap(({ packages }) => Object.entries(packages))
      .map(([name, to]) => [name, typeof to === 'string' ? to : to.version]),
  );
  if (versions.size === 0) return;
  const atRoot = rangesOf(readJson<Sections>(tree, 'package.json'));
  for (const { root } of projects.list()) {
    const path = joinPathFragments(root, 'package.json');
    if (root === '.' || !tree.exists(path)) continue;
    const json = readJson<Sections>(tree, path);
    let changed = false;
    for (const section of ['dependencies', 'devDependencies']) {
      for (const [name, range] of Object.entries(json[section] ?? {})) {
        const version = versions.get(name);
        if (version === undefined || !isOlder(range, version)) continue;
        const rooted = atRoot[name];
        const raised = rooted === undefined || isOlder(rooted, version) ? version : rooted;
        json[section] = { ...json[section], [name]: raised };
        changed = true;
      }
    }
    if (changed) writeJson(tree, path, json);
  }
}

const rangesOf = ({ dependencies, devDependencies }: Sections): Record<string, string> => ({
  ...devDependencies,
  ...dependencies,
});

function readUpdates(): PackageUpdates {
  const file = join(packageFolder(), 'migrations.json');
  return JSON.parse(readFileSync(file, 'utf-8')) as PackageUpdates;
}
