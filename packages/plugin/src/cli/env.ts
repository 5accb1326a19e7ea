import { FsTree, flushChanges } from 'nx/src/generators/tree';
import { RealtimeError } from '../domain/index.js';
import { HostProjects, detectHost, hostDomains } from '../host/index.js';
import { wireDevelopment } from '../wiring/index.js';
import { readArgs } from './args.js';
import type { Command } from './cli.js';
import { appNamed } from './workspace.js';

export const env: Command = {
  summary: 'create the development env files that this clone lacks (git-ignored, random secret)',
  help: `nx-realtime env [--app=<name>]

Adds what is missing to the .env.local and .env.example of each app that serves or publishes events, and
of each web app. What is there stays.

  --app=<name>  only those of this app`,

  run(cli, args) {
    const { values } = readArgs(args, { app: { type: 'string' } });
    cli.out(createEnvFiles(cli.root, values.app));
    return Promise.resolve(0);
  },
};

/**
 * Creates the development env files that a fresh clone lacks; what is there stays.
 *
 * @param name the app whose files are wanted; those of all where it is absent
 * @returns what was done, for people
 * @throws RealtimeError RT030 where there is no domain, RT031 where no such app has env files
 */
function createEnvFiles(root: string, name: string | undefined): string {
  const tree = new FsTree(root, false);
  const projects = new HostProjects(tree);
  const domains = hostDomains(tree, projects).map(({ domain }) => domain);
  if (domains.length === 0) {
    throw new RealtimeError(
      'RT030',
      `There is no realtime domain in ${root}. Create one: nx g realtime-domain Notification`,
    );
  }
  const host = detectHost(tree, projects, domains);
  const lines = wireDevelopment(tree, host, domains);
  const all = [...host.apps.values(), ...host.publishers, ...host.webs.values()];
  const apps = [...new Map(all.map((app) => [app.root, app])).values()];
  const app = name === undefined ? undefined : appNamed(apps, name);
  // What is at the root, .gitignore, is for every app.
  const isWanted = (path: string): boolean =>
    app === undefined || !path.includes('/') || path.startsWith(`${app.root}/`);
  const changes = tree.listChanges().filter(({ path }) => isWanted(path));
  flushChanges(root, changes);
  const told = lines.filter((line) => isWanted(line));
  const done =
    changes.length === 0
      ? ['Nothing to do: every env file is complete.']
      : changes.map(({ type, path }) => `${type} ${path}`);
  return [...done, ...told].join('\n');
}
