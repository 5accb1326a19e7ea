import type { Tree } from '@nx/devkit';
import type { HostDomain, HostProjects } from '../host/index.js';
import type { Outcome, ReconcileReport } from '../reconcile/index.js';
import { wireCheckTarget, wireDependencies, wireHost, wireWorkspace } from '../wiring/index.js';
import type { Wired } from '../wiring/index.js';
import { refuseOutside } from './inside.js';
import { updateGenerated } from './update-generated.js';
import { describeUse } from './report.js';

/** Remaining work for people, by the outcome of a file. */
const STEPS: Partial<Record<Outcome, string>> = {
  conflict: 'Resolve the conflict markers, yours against nx-realtime, then run nx sync',
  'base-mismatch':
    'Not updated, their merge base is not the one that was written: run nx g @nx-realtime/plugin:rebase, then nx sync',
  orphan: 'No longer generated, but edited by you: move what you need elsewhere and delete them',
};

/**
 * Brings every domain to the templates of this release: what a migration does. Unlike sync it goes
 * on where conflict markers are left, because a release holds other migrations too.
 *
 * @returns next steps for people; none where all was merged
 * @throws RealtimeError for domain files that are wrong or clash, or files in the way
 */
export async function migrateDomains(
  tree: Tree,
  projects: HostProjects,
  all: readonly HostDomain[],
): Promise<string[]> {
  if (all.length === 0) return [];
  const domains = all.map(({ domain }) => domain);
  const { host, files, behind, unwired } = await updateGenerated(tree, projects, all);
  const wired = [
    ...unwired,
    ...wireWorkspace(tree),
    ...wireHost(tree, host, domains),
    ...wireCheckTarget(tree, host),
  ];
  // Nx installs after a migration that changes package.json.
  wireDependencies(tree, host, domains);
  refuseOutside(tree);
  return [
    ...fileSteps(files),
    ...behind.map((use) => `Look at ${describeUse(use)}: it is not there any more.`),
    ...wired.flatMap(unableStep),
  ];
}

function fileSteps(files: ReconcileReport): string[] {
  return Object.entries(STEPS).flatMap(([outcome, step]) => {
    const paths = files.filter((file) => file.outcome === outcome).map(({ path }) => `  ${path}`);
    return paths.length > 0 ? [`${step}:\n${paths.join('\n')}`] : [];
  });
}

function unableStep(edit: Wired): string[] {
  if (edit.kind !== 'unable') return [];
  return [`RT040 ${edit.path} was left as it is: ${edit.reason}. Paste into it:\n${edit.snippet}`];
}
