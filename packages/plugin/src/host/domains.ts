import { joinPathFragments } from '@nx/devkit';
import type { Tree } from '@nx/devkit';
import { RealtimeError, domainNames, parseDomainFile, readDomain } from '../domain/index.js';
import type { Domain, DomainDraft, DomainFile } from '../domain/index.js';
import { shortestName } from './projects.js';
import type { HostProject, HostProjects } from './projects.js';

/** Defaults of `--app` and `--web`. */
const DEFAULTS = { app: 'api-gateway', web: 'web' };

/** A domain and the file that states it. */
export interface HostDomain {
  readonly path: string;
  readonly domain: Domain;
}

/**
 * Fills in the projects of a domain: the ones it names, the defaults, or the only ones there are.
 *
 * @throws RealtimeError RT010, RT012
 */
export function resolveDomain(projects: HostProjects, draft: DomainDraft): Domain {
  const app = resolveApp(projects, draft.app);
  const web = draft.web === null ? null : projects.resolve('web', draft.web, DEFAULTS.web);
  return {
    ...draft,
    app: shortestName(projects, app),
    web: web === null ? null : shortestName(projects, web),
  };
}

/**
 * The Nest app that a name means; without one the default, or the only one there is.
 *
 * @throws RealtimeError RT010, RT012
 */
export function resolveApp(projects: HostProjects, name: string | undefined): HostProject {
  return projects.resolve('nest', name, DEFAULTS.app);
}

/** Path of a domain's file. */
export function domainPath(projects: HostProjects, domain: Domain): string {
  const { sourceRoot } = projects.resolve('nest', domain.app, domain.app);
  const { kebabPlural } = domain.names;
  return joinPathFragments(sourceRoot, 'realtime', kebabPlural, `${kebabPlural}.domain.json`);
}

/**
 * Every domain of the workspace, ordered by path.
 *
 * @throws RealtimeError RT001 to RT008 for a domain file that is wrong
 */
export function hostDomains(tree: Tree, projects: HostProjects): HostDomain[] {
  const domains: HostDomain[] = [];
  for (const project of projects.list()) {
    const root = joinPathFragments(project.sourceRoot, 'realtime');
    for (const folder of tree.exists(root) ? tree.children(root) : []) {
      for (const file of tree.children(joinPathFragments(root, folder))) {
        if (!file.endsWith('.domain.json')) continue;
        const path = joinPathFragments(root, folder, file);
        domains.push({ path, domain: readHostDomain(tree, projects, project, path) });
      }
    }
  }
  return domains.sort((a, b) => (a.path < b.path ? -1 : 1));
}

/** The domain that a name means, in whatever app it is. */
export function findDomain(domains: readonly HostDomain[], name: string): HostDomain | undefined {
  const { kebabPlural } = domainNames(name);
  return domains.find(({ domain }) => domain.names.kebabPlural === kebabPlural);
}

/**
 * The domain that a name means.
 *
 * @throws RealtimeError RT050 where there is none of that name, naming those there are
 */
export function requireDomain(domains: readonly HostDomain[], name: string): HostDomain {
  const found = findDomain(domains, name);
  if (found) return found;
  const names = domains.map(({ domain }) => domain.names.pascal);
  throw new RealtimeError(
    'RT050',
    names.length > 0
      ? `There is no realtime domain "${name}". There are: ${names.join(', ')}.`
      : `There is no realtime domain "${name}". Create it: nx g realtime-domain ${name}`,
  );
}

/** Content of a domain's file. */
export function fileOf(tree: Tree, { path }: HostDomain): DomainFile {
  return parseDomainFile(path, tree.read(path, 'utf-8') ?? '');
}

function readHostDomain(
  tree: Tree,
  projects: HostProjects,
  project: HostProject,
  path: string,
): Domain {
  const domain = resolveDomain(projects, readDomain(path, tree.read(path, 'utf-8') ?? ''));
  const owner = projects.resolve('nest', domain.app, domain.app);
  if (owner.root !== project.root) {
    throw new RealtimeError(
      'RT006',
      `${path}: "app" is "${domain.app}", but the file lies in ${project.name}. Correct "app" or move the file.`,
    );
  }
  return domain;
}
