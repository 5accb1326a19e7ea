import { FsTree, flushChanges } from 'nx/src/generators/tree';
import { RealtimeError } from '../domain/index.js';
import { HostProjects, detectHost, hostDomains } from '../host/index.js';
import { wireDevelopment } from '../wiring/index.js';
import type { Command } from './cli.js';

export const env: Command = {
  summary: 'create the development env files that this clone lacks (git-ignored, random secret)',
  help: `nx-realtime env

Adds what is missing to the .env.local and .env.example of each app that serves or publishes events, and
of each web app. What is there stays.`,

  run(cli) {
    cli.out(createEnvFiles(cli.root));
    return Promise.resolve(0);
  },
};

/**
 * Creates the development env files that a fresh clone lacks; what is there stays.
 *
 * @returns what was done, for people
 * @throws RealtimeError RT030 where there is no domain
 */
function createEnvFiles(root: string): string {
  const tree = new FsTree(root, false);
  const projects = new HostProjects(tree);
  const domains = hostDomains(tree, projects).map(({ domain }) => domain);
  if (domains.length === 0) {
    throw new RealtimeError(
      'RT030',
      `There is no realtime domain in ${root}. Create one: nx g realtime-domain Notification`,
    );
  }
  wireDevelopment(tree, detectHost(tree, projects, domains), domains);
  const changes = tree.listChanges();
  flushChanges(root, changes);
  if (changes.length === 0) return 'Nothing to do: every env file is complete.';
  return changes.map(({ type, path }) => `${type} ${path}`).join('\n');
}
