import { visitNotIgnoredFiles } from '@nx/devkit';
import type { Tree } from '@nx/devkit';
import { EMPTY_APP, isWordIn } from '../text/index.js';
import { unwireCacheInputs } from './cache-inputs.js';
import { unwireCheckTarget } from './check-target.js';
import { COMPOSE_FILE } from './compose.js';
import { unwireContracts } from './contracts.js';
import { unwireDependencies } from './dependencies.js';
import { unwireDevelopment } from './dev-env.js';
import type { Wanted } from './dev-env.js';
import type { Wired } from './edit.js';
import { unwireTarballs } from './packages.js';

/**
 * Takes out of the host's configuration what no domain needs any more: contract libraries, env
 * entries, dependencies, the compose file. Whatever its owner changed, or other code names, stays.
 *
 * @param compose the compose file as a new host gets it
 * @returns what was edited, and whether packages are to be installed anew
 */
export function removeUnused(
  tree: Tree,
  before: Wanted,
  after: Wanted,
  compose: string,
): { readonly wired: readonly Wired[]; readonly installs: boolean } {
  const isNamed = namesIn(tree);
  const wired = [
    ...unwireContracts(tree, before, after),
    ...unwireCheckTarget(tree, before.host, after.host),
    ...unwireCacheInputs(tree, before.host, after.host),
    ...(after.domains.length === 0 ? unwireTarballs(tree, before.host) : []),
  ];
  unwireDevelopment(tree, before, after, isNamed(isWordIn));
  const installs = unwireDependencies(tree, before, after, isNamed(isImported));
  if (after.domains.length === 0 && tree.read(COMPOSE_FILE, 'utf-8') === compose) {
    tree.delete(COMPOSE_FILE);
  }
  for (const { entries } of before.host.webs.values()) {
    for (const { path } of entries) {
      if (tree.read(path, 'utf-8') === EMPTY_APP) tree.delete(path);
    }
  }
  return { wired, installs };
}

/**
 * Takes packages out that domains needed before and need no more. What other code names stays.
 *
 * @returns whether anything was removed
 */
export const removeUnusedDependencies = (tree: Tree, before: Wanted, after: Wanted): boolean =>
  unwireDependencies(tree, before, after, namesIn(tree)(isImported));

/** `socket.io` is not named by `socket.io-client`. */
const isImported = (text: string, name: string): boolean =>
  ["'", '"', '`'].some(
    (quote) => text.includes(`${quote}${name}${quote}`) || text.includes(`${quote}${name}/`),
  );

type IsIn = (text: string, name: string) => boolean;

/** Reads the source files once, and tells whether one below a root names a variable or a package. */
function namesIn(tree: Tree): (isIn: IsIn) => (root: string, name: string) => boolean {
  const texts: [path: string, text: string][] = [];
  visitNotIgnoredFiles(tree, '.', (file) => {
    const path = file.replaceAll('\\', '/');
    if (!/\.[cm]?[jt]sx?$/.test(path) || /(?:^|\/)(?:node_modules|dist|\.nx|\.next)\//.test(path)) {
      return;
    }
    texts.push([path, tree.read(path, 'utf-8') ?? '']);
  });
  return (isIn) => (root, name) =>
    texts.some(([path, text]) => (root === '.' || path.startsWith(`${root}/`)) && isIn(text, name));
}
