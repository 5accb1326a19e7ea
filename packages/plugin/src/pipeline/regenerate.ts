import { joinPathFragments, runTasksInSerial } from '@nx/devkit';
import type { GeneratorCallback, Tree } from '@nx/devkit';
import { posix } from 'node:path';
import { toDomainFile, writeDomainFile } from '../domain/index.js';
import type { Domain } from '../domain/index.js';
import { domainPath } from '../host/index.js';
import type { HostDomain, HostProjects } from '../host/index.js';
import type { ReconcileOptions } from '../reconcile/index.js';
import { loadTemplates } from '../render/index.js';
import {
  COMPOSE_FILE,
  wireCompose,
  wireDependencies,
  wireDevelopment,
  wireHost,
  wireWorkspace,
} from '../wiring/index.js';
import { bringDomains } from './bring.js';
import { printReport } from './report.js';

const SCHEMA = 'node_modules/@nx-realtime/plugin/schemas/domain.schema.json';

/**
 * The workspace's domains with one of them new or changed.
 *
 * @returns all of them, and the one whose file is to be written
 */
export function withDomain(
  domains: readonly HostDomain[],
  projects: HostProjects,
  domain: Domain,
): { readonly all: HostDomain[]; readonly changed: HostDomain } {
  const changed = { path: domainPath(projects, domain), domain };
  const others = domains.filter((other) => other.domain.names.pascal !== domain.names.pascal);
  const all = [...others, changed].sort((a, b) => (a.path < b.path ? -1 : 1));
  return { all, changed };
}

/**
 * Renders every domain, reconciles the result with the Tree and wires it into the host.
 *
 * @returns installs packages and prints the report
 * @throws RealtimeError for domains that clash, or files in the way; nothing is written then
 */
export async function regenerate(
  tree: Tree,
  projects: HostProjects,
  { all, changed }: { readonly all: readonly HostDomain[]; readonly changed: HostDomain },
  options: ReconcileOptions,
): Promise<GeneratorCallback> {
  const domains = all.map(({ domain }) => domain);
  const { host, files } = await bringDomains(tree, projects, domains, options);
  saveDomain(tree, changed);
  const wired = [
    ...wireWorkspace(tree),
    ...wireHost(tree, host, domains),
    wireCompose(tree, loadTemplates().get(COMPOSE_FILE) ?? ''),
  ];
  wireDevelopment(tree, host, domains);
  const install = wireDependencies(tree, host, domains);
  return runTasksInSerial(install, () => printReport(changed.domain, host, files, wired));
}

function saveDomain(tree: Tree, { path, domain }: HostDomain): void {
  const current = tree.read(path, 'utf-8');
  const schema = joinPathFragments(posix.relative(posix.dirname(path), '.'), SCHEMA);
  const next = writeDomainFile(current, toDomainFile(domain, schema));
  if (next !== current) tree.write(path, next);
}
