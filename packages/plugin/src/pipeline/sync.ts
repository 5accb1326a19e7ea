import type { Tree } from '@nx/devkit';
import { RealtimeError } from '../domain/index.js';
import type { HostDomain, HostProjects } from '../host/index.js';
import { MANIFEST_PATH } from '../reconcile/index.js';
import { wireDependencies, wireHost } from '../wiring/index.js';
import { bringDomains } from './bring.js';
import { writtenFiles } from './report.js';

/** What Nx shows of a sync generator's run. */
export interface SyncResult {
  readonly outOfSyncMessage?: string;
  readonly outOfSyncDetails?: string[];
}

/**
 * Renders every domain file, reconciles the result with the Tree and wires what is new.
 *
 * @returns nothing to show where the code is as its domain files and templates say
 * @throws RealtimeError RT022 where conflict markers are left in a file
 */
export async function syncDomains(
  tree: Tree,
  projects: HostProjects,
  all: readonly HostDomain[],
): Promise<SyncResult> {
  if (all.length === 0) return {};
  const domains = all.map(({ domain }) => domain);
  const manifest = tree.read(MANIFEST_PATH, 'utf-8');
  const { host, files, recorded } = await bringDomains(tree, projects, domains);
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
  const wired = wireHost(tree, host, domains).filter(({ kind }) => kind === 'done');
  wireDependencies(tree, host, domains);
  const details = [...writtenFiles(files), ...wired.map(({ path }) => `wired ${path}`)];
  if (recorded || tree.read(MANIFEST_PATH, 'utf-8') !== manifest) {
    details.push(`advanced ${MANIFEST_PATH}`);
  }
  if (details.length === 0) return {};
  return {
    outOfSyncMessage: 'Realtime code is behind its domain files or templates.',
    outOfSyncDetails: details,
  };
}
