import type { Tree } from '@nx/devkit';
import { realpathSync } from 'node:fs';
import { join } from 'node:path';
import { readLock } from './lockfile.js';

/** A package as it is installed somewhere in the workspace. */
export interface Copy {
  readonly version: string;
  /** Its folder, relative to the workspace's root; the lockfile where nothing is installed in folders. */
  readonly path: string;
  /** True in pnpm's store: whoever has no link to it does not see it. */
  readonly isolated: boolean;
  /** True for a library of the workspace, which package managers link. */
  readonly isLinked: boolean;
}

/**
 * Copies of a package: those in node_modules of the root, of the projects and, as npm's lockfile names them, of
 * other packages; where there are none, those that the lockfile holds. A folder that links to another is not a copy.
 *
 * @param roots folders of the projects
 * @returns null where neither says anything, as before a first install
 */
export function copiesOf(tree: Tree, name: string, roots: readonly string[]): Copy[] | null {
  const inFolder = `node_modules/${name}`;
  const folders = ['', ...roots.filter((root) => root !== '.').map((root) => `${root}/`)];
  const nested = nestedIn(tree, inFolder);
  const copies = new Map<string, Copy>();
  for (const path of [...folders.map((folder) => `${folder}${inFolder}`), ...nested]) {
    const version = versionOf(tree.read(`${path}/package.json`, 'utf-8'));
    const real = realPath(tree, path);
    if (version === undefined || copies.has(real)) continue;
    copies.set(real, {
      version,
      path,
      isolated: /[\\/]\.pnpm[\\/]/.test(real),
      isLinked: isBelow(tree.root, real),
    });
  }
  if (copies.size > 0) return [...copies.values()];
  const lock = readLock(tree);
  if (lock && 'packages' in lock) {
    const versions = [...lock.packages.values()]
      // pnpm has the place of a tarball for a version.
      .filter((held) => held.name === name && /^\d/.test(held.version))
      .map(({ version }) => version);
    return [...new Set(versions)].map((version) => ({
      version,
      path: lock.path,
      isolated: false,
      isLinked: false,
    }));
  }
  return lock || tree.exists('node_modules') ? [] : null;
}

/** Folders of a package below other packages. Read only where its folder is named more than once. */
function nestedIn(tree: Tree, inFolder: string): string[] {
  const text = tree.read('package-lock.json', 'utf-8') ?? '';
  if (text.split(`${inFolder}"`).length <= 2) return [];
  const lock = readLock(tree);
  if (!lock || !('packages' in lock)) return [];
  return [...lock.packages.keys()].filter((key) => key.endsWith(`/${inFolder}`));
}

const isBelow = (root: string, real: string): boolean =>
  real.startsWith(realpathOr(root)) && !/[\\/]node_modules[\\/]/.test(real);

function versionOf(manifest: string | null): string | undefined {
  if (manifest === null) return undefined;
  const { version } = JSON.parse(manifest) as { version?: string };
  return version;
}

const realPath = (tree: Tree, path: string): string => realpathOr(join(tree.root, path), path);

function realpathOr(path: string, otherwise = path): string {
  try {
    return realpathSync(path);
  } catch {
    return otherwise;
  }
}
