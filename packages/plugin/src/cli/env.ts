import { workspaceRoot } from '@nx/devkit';
import { FsTree, flushChanges } from 'nx/src/generators/tree';
import { RealtimeError } from '../domain/index.js';
import { HostProjects, detectHost, hostDomains } from '../host/index.js';
import { wireDevelopment } from '../wiring/index.js';

/**
 * Creates the development env files that a fresh clone lacks; what is there stays.
 *
 * @returns what was done, for people
 * @throws RealtimeError RT030 where there is no domain
 */
export function createEnvFiles(): string {
  const tree = new FsTree(workspaceRoot, false);
  const projects = new HostProjects(tree);
  const domains = hostDomains(tree, projects).map(({ domain }) => domain);
  if (domains.length === 0) {
    throw new RealtimeError(
      'RT030',
      `There is no realtime domain in ${workspaceRoot}. Create one: nx g realtime-domain Notification`,
    );
  }
  wireDevelopment(tree, detectHost(tree, projects, domains), domains);
  const changes = tree.listChanges();
  flushChanges(workspaceRoot, changes);
  if (changes.length === 0) return 'Nothing to do: every env file is complete.';
  return changes.map(({ type, path }) => `${type} ${path}`).join('\n');
}
