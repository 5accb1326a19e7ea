import type { Tree } from '@nx/devkit';
import { RealtimeError } from '../domain/index.js';
import type { Domain } from '../domain/index.js';
import { domainPath } from '../host/index.js';
import type { HostDomain, HostFacts, HostProjects } from '../host/index.js';
import { MANIFEST_PATH } from '../reconcile/index.js';
import { installCommand, kernelProblems, wireDependencies, wireHost } from '../wiring/index.js';
import { updateGenerated } from './update-generated.js';
import { describeUse, writtenFiles } from './report.js';

/** Result of a sync generator's run, as Nx shows it. */
export interface SyncResult {
  readonly outOfSyncMessage?: string;
  readonly outOfSyncDetails?: string[];
}

/**
 * Renders every domain file, reconciles the result with the Tree and wires what is new.
 *
 * @returns nothing to show where the code is as its domain files and templates say
 * @throws RealtimeError RT022 where conflict markers are left in a file, RT025 where the kernels that are installed
 *   are not those that the code is for
 */
export async function syncDomains(
  tree: Tree,
  projects: HostProjects,
  all: readonly HostDomain[],
): Promise<SyncResult> {
  const manifest = tree.read(MANIFEST_PATH, 'utf-8');
  if (all.length === 0 && manifest === null) return {};
  const domains = all.map(({ domain }) => domain);
  const updated = await updateGenerated(tree, projects, all);
  const { host, files, recorded } = updated;
  // Markers from before; fresh ones are written first, so that there is something to resolve.
  const conflicts = files.filter(
    ({ outcome, conflicts: fresh }) => outcome === 'conflict' && fresh === 0,
  );
  if (conflicts.length > 0) {
    throw new RealtimeError(
      'RT022',
      `Resolve the conflict markers, yours against nx-realtime, in:\n${conflicts.map(({ path }) => `  ${path}`).join('\n')}`,
    );
  }
  const moved = all.flatMap(({ path, domain }) => moveDomainFile(tree, projects, path, domain));
  const wired = [...updated.unwired, ...wireHost(tree, host, domains)].filter(
    ({ kind }) => kind === 'done',
  );
  const packages = domains.length > 0 ? syncPackages(tree, host, domains, projects) : [];
  const details = [
    ...updated.renamed.map(({ from, to }) => `renamed ${from} to ${to}`),
    ...moved,
    ...writtenFiles(files),
    ...updated.followed.map((path) => `renamed in ${path}`),
    ...updated.leftBehind.map((what) => `left in RabbitMQ: ${what}`),
    ...updated.behind.map((use) => `to look at: ${describeUse(use)}`),
    ...wired.map(({ path }) => `wired ${path}`),
    ...packages,
  ];
  if (recorded || tree.read(MANIFEST_PATH, 'utf-8') !== manifest) {
    details.push(`advanced ${MANIFEST_PATH}`);
  }
  if (details.length === 0) {
    refuseKernels(tree, host, domains, projects);
    return {};
  }
  return {
    outOfSyncMessage: 'Realtime code is behind its domain files or templates.',
    outOfSyncDetails: details,
  };
}

/** Completes each package.json. @returns which, and what is to be done then */
function syncPackages(
  tree: Tree,
  host: HostFacts,
  domains: readonly Domain[],
  projects: HostProjects,
): string[] {
  const paths = ['', ...rootsOf(projects).map((root) => `${root}/`)].map(
    (folder) => `${folder}package.json`,
  );
  const before = paths.map((path) => tree.read(path, 'utf-8'));
  wireDependencies(tree, host, domains);
  const changed = paths.filter((path, index) => tree.read(path, 'utf-8') !== before[index]);
  return changed.map((path) => `completed ${path}: run ${installCommand(tree)}`);
}

/** @throws RealtimeError RT025 where no edit mends the kernels that are installed */
function refuseKernels(
  tree: Tree,
  host: HostFacts,
  domains: readonly Domain[],
  projects: HostProjects,
): void {
  const problems = kernelProblems(tree, host, domains, rootsOf(projects), true);
  if (problems.length === 0) return;
  const lines = problems.map(({ message, fix }) => `  ${message}\n  To fix: ${fix}`);
  throw new RealtimeError('RT025', `The kernels are not as they should be:\n${lines.join('\n')}`);
}

const rootsOf = (projects: HostProjects): string[] =>
  projects.list().flatMap(({ root }) => (root === '.' ? [] : [root]));

/** A domain file lies where its name says. */
function moveDomainFile(
  tree: Tree,
  projects: HostProjects,
  path: string,
  domain: Domain,
): string[] {
  const target = domainPath(projects, domain);
  if (path === target || tree.exists(target)) return [];
  tree.write(target, tree.read(path, 'utf-8') ?? '');
  tree.delete(path);
  return [`moved ${path} to ${target}`];
}
