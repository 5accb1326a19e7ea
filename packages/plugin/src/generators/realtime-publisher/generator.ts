import type { GeneratorCallback, Tree } from '@nx/devkit';
import { HostProjects, hostDomains, resolvePublisher } from '../../host/index.js';
import { refuseOlderPlugin, refuseOutside, regeneratePublisher } from '../../pipeline/index.js';
import { askPublisher } from '../../prompts/index.js';
import type { RealtimePublisherSchema } from './schema.js';

/**
 * Adds a typed publisher to an app, or brings one that it has up to the domains.
 *
 * @returns installs packages and prints what was done
 * @throws RealtimeError for a mistake in the options or in the host
 */
export default async function realtimePublisherGenerator(
  tree: Tree,
  schema: RealtimePublisherSchema,
): Promise<GeneratorCallback> {
  refuseOlderPlugin(tree);
  const options = await askPublisher(tree, schema);
  const projects = new HostProjects(tree);
  const domains = hostDomains(tree, projects);
  const publisher = resolvePublisher(tree, projects, options);
  const done = await regeneratePublisher(tree, projects, domains, publisher, options);
  refuseOutside(tree);
  return done;
}
