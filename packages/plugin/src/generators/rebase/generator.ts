import type { GeneratorCallback, Tree } from '@nx/devkit';
import { HostProjects, hostDomains } from '../../host/index.js';
import { rebaseDomains, refuseOlderPlugin, refuseOutside } from '../../pipeline/index.js';

/**
 * Rebuilds merge bases that a merge by git has left wrong, without touching code.
 *
 * @returns prints what was done
 */
export default async function rebaseGenerator(tree: Tree): Promise<GeneratorCallback> {
  refuseOlderPlugin(tree);
  const projects = new HostProjects(tree);
  const done = await rebaseDomains(tree, projects, hostDomains(tree, projects));
  refuseOutside(tree);
  return done;
}
