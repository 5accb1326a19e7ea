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
    const text = `${JSON.stringify(toDomainFile(domain, ''), null, 2)}\n`;
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

/**
 * The domains as they were rendered last; null where that is not known of one, as after a merge by
 * git.
 */
export function recordedDomains(tree: Tree, projects: HostProjects): HostDomain[] | null {
  try {
    return recordedPaths(tree, projects).map((path) => {
      const domain = resolveDomain(projects, readDomain(path, tree.read(path, 'utf-8') ?? ''));
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
    return tree.children(root).flatMap((folder) =>
      tree
        .children(joinPathFragments(root, folder))
        .filter((file) => file.endsWith('.domain.json.base'))
        .map((file) => joinPathFragments(root, folder, file)),
    );
  });
}
