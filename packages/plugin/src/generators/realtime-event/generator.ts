import type { GeneratorCallback, Tree } from '@nx/devkit';
import { changeEvent, readDraft } from '../../domain/index.js';
import {
  HostProjects,
  fileOf,
  hostDomains,
  requireDomain,
  resolveDomain,
} from '../../host/index.js';
import { refuseOlderPlugin, refuseOutside, regenerate } from '../../pipeline/index.js';
import { askEvent } from '../../prompts/index.js';
import type { RealtimeEventSchema } from './schema.js';

/**
 * Adds, changes, renames or removes one event of a domain, everywhere.
 *
 * @returns installs packages and prints what was done
 * @throws RealtimeError for a mistake in the options or in the host; nothing is written then
 */
export default async function realtimeEventGenerator(
  tree: Tree,
  schema: RealtimeEventSchema,
): Promise<GeneratorCallback> {
  refuseOlderPlugin(tree);
  const options = await askEvent(tree, schema);
  const projects = new HostProjects(tree);
  const current = hostDomains(tree, projects);
  const existing = requireDomain(current, options.domain);
  const { file, renamed } = changeEvent(fileOf(tree, existing), options);
  const domain = resolveDomain(projects, readDraft(existing.path, file));
  const done = await regenerate(tree, projects, current, { domain, existing, renamed }, options);
  refuseOutside(tree);
  return done;
}
