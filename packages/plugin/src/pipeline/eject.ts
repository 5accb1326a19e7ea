import { installPackagesTask, joinPathFragments, logger, readJson } from '@nx/devkit';
import type { GeneratorCallback, Tree } from '@nx/devkit';
import { isDeepStrictEqual } from 'node:util';
import { RealtimeError } from '../domain/index.js';
import { KERNELS, detectHost, ejectedName, librariesFolder } from '../host/index.js';
import type { HostDomain, HostProjects, Kernel } from '../host/index.js';
import { removeUnedited } from '../reconcile/index.js';
import { loadTemplates, render } from '../render/index.js';
import {
  dropWorkspaceNames,
  removeUnusedDependencies,
  rootsWith,
  unwireEjected,
  wireDependencies,
  wireHost,
} from '../wiring/index.js';
import { indented } from './lines.js';
import { printUnable } from './report.js';
import { updateGenerated } from './update-generated.js';

/**
 * Makes the sources of a kernel a library where the workspace keeps its own, under the import path of the
 * package: whatever imports it stays as it is. Run again, it brings the library up to this release.
 *
 * @returns installs packages and prints what was done
 * @throws RealtimeError RT059 where no app uses that kernel, RT020 for files in the way
 */
export async function ejectKernel(
  tree: Tree,
  projects: HostProjects,
  all: readonly HostDomain[],
  kernel: Kernel,
  options: { readonly skipFormat: boolean },
): Promise<GeneratorCallback> {
  const domains = all.map(({ domain }) => domain);
  const before = detectHost(tree, projects, domains);
  if (rootsWith(before, kernel).length === 0) {
    throw new RealtimeError(
      'RT059',
      `No app of this workspace uses ${KERNELS[kernel]}. Create a domain first: nx g realtime-domain Notification`,
    );
  }
  const root =
    before.ejected.get(kernel) ?? joinPathFragments(librariesFolder(tree), ejectedName(kernel));
  if (!before.ejected.has(kernel) && tree.exists(root)) {
    throw new RealtimeError('RT054', `${root} is there already. Move it.`);
  }
  const ejected = new Map([...before.ejected, [kernel, root]]);
  const { host } = await updateGenerated(tree, projects, all, options, undefined, ejected);
  const wired = wireHost(tree, host, domains);
  wireDependencies(tree, host, domains);
  return () => {
    // What is installed by that name is a second copy until then.
    installPackagesTask(tree, true);
    printUnable(wired);
    logger.info(
      `\n${KERNELS[kernel]} is yours, in ${root}. nx sync and nx migrate merge later releases into it.\nTo go back while nothing in it is edited: nx g @nx-realtime/plugin:realtime-eject ${kernel} --undo`,
    );
  };
}

/**
 * Uses the package again, and removes its library.
 *
 * @returns installs packages and prints what was done
 * @throws RealtimeError RT059 where the kernel is a package, RT053 where a file of its library was edited or added
 */
export async function undoEject(
  tree: Tree,
  projects: HostProjects,
  all: readonly HostDomain[],
  kernel: Kernel,
): Promise<GeneratorCallback> {
  const domains = all.map(({ domain }) => domain);
  const before = detectHost(tree, projects, domains);
  const root = before.ejected.get(kernel);
  if (root === undefined) {
    throw new RealtimeError('RT059', `${KERNELS[kernel]} is no library of this workspace.`);
  }
  const own = render(domains, before, loadTemplates(before)).filter(
    ({ path, owner }) => owner === 'yours' && path.startsWith(`${root}/`),
  );
  unwireEjected(tree, before, kernel, root);
  dropWorkspaceNames(tree, kernel, rootsWith(before, kernel));
  const ejected = new Map([...before.ejected].filter(([name]) => name !== kernel));
  for (const { path, content } of own) {
    // Dependencies that a later release has added stand in another order.
    if (path.endsWith('.json') && holds(tree, path, JSON.parse(content))) tree.write(path, content);
  }
  const kept = await removeUnedited(tree, own);
  const updated = await updateGenerated(tree, projects, all, {}, undefined, ejected);
  const edited = [
    ...kept.filter(({ outcome }) => outcome === 'kept'),
    ...updated.files.filter(({ outcome }) => outcome === 'orphan'),
  ].map(({ path }) => path);
  const added = filesIn(tree, root).filter((path) => !edited.includes(path));
  if (edited.length + added.length > 0) {
    throw new RealtimeError(
      'RT053',
      `These files of ${root} are yours, and would be lost:\n${indented([...edited, ...added].sort())}\nMove what you need elsewhere, or take your edits back, and run this again.`,
    );
  }
  const after = updated.host;
  removeUnusedDependencies(tree, { host: before, domains }, { host: after, domains });
  const wired = wireHost(tree, after, domains);
  wireDependencies(tree, after, domains);
  return () => {
    installPackagesTask(tree, true);
    printUnable(wired);
    logger.info(`\n${KERNELS[kernel]} is a package again.`);
  };
}

/** Files below a folder, without what builds leave. */
function filesIn(tree: Tree, folder: string): string[] {
  if (!tree.exists(folder)) return [];
  return tree.children(folder).flatMap((name) => {
    if (name === 'node_modules' || name === 'dist') return [];
    const path = `${folder}/${name}`;
    return tree.isFile(path) ? [path] : filesIn(tree, path);
  });
}

const holds = (tree: Tree, path: string, value: unknown): boolean =>
  tree.exists(path) && isDeepStrictEqual(readJson(tree, path), value);
