import type { Tree } from '@nx/devkit';
import { existsSync, realpathSync } from 'node:fs';
import { dirname, isAbsolute, join, relative, sep } from 'node:path';
import { RealtimeError } from '../domain/index.js';

/**
 * Checks that a run changes nothing outside of the workspace, whatever its files say. Nx writes only
 * what a generator leaves behind without an error.
 *
 * @throws RealtimeError RT026 for a change outside of the workspace, or through a link that leads out of it
 */
export function refuseOutside(tree: Tree): void {
  const root = existsSync(tree.root) ? realpathSync(tree.root) : null;
  const outside = tree
    .listChanges()
    .map(({ path }) => path)
    .filter((path) => leaves(relative(tree.root, join(tree.root, path))) || isLinkedOut(path));
  if (outside.length === 0) return;
  throw new RealtimeError(
    'RT026',
    `Nothing was written: these files are outside of the workspace, by their path or by a link:\n${outside.map((path) => `  ${path}`).join('\n')}`,
  );

  function isLinkedOut(path: string): boolean {
    if (root === null) return false;
    let held = join(tree.root, path);
    while (!existsSync(held)) held = dirname(held);
    return leaves(relative(root, realpathSync(held)));
  }
}

const leaves = (path: string): boolean =>
  path === '..' || path.startsWith(`..${sep}`) || isAbsolute(path);
