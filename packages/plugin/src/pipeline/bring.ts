import type { Tree } from '@nx/devkit';
import { checkDomains, checkPublished } from '../domain/index.js';
import type { Domain } from '../domain/index.js';
import { detectHost } from '../host/index.js';
import type { HostFacts, HostProjects } from '../host/index.js';
import { reconcile } from '../reconcile/index.js';
import type { ReconcileOptions, ReconcileReport } from '../reconcile/index.js';
import { loadTemplates, render } from '../render/index.js';
import { recordDomains } from './domain-bases.js';

export interface Brought {
  readonly host: HostFacts;
  readonly files: ReconcileReport;
  /** Whether a domain is not what it was at the last run. */
  readonly recorded: boolean;
}

/**
 * The steps that every command shares: detect the host, render its domains, reconcile the result.
 *
 * @throws RealtimeError for domains that clash, or files in the way; nothing is written then
 */
export async function bringDomains(
  tree: Tree,
  projects: HostProjects,
  domains: readonly Domain[],
  options: ReconcileOptions = {},
): Promise<Brought> {
  checkDomains(domains);
  const host = detectHost(tree, projects, domains);
  if (host.publishers.length > 0) checkPublished(domains);
  const files = await reconcile(tree, render(domains, host, loadTemplates()), options);
  return { host, files, recorded: recordDomains(tree, projects, domains) };
}
