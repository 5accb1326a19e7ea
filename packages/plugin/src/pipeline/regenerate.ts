import { installPackagesTask, joinPathFragments, runTasksInSerial } from '@nx/devkit';
import type { GeneratorCallback, Tree } from '@nx/devkit';
import { posix } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import type { Derived } from '../adopt/index.js';
import {
  RealtimeError,
  parsePublisherFile,
  toDomainFile,
  writeDomainFile,
} from '../domain/index.js';
import type { Domain, Renamed } from '../domain/index.js';
import { domainPath, publisherPath } from '../host/index.js';
import type { HostDomain, HostProjects, HostPublisher, WebFacts } from '../host/index.js';
import type { ReconcileOptions } from '../reconcile/index.js';
import { loadTemplates } from '../render/index.js';
import {
  COMPOSE_FILE,
  removeUnusedDependencies,
  wireCheckTarget,
  wireCompose,
  wireDependencies,
  wireDevelopment,
  wireHost,
  wireWorkspace,
} from '../wiring/index.js';
import { updateGenerated } from './update-generated.js';
import type { Updated } from './update-generated.js';
import { domainSteps, publisherSteps } from './next-steps.js';
import { printAdopted, printExistingGateways, printKeptGateways, printReport } from './report.js';

const SCHEMA = 'node_modules/@nx-realtime/plugin/schemas/domain.schema.json';

/** A domain that a command creates or changes. */
export interface ChangedDomain {
  readonly domain: Domain;
  /** The domain in its file now; absent for a new one. */
  readonly existing?: HostDomain | undefined;
  /** Events of it that have another name. */
  readonly renamed?: readonly Renamed[];
  /** The code that it was derived from. */
  readonly adopted?: Derived | null;
  /** Gateways that the app had before are left on servers of their own. */
  readonly keepGateways?: boolean | undefined;
  /** Events as they were meant, where a shell seems to have made several of each. */
  readonly meant?: readonly string[];
}

/**
 * Renders every domain with one of them new or changed, reconciles the result with the Tree and
 * wires it into the host.
 *
 * @param current the domains as their files say
 * @returns installs packages and prints the report
 * @throws RealtimeError for domains that clash, or files in the way; nothing is written then
 */
export async function regenerate(
  tree: Tree,
  projects: HostProjects,
  current: readonly HostDomain[],
  { domain, existing, renamed = [], adopted = null, keepGateways, meant = [] }: ChangedDomain,
  options: ReconcileOptions,
): Promise<GeneratorCallback> {
  const changed = { path: domainPath(projects, domain), domain };
  refuseTaken(tree, changed.path, existing);
  const others = current.filter((other) => other.path !== existing?.path);
  const all = [...others, changed].sort((a, b) => (a.path < b.path ? -1 : 1));
  const domains = all.map((one) => one.domain);
  const updated = await updateGenerated(
    tree,
    projects,
    all,
    options,
    existing && { before: existing.domain, after: domain, events: renamed },
  );
  saveDomain(tree, changed, existing, renamed);
  const { host, files } = updated;
  const isFirst = !existing && others.every((other) => other.domain.app !== domain.app);
  if ((isFirst && !adopted) || keepGateways) {
    const adopting = await import('../adopt/index.js');
    const app = host.apps.get(domain.app)!;
    const gateways = adopting.existingGateways(tree, app, keepGateways);
    const clients = [...host.webs.values()].map(clientOf);
    const left = keepGateways ? adopting.keepGateways(tree, gateways, app, clients) : gateways;
    if (keepGateways) printKeptGateways(gateways.filter((one) => !left.includes(one)));
    printExistingGateways(left);
  }
  const before = existing && [...others.map((one) => one.domain), existing.domain];
  const isDropped =
    before?.some(({ observability }) => observability) === true &&
    !domains.some(({ observability }) => observability) &&
    removeUnusedDependencies(tree, { host, domains: before }, { host, domains });
  const steps = () => domainSteps(tree, { domain, before: existing?.domain, host, files });
  const done = runTasksInSerial(
    () => {
      if (isDropped) installPackagesTask(tree, true);
    },
    finish(tree, domains, updated, steps, meant),
  );
  if (!adopted) return done;
  const { otherCode, moveGuardChecks, moveHandlers, replaceHandWritten } =
    await import('../adopt/index.js');
  const { kebabPlural } = domain.names;
  const app = host.apps.get(domain.app)!;
  const service = joinPathFragments(app.realtimeRoot, kebabPlural, `${kebabPlural}.service.ts`);
  const replaced = replaceHandWritten(tree, adopted);
  const web = domain.web === null ? undefined : host.webs.get(domain.web);
  const guard = joinPathFragments(app.realtimeRoot, 'guards/ws-auth.guard.ts');
  const client = web && clientOf(web);
  const left = [
    ...moveGuardChecks(tree, adopted, replaced.gone, { app, path: guard, kind: 'guard' }, client),
    ...moveHandlers(tree, adopted, replaced.gone, domain, { app, path: service, kind: 'service' }),
    ...otherCode(tree, adopted, web),
  ];
  return runTasksInSerial(done, () => printAdopted(adopted, replaced, left));
}

/** The file that makes the browser's connection. */
const clientOf = ({ sourceRoot }: WebFacts): string =>
  joinPathFragments(sourceRoot, 'lib/realtime/realtime-client.ts');

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
  const updated = await updateGenerated(tree, projects, all, options);
  return finish(tree, domains, updated, () => publisherSteps(project, updated.host));
}

/** Wires what was updated, and reports it. @param stepsOf what is to be done once it is wired */
function finish(
  tree: Tree,
  domains: readonly Domain[],
  updated: Updated,
  stepsOf: () => string,
  meant: readonly string[] = [],
): GeneratorCallback {
  const { host } = updated;
  const wired = [
    ...updated.unwired,
    ...wireWorkspace(tree),
    ...wireHost(tree, host, domains),
    ...wireCheckTarget(tree, host),
    wireCompose(tree, loadTemplates().get(COMPOSE_FILE) ?? ''),
  ];
  const env = wireDevelopment(tree, host, domains);
  const install = wireDependencies(tree, host, domains);
  const steps = stepsOf();
  return runTasksInSerial(install, () => printReport(steps, updated, wired, meant, env));
}

/** @throws RealtimeError RT054 where the file of another domain is in the way */
function refuseTaken(tree: Tree, path: string, existing: HostDomain | undefined): void {
  if (path === existing?.path || !existing || !tree.exists(path)) return;
  throw new RealtimeError('RT054', `${path} is there already. Choose another name, or move it.`);
}

function saveDomain(
  tree: Tree,
  { path, domain }: HostDomain,
  existing: HostDomain | undefined,
  renamed: readonly Renamed[],
): void {
  const current = tree.read(existing?.path ?? path, 'utf-8');
  const schema = joinPathFragments(posix.relative(posix.dirname(path), '.'), SCHEMA);
  const next = writeDomainFile(current, toDomainFile(domain, schema), renamed);
  if (existing && existing.path !== path) tree.delete(existing.path);
  if (next !== tree.read(path, 'utf-8')) tree.write(path, next);
}
