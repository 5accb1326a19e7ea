import { joinPathFragments } from '@nx/devkit';
import type { Tree } from '@nx/devkit';
import { posix } from 'node:path';
import { RealtimeError, parsePublisherFile } from '../domain/index.js';
import type { PublisherFile } from '../domain/index.js';
import type { AppFacts } from './facts.js';
import { shortestName } from './projects.js';
import type { HostProject, HostProjects } from './projects.js';

/** An app that publishes, and what its file says. */
export interface HostPublisher {
  readonly project: HostProject;
  readonly file: PublisherFile;
}

/** Path of a publisher's file. */
export const publisherPath = ({ sourceRoot }: HostProject): string =>
  joinPathFragments(sourceRoot, 'realtime/publisher/realtime.publisher.json');

/**
 * Every app of the workspace that publishes.
 *
 * @throws RealtimeError RT006 for a publisher file that is wrong
 */
export function hostPublishers(tree: Tree, projects: HostProjects): HostPublisher[] {
  return projects.list().flatMap((project) => {
    const path = publisherPath(project);
    const text = tree.read(path, 'utf-8');
    if (text === null) return [];
    const file = parsePublisherFile(path, text);
    if (projects.find(file.app)?.root !== project.root) {
      throw new RealtimeError(
        'RT006',
        `${path}: "app" is "${file.app}", but the file lies in ${project.name}. Correct "app" or move the file.`,
      );
    }
    return [{ project, file }];
  });
}

/**
 * The publisher that an app gets, or has. A flag that is not given keeps what its file says.
 *
 * @throws RealtimeError RT006, RT010
 */
export function resolvePublisher(
  tree: Tree,
  projects: HostProjects,
  options: { readonly app: string; readonly skipTests?: boolean | undefined },
): HostPublisher {
  const project = projects.resolve('publisher', options.app, options.app);
  const held = hostPublishers(tree, projects).find((other) => other.project.root === project.root);
  const skipTests = options.skipTests ?? held?.file.skipTests;
  const app = held?.file.app ?? shortestName(projects, project);
  return { project, file: { app, ...(skipTests ? { skipTests } : {}) } };
}

/** The apps that published until these files were removed. */
export function formerPublishers(
  projects: HostProjects,
  removed: readonly string[],
): HostProject[] {
  return projects.list().filter((project) => {
    const folder = posix.dirname(publisherPath(project));
    return removed.some((path) => posix.dirname(path) === folder);
  });
}

/**
 * The variable by which a publisher finds an app on the embedded transport: the app's own one where
 * they are the same app.
 *
 * @param name by which domains name the app
 */
export function tcpPortVariable(publisher: AppFacts, app: AppFacts, name: string): string {
  if (publisher.root === app.root) return 'REALTIME_TCP_PORT';
  return `REALTIME_TCP_PORT_${name
    .replaceAll(/[^A-Za-z0-9]+/g, '_')
    .replace(/^_/, '')
    .toUpperCase()}`;
}
