import type { GeneratorCallback, Tree } from '@nx/devkit';
import { HostProjects, hostDomains, requireDomain } from '../../host/index.js';
import { refuseOlderPlugin, refuseOutside, removeDomain } from '../../pipeline/index.js';
import { askRemoved } from '../../prompts/index.js';
import type { RealtimeRemoveSchema } from './schema.js';

/**
 * Removes a domain and all that no other domain needs.
 *
 * @returns installs packages and prints what was done
 * @throws RealtimeError for a domain that is not there, is imported elsewhere or holds edits
 */
export default async function realtimeRemoveGenerator(
  tree: Tree,
  schema: RealtimeRemoveSchema,
): Promise<GeneratorCallback> {
  refuseOlderPlugin(tree);
  const options = await askRemoved(tree, schema);
  const projects = new HostProjects(tree);
  const current = hostDomains(tree, projects);
  const removed = requireDomain(current, options.domain);
  const done = await removeDomain(tree, projects, current, removed, options);
  refuseOutside(tree);
  return done;
}
