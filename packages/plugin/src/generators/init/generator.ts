import { installPackagesTask } from '@nx/devkit';
import type { GeneratorCallback, Tree } from '@nx/devkit';
import { refuseOlderPlugin } from '../../pipeline/index.js';
import { keepTarballs, wireWorkspace } from '../../wiring/index.js';

/**
 * Registers the sync generator and the ignore rules of generated files, and takes the tarballs of a trial into the
 * workspace; does nothing twice.
 *
 * @returns installs the plugin from where its tarball is now
 */
export default async function initGenerator(tree: Tree): Promise<GeneratorCallback> {
  refuseOlderPlugin(tree);
  wireWorkspace(tree);
  const moved = keepTarballs(tree);
  return () => {
    if (moved) installPackagesTask(tree, true);
  };
}
