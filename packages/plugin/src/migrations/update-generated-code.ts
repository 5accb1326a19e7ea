import { joinPathFragments } from '@nx/devkit';
import type { Tree } from '@nx/devkit';
import { RealtimeError } from '../domain/index.js';
import { HostProjects, hostDomains } from '../host/index.js';
import { migrateDomains, refuseOlderPlugin } from '../pipeline/index.js';
import { installCommand } from '../wiring/index.js';
import { updateProjectDependencies } from './update-project-dependencies.js';

/**
 * The migration of every release that changes what is generated: merges the new templates into the
 * workspace's code. What it could not do is a next step, so that other migrations still run.
 *
 * @returns what is left for people to do
 */
export default async function updateGeneratedCode(tree: Tree): Promise<string[]> {
  const projects = new HostProjects(tree);
  const paths = projects
    .list()
    .flatMap(({ root }) => (root === '.' ? [] : [joinPathFragments(root, 'package.json')]));
  const before = paths.map((path) => tree.read(path, 'utf-8'));
  try {
    refuseOlderPlugin(tree);
    updateProjectDependencies(tree, projects);
    const steps = await migrateDomains(tree, projects, hostDomains(tree, projects));
    const changed = paths.filter((path, index) => tree.read(path, 'utf-8') !== before[index]);
    return changed.length === 0 ? steps : [...steps, installStep(tree, changed)];
  } catch (error) {
    if (!(error instanceof RealtimeError)) throw error;
    return [
      `${error.message}\nThe realtime code was not updated. When this is mended, run nx sync.`,
    ];
  }
}

/** Nx installs after a migration only where it has changed the package.json of the root. */
const installStep = (tree: Tree, paths: readonly string[]): string =>
  `Run ${installCommand(tree)}, for other versions are named in:\n${paths.map((path) => `  ${path}`).join('\n')}`;
