import type { Tree } from '@nx/devkit';
import { wireWorkspace } from '../../wiring/index.js';

/** Registers the sync generator and the ignore rules of generated files; does nothing twice. */
export default async function initGenerator(tree: Tree): Promise<void> {
  wireWorkspace(tree);
}
