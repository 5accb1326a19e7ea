import type { Tree } from '@nx/devkit';
import { RealtimeError } from '../domain/index.js';
import { HostProjects, hostDomains } from '../host/index.js';
import { migrateDomains } from '../pipeline/index.js';
import { updateProjectDependencies } from './update-project-dependencies.js';

/**
 * The migration of every release that changes what is generated: merges the new templates into the
 * workspace's code. What it could not do is a next step, so that other migrations still run.
 *
 * @returns what is left for people to do
 */
export default async function updateGeneratedCode(tree: Tree): Promise<string[]> {
  const projects = new HostProjects(tree);
  try {
    updateProjectDependencies(tree, projects);
    return await migrateDomains(tree, projects, hostDomains(tree, projects));
  } catch (error) {
    if (!(error instanceof RealtimeError)) throw error;
    return [
      `${error.message}\nThe realtime code was not updated. When this is mended, run nx sync.`,
    ];
  }
}
