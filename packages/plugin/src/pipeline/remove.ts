import { installPackagesTask, logger } from '@nx/devkit';
import type { GeneratorCallback, Tree } from '@nx/devkit';
import { RealtimeError } from '../domain/index.js';
import { detectHost } from '../host/index.js';
import type { HostDomain, HostProjects } from '../host/index.js';
import { removeUnedited } from '../reconcile/index.js';
import type { RenderedFile } from '../render/index.js';
import { loadTemplates, render } from '../render/index.js';
import { COMPOSE_FILE, dependentsOf, removeUnused } from '../wiring/index.js';
import { updateGenerated } from './update-generated.js';
import { describeUse, printFiles, printUnable } from './report.js';

export interface RemoveOptions {
  /** Remove files that their owner has edited, and code that others import, all the same. */
  readonly force?: boolean | undefined;
}

/**
 * Removes a domain: its file, its code, its wiring, and what no other domain needs.
 *
 * @returns installs packages and prints what was done
 * @throws RealtimeError RT053 for files with edits of their owner, RT055 for code that other code
 *   imports, both unless forced; the Tree is to be given up then
 */
export async function removeDomain(
  tree: Tree,
  projects: HostProjects,
  current: readonly HostDomain[],
  removed: HostDomain,
  { force = false }: RemoveOptions,
): Promise<GeneratorCallback> {
  const { pascal } = removed.domain.names;
  const rest = current.filter(({ path }) => path !== removed.path);
  const before = wantedFor(tree, projects, current);
  const files = render(before.domains, before.host, loadTemplates(before.host));
  refuseLastOfPublishers(before.host.publishers.length, rest, pascal);
  tree.delete(removed.path);
  const updated = await updateGenerated(tree, projects, rest, { force });
  const after = wantedFor(tree, projects, rest);
  const left = updated.files.filter(({ outcome }) => outcome === 'orphan');
  if (left.length > 0) {
    throw new RealtimeError(
      'RT053',
      `These files of ${pascal} hold edits of yours:\n${lines(left.map(({ path }) => path))}\nMove what you need elsewhere, or pass --force to remove them all the same.`,
    );
  }
  const wanted = new Set(
    render(after.domains, after.host, loadTemplates(after.host)).map(({ path }) => path),
  );
  const gone = files.filter(({ path, owner }) => owner === 'merged' && !tree.exists(path));
  const uses = dependentsOf(
    tree,
    before.host,
    gone.map(({ path }) => path),
  );
  if (uses.length > 0 && !force) {
    throw new RealtimeError(
      'RT055',
      `Other code imports ${pascal}:\n${lines(uses.map(describeUse))}\nChange it first, or pass --force to remove the domain all the same.`,
    );
  }
  const own = files.filter(({ path, owner }) => owner === 'yours' && !wanted.has(path));
  const kept = await removeUnedited(tree, unimported(tree, before.host, own));
  const { wired, installs } = removeUnused(
    tree,
    before,
    after,
    loadTemplates().get(COMPOSE_FILE) ?? '',
  );
  return () => {
    if (installs) installPackagesTask(tree);
    printFiles({ ...updated, files: [...updated.files, ...kept] });
    printUnable([...updated.unwired, ...wired]);
    if (uses.length > 0) logger.warn(`Imports what is no more:\n${lines(uses.map(describeUse))}`);
    logger.info(`\n${pascal} is removed.`);
  };
}

const lines = (items: readonly string[]): string => items.map((item) => `  ${item}`).join('\n');

function wantedFor(tree: Tree, projects: HostProjects, all: readonly HostDomain[]) {
  const domains = all.map(({ domain }) => domain);
  return { host: detectHost(tree, projects, domains), domains };
}

/** A library whose contracts stay keeps its configuration, and so does what other code imports. */
function unimported(
  tree: Tree,
  host: ReturnType<typeof detectHost>,
  files: readonly RenderedFile[],
): RenderedFile[] {
  const libraries = [...host.contracts.values()].map(({ root }) => root);
  return files.filter(({ path }) => {
    const library = libraries.find((root) => path.startsWith(`${root}/`));
    const source = library === undefined ? '' : `${library}/src`;
    if (library !== undefined) return !tree.exists(source) || tree.children(source).length === 0;
    return dependentsOf(tree, host, [path]).length === 0;
  });
}

function refuseLastOfPublishers(
  publishers: number,
  rest: readonly HostDomain[],
  pascal: string,
): void {
  if (publishers === 0 || rest.some(({ domain }) => domain.serverEvents.length > 0)) return;
  throw new RealtimeError(
    'RT055',
    `${pascal} is the last domain with a server event, and an app publishes events. Remove the publisher first: delete its realtime.publisher.json and run nx sync.`,
  );
}
