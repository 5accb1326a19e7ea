import { detectPackageManager, getPackageManagerCommand, readJson } from '@nx/devkit';
import type { Tree } from '@nx/devkit';
import type { Domain } from '../../domain/index.js';
import { KERNELS, copiesOf } from '../../host/index.js';
import type { Copy, HostFacts, Kernel } from '../../host/index.js';
import { isOlder, pluginVersion } from '../../reconcile/index.js';
import { kernelsOf } from './dependencies.js';
import { versionIn } from './packages.js';

/** A fault of a kernel that is installed, or should be. */
export interface KernelProblem {
  readonly class: 'kernel-missing' | 'kernel-twice' | 'kernel-version';
  /** Path of the kernel's folder, or of the file that should name it. */
  readonly path: string;
  readonly message: string;
  /** A command line. */
  readonly fix: string;
}

type Ranges = Record<string, string>;

/**
 * Compares the kernels that are installed with the plugin that runs: there is one of each that the domains need, at
 * the plugin's version.
 *
 * @param roots folders of the workspace's projects
 * @param isPinned whether every package.json names the kernels as sync would write them
 */
export function kernelProblems(
  tree: Tree,
  host: HostFacts,
  domains: readonly Domain[],
  roots: readonly string[],
  isPinned: boolean,
): KernelProblem[] {
  return kernelsOf(host, domains).flatMap((kernel): KernelProblem[] => {
    const name = KERNELS[kernel];
    const library = host.ejected.get(kernel);
    if (library !== undefined) return ejectedProblems(tree, host, kernel, library, roots);
    const newer = newerPin(tree, name, roots);
    if (newer) return [newer];
    const copies = copiesOf(tree, name, roots);
    if (copies === null) return [];
    const install = installCommand(tree);
    const fix = isPinned ? install : `nx sync, then ${install}`;
    if (copies.length === 0) {
      const message = `${name} is not installed; generated code imports it.`;
      return [{ class: 'kernel-missing', path: 'package.json', message, fix }];
    }
    const pair = copies.flatMap((copy) => {
      const other = copies.find((one) => one !== copy && meets(one, copy));
      return other ? [[other, copy] as const] : [];
    })[0];
    if (pair) {
      return [
        {
          class: 'kernel-twice',
          path: pair[1].path,
          message: `${name} is installed twice, ${pair.map(({ version, path }) => `${version} in ${path}`).join(' and ')}: code that imports one does not know the other.`,
          fix: isPinned ? `${detectPackageManager(tree.root)} dedupe` : fix,
        },
      ];
    }
    const plugin = pluginVersion();
    return copies
      .filter(({ version }) => version !== plugin)
      .map(({ version, path }) => ({
        class: 'kernel-version',
        path,
        message: `${name} is ${version}, and @nx-realtime/plugin is ${plugin}: they are released and tested together.`,
        fix: isOlder(plugin, version) ? migrateTo(version) : fix,
      }));
  });
}

/** An ejected kernel is at the version of its files, which the check of files tells; nothing else is installed by its name. */
function ejectedProblems(
  tree: Tree,
  { solution }: HostFacts,
  kernel: Kernel,
  library: string,
  roots: readonly string[],
): KernelProblem[] {
  const name = KERNELS[kernel];
  const copies = copiesOf(tree, name, roots);
  if (copies === null || !tree.exists('node_modules')) return [];
  const fix = installCommand(tree);
  const other = copies.find(({ isLinked }) => !isLinked);
  if (other) {
    const message = `${name} is a library of this workspace, ${library}, and ${other.version} is installed in ${other.path}: code that imports one does not know the other.`;
    return [{ class: 'kernel-twice', path: other.path, message, fix }];
  }
  if (!solution || copies.length > 0) return [];
  const message = `${name} is a library of this workspace, ${library}, and is not linked.`;
  return [{ class: 'kernel-missing', path: 'package.json', message, fix }];
}

/** A pin that is later than the plugin: its owner's wish, which sync leaves. */
function newerPin(tree: Tree, name: string, roots: readonly string[]): KernelProblem | undefined {
  const plugin = pluginVersion();
  for (const path of ['package.json', ...roots.map((root) => `${root}/package.json`)]) {
    if (!tree.exists(path)) continue;
    const { dependencies, devDependencies } = readJson<Record<string, Ranges | undefined>>(
      tree,
      path,
    );
    const spec = dependencies?.[name] ?? devDependencies?.[name];
    const version = spec === undefined ? null : versionIn(spec);
    if (version === null || !isOlder(plugin, version)) continue;
    const message = `It names ${name} ${version}, and @nx-realtime/plugin is ${plugin}: they are released and tested together.`;
    return { class: 'kernel-version', path, message, fix: migrateTo(version) };
  }
  return undefined;
}

/** `npm install` */
export const installCommand = (tree: Tree): string =>
  getPackageManagerCommand(detectPackageManager(tree.root)).install;

const migrateTo = (version: string): string => `nx migrate @nx-realtime/plugin@${version}`;

/**
 * True where code below one copy's folder may import either. Each project of pnpm has its own link, and nothing else.
 */
function meets(upper: Copy, lower: Copy): boolean {
  if (upper.isolated && lower.isolated && upper.version === lower.version) return false;
  const above = (path: string): string => path.slice(0, path.lastIndexOf('node_modules/'));
  return upper.path === lower.path || above(lower.path).startsWith(above(upper.path));
}
