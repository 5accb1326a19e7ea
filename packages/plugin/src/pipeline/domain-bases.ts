import { joinPathFragments } from '@nx/devkit';
import type { Tree } from '@nx/devkit';
import { RealtimeError, readDomain, toDomainFile } from '../domain/index.js';
import type { Domain } from '../domain/index.js';
import { domainPath, resolveDomain } from '../host/index.js';
import type { HostDomain, HostProjects } from '../host/index.js';
import { basePath } from '../reconcile/index.js';

/**
 * Keeps each domain as it was rendered last, beside the bases of the files: what tells a changed
 * domain file from changed templates.
 *
 * @returns whether one had changed
 */
export function recordDomains(
  tree: Tree,
  projects: HostProjects,
  domains: readonly Domain[],
): boolean {
  let changed = false;
  const kept = new Set<string>();
  for (const domain of domains) {
    const path = basePath(domainPath(projects, domain));
    const text = recordOf(domain);
    kept.add(path);
    if (tree.read(path, 'utf-8') === text) continue;
    tree.write(path, text);
    changed = true;
  }
  for (const path of recordedPaths(tree, projects)) {
    if (kept.has(path)) continue;
    tree.delete(path);
    changed = true;
  }
  return changed;
}

const recordOf = (domain: Domain): string =>
  `${JSON.stringify(toDomainFile(domain, ''), null, 2)}\n`;

/**
 * The domains as they were rendered last; null where that is not known of one, as after a merge by
 * git.
 *
 * @param current the domains as their files say: one that is as it was is not parsed again
 */
export function recordedDomains(
  tree: Tree,
  projects: HostProjects,
  current: readonly HostDomain[],
): HostDomain[] | null {
  const known = new Map(current.map(({ domain }) => [recordOf(domain), domain]));
  try {
    return recordedPaths(tree, projects).map((path) => {
      const text = tree.read(path, 'utf-8') ?? '';
      const domain = known.get(text) ?? resolveDomain(projects, readDomain(path, text));
      return { path: domainPath(projects, domain), domain };
    });
  } catch (error) {
    if (error instanceof RealtimeError) return null;
    throw error;
  }
}

function recordedPaths(tree: Tree, projects: HostProjects): string[] {
  return projects.list().flatMap(({ sourceRoot }) => {
    const root = basePath(joinPathFragments(sourceRoot, 'realtime')).replace(/\.base$/, '');
    return tree
      .children(root)
      .map((folder) => joinPathFragments(root, folder, `${folder}.domain.json.base`))
      .filter((path) => tree.exists(path));
  });
}
