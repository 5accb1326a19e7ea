import { runTasksInSerial } from '@nx/devkit';
import type { GeneratorCallback, Tree } from '@nx/devkit';
import { draftDomain, unquoted } from '../../domain/index.js';
import { HostProjects, findDomain, hostDomains, resolveDomain } from '../../host/index.js';
import { refuseOlderPlugin, refuseOutside, regenerate } from '../../pipeline/index.js';
import { askDomain, askMove } from '../../prompts/index.js';
import { createApps } from './create-apps.js';
import { normalize, renamedFile } from './normalize.js';
import type { RealtimeDomainSchema } from './schema.js';

/**
 * Creates or updates a domain and brings the whole workspace's generated code up to it.
 *
 * @returns installs packages and prints what was done
 * @throws RealtimeError for a mistake in the options or in the host; nothing is written then
 */
export default async function realtimeDomainGenerator(
  tree: Tree,
  schema: RealtimeDomainSchema,
): Promise<GeneratorCallback> {
  refuseOlderPlugin(tree);
  const options = await askDomain(tree, normalize(schema));
  const created = await createApps(tree, options);
  const projects = new HostProjects(tree);
  const current = hostDomains(tree, projects);
  const existing = findDomain(current, options.name);
  const adopted =
    existing || !options.adopt
      ? null
      : (await import('../../adopt/index.js')).deriveAdopted(tree, projects, options);
  const { name, file, renamed } = renamedFile(tree, options, existing, adopted?.file);
  const domain = resolveDomain(projects, draftDomain({ ...options, name }, file));
  if (existing) await askMove(existing.domain, domain, options.move);
  const given = [options.serverEvents ?? [], options.clientEvents ?? []];
  const meant = given.flatMap((texts) => unquoted(texts) ?? []);
  const { keepGateways } = options;
  const change = { domain, existing, renamed, adopted, keepGateways, meant };
  const done = await regenerate(tree, projects, current, change, options);
  refuseOutside(tree);
  return runTasksInSerial(...created, done);
}
