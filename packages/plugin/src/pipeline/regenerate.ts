import { joinPathFragments, runTasksInSerial } from '@nx/devkit';
import type { GeneratorCallback, Tree } from '@nx/devkit';
import { posix } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import {
  RealtimeError,
  parsePublisherFile,
  toDomainFile,
  writeDomainFile,
} from '../domain/index.js';
import type { Domain } from '../domain/index.js';
import { domainPath, publisherPath } from '../host/index.js';
import type { HostDomain, HostProjects, HostPublisher } from '../host/index.js';
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
import type { Brought } from './bring.js';
import { domainSteps, printReport, publisherSteps } from './report.js';

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
  const brought = await bringDomains(tree, projects, domains, options);
  saveDomain(tree, changed);
  return finish(tree, domains, brought, domainSteps(changed.domain, brought.host));
}

/**
 * Writes a publisher's file, renders every domain and publisher, and wires the result.
 *
 * @returns installs packages and prints the report
 * @throws RealtimeError RT030 without a domain; for domains that clash, or files in the way
 */
export async function regeneratePublisher(
  tree: Tree,
  projects: HostProjects,
  all: readonly HostDomain[],
  { project, file }: HostPublisher,
  options: ReconcileOptions,
): Promise<GeneratorCallback> {
  const domains = all.map(({ domain }) => domain);
  if (!domains.some(({ serverEvents }) => serverEvents.length > 0)) {
    throw new RealtimeError(
      'RT030',
      'There is no realtime domain with a server event to publish. Create one: nx g realtime-domain Notification',
    );
  }
  const path = publisherPath(project);
  const text = `${JSON.stringify(file, null, 2)}\n`;
  const held = tree.read(path, 'utf-8');
  // Compared as data: its owner may have formatted it.
  if (held === null || !isDeepStrictEqual(parsePublisherFile(path, held), file)) {
    tree.write(path, text);
  }
  const brought = await bringDomains(tree, projects, domains, options);
  return finish(tree, domains, brought, publisherSteps(project, brought.host));
}

/** Wires what was brought, and reports it. */
function finish(
  tree: Tree,
  domains: readonly Domain[],
  { host, files }: Brought,
  steps: string,
): GeneratorCallback {
  const wired = [
    ...wireWorkspace(tree),
    ...wireHost(tree, host, domains),
    wireCompose(tree, loadTemplates().get(COMPOSE_FILE) ?? ''),
  ];
  wireDevelopment(tree, host, domains);
  const install = wireDependencies(tree, host, domains);
  return runTasksInSerial(install, () => printReport(steps, files, wired));
}

function saveDomain(tree: Tree, { path, domain }: HostDomain): void {
  const current = tree.read(path, 'utf-8');
  const schema = joinPathFragments(posix.relative(posix.dirname(path), '.'), SCHEMA);
  const next = writeDomainFile(current, toDomainFile(domain, schema));
  if (next !== current) tree.write(path, next);
}
