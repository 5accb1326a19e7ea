import { joinPathFragments, readJson, writeJson } from '@nx/devkit';
import type { Tree } from '@nx/devkit';
import { existsSync, readFileSync } from 'node:fs';
import { basename, dirname, isAbsolute, join, posix, relative, resolve, sep } from 'node:path';
import { RealtimeError } from '../../domain/index.js';
import { KERNELS } from '../../host/index.js';
import type { HostFacts, Kernel } from '../../host/index.js';
import { STATE_FOLDER, pluginVersion } from '../../reconcile/index.js';
import { addAsset, dropAsset } from '../text/index.js';
import { editFile } from './edit.js';
import type { Wired } from './edit.js';

/**
 * Folder of our packages' tarballs in a workspace that takes them from no registry. It is committed, and named
 * relatively, so that a clone can be installed.
 */
export const TARBALL_FOLDER = `${STATE_FOLDER}/packages`;

type Ranges = Record<string, string>;
type Manifest = Record<string, Ranges | undefined>;

const SECTIONS = ['dependencies', 'devDependencies'] as const;
const SCOPE = '@nx-realtime/';
const PLUGIN = `${SCOPE}plugin`;

/** Specifier of each kernel in the root's package.json: the plugin's version, or a tarball from beside the plugin's. */
export type KernelSpecs = Readonly<Record<Kernel, string>>;

/**
 * Finds the specifiers of the kernels in this workspace. Writes nothing.
 *
 * @param needed the kernels that it needs
 * @throws RealtimeError RT042 where the plugin came from a tarball that has no such kernel beside it
 */
export function kernelSpecs(tree: Tree, needed: readonly Kernel[]): KernelSpecs {
  const tarball = pluginTarball(tree);
  if (tarball === null) return { nest: pluginVersion(), react: pluginVersion() };
  const held = rootRanges(tree);
  const missing = needed.filter(
    (kernel) => !existsIn(tree, beside(tarball, kernel)) && held[KERNELS[kernel]] === undefined,
  );
  if (missing.length > 0) {
    throw new RealtimeError(
      'RT042',
      `${PLUGIN} was installed from ${tarball}, and what its code imports is not beside it. Put ${missing.map((kernel) => basename(beside(tarball, kernel))).join(' and ')} into that folder and run this again.`,
    );
  }
  const specOf = (kernel: Kernel): string =>
    existsIn(tree, beside(tarball, kernel))
      ? `file:${keptPath(tree, beside(tarball, kernel))}`
      : heldSpec(tree, held[KERNELS[kernel]] ?? pluginVersion());
  return { nest: specOf('nest'), react: specOf('react') };
}

/** The specifier once its tarball is kept. */
function heldSpec(tree: Tree, spec: string): string {
  const file = tarballOf(tree, spec);
  return file === null ? spec : `file:${keptPath(tree, file)}`;
}

/**
 * Copies into the workspace every tarball of ours that the root's package.json names outside of it, and the kernels
 * from beside the plugin's, and names them there.
 *
 * @returns whether package.json names another file than before
 */
export function keepTarballs(tree: Tree): boolean {
  const tarball = pluginTarball(tree);
  for (const kernel of tarball === null ? [] : (Object.keys(KERNELS) as Kernel[])) {
    // Both: a first web app may come later.
    if (existsIn(tree, beside(tarball!, kernel))) keep(tree, beside(tarball!, kernel));
  }
  const json = readJson<Manifest>(tree, 'package.json');
  let changed = false;
  for (const section of SECTIONS) {
    for (const [name, range] of Object.entries(json[section] ?? {})) {
      const file = name.startsWith(SCOPE) ? tarballOf(tree, range) : null;
      if (file === null || inWorkspace(tree, file) !== null || !existsIn(tree, file)) continue;
      keep(tree, file);
      json[section] = { ...json[section], [name]: heldSpec(tree, range) };
      changed = true;
    }
  }
  if (changed) writeJson(tree, 'package.json', json);
  return changed;
}

/** Deletes the tarballs that were kept of other versions, or all where nothing names one any more. */
export function dropTarballs(tree: Tree): void {
  if (!tree.exists(TARBALL_FOLDER)) return;
  const held = rootRanges(tree);
  const named = new Set(Object.values(held));
  const plugin = held[PLUGIN] ?? '';
  const current = plugin.startsWith('file:') ? versionIn(plugin) : null;
  for (const name of tree.children(TARBALL_FOLDER)) {
    const spec = `file:${TARBALL_FOLDER}/${name}`;
    if (named.has(spec) || (current !== null && versionIn(spec) === current)) continue;
    tree.delete(`${TARBALL_FOLDER}/${name}`);
  }
}

/**
 * Makes the builds of Nest apps copy the tarball of the kernel: the package.json and the lockfile that Nx writes into
 * them name it by the path that it has in the workspace. Where no tarball is used, copies it no more.
 */
export function wireTarballs(tree: Tree, host: HostFacts): Wired[] {
  const tarball = pluginTarball(tree);
  if (tarball === null || host.ejected.has('nest')) return unwireTarballs(tree, host);
  const folder = posix.dirname(keptPath(tree, beside(tarball, 'nest')));
  const glob = `${KERNELS.nest.slice(1).replace('/', '-')}-*.tgz`;
  return nestRoots(host).map((root) =>
    editFile(tree, webpackConfig(tree, root), (text) =>
      addAsset(text, { input: posix.relative(root, folder), glob, output: folder }),
    ),
  );
}

/** Takes out of builds what `wireTarballs` has added. */
export function unwireTarballs(tree: Tree, host: HostFacts): Wired[] {
  return nestRoots(host)
    .map((root) => [root, webpackConfig(tree, root)] as const)
    .filter(([, path]) => tree.exists(path))
    .map(([root, path]) =>
      editFile(tree, path, (text) => dropAsset(text, posix.relative(root, TARBALL_FOLDER))),
    );
}

const nestRoots = (host: HostFacts): string[] => [
  ...new Set([...host.apps.values(), ...host.publishers].map(({ root }) => root)),
];

function webpackConfig(tree: Tree, root: string): string {
  const paths = ['js', 'cjs', 'ts'].map((ending) =>
    joinPathFragments(root, `webpack.config.${ending}`),
  );
  return paths.find((path) => tree.exists(path)) ?? paths[0]!;
}

/** The name that a project of the workspace gives a package that the root names so. */
export function specIn(root: string, spec: string, packageManager: string): string {
  if (!spec.startsWith('file:')) return spec;
  // npm takes the root's copy for a version that it has, and Nx writes this name into what it builds.
  if (packageManager === 'npm') return versionIn(spec) ?? spec;
  return `file:${posix.relative(root, spec.slice('file:'.length))}`;
}

/** The version that a spec pins or begins at; of a tarball that in its name. Null for any other spec. */
export function versionIn(spec: string): string | null {
  const tarball = /^file:.*-(\d+\.\d+\.\d+(?:-[0-9A-Za-z.-]+)?)\.tgz$/.exec(spec);
  return tarball?.[1] ?? /^[\^~>=v]*(\d+\.\d+\.\d+\S*)$/.exec(spec)?.[1] ?? null;
}

/** The version that the root's package.json pins of a package, or begins at; null where it says none. */
export function pinOf(tree: Tree, name: string): string | null {
  if (!tree.exists('package.json')) return null;
  const spec = rootRanges(tree)[name];
  return spec === undefined ? null : versionIn(spec);
}

/** The tarball that the plugin was installed from, absolute; null where it came from elsewhere. */
function pluginTarball(tree: Tree): string | null {
  const spec = rootRanges(tree)[PLUGIN];
  return spec === undefined ? null : tarballOf(tree, spec);
}

function tarballOf(tree: Tree, spec: string): string | null {
  if (!/^file:.*\.(?:tgz|tar\.gz)$/.test(spec)) return null;
  return resolve(tree.root, spec.slice('file:'.length));
}

/** The tarball of a kernel, as npm names it, in the folder of another. */
function beside(tarball: string, kernel: Kernel): string {
  const name = KERNELS[kernel].slice(1).replace('/', '-');
  return join(dirname(tarball), `${name}-${pluginVersion()}.tgz`);
}

function rootRanges(tree: Tree): Ranges {
  const { dependencies, devDependencies } = readJson<Manifest>(tree, 'package.json');
  return { ...devDependencies, ...dependencies };
}

/** Path of a tarball in the workspace, now or later. */
function keptPath(tree: Tree, file: string): string {
  return inWorkspace(tree, file) ?? joinPathFragments(TARBALL_FOLDER, basename(file));
}

/** A path of the workspace; null for one outside of it. */
function inWorkspace(tree: Tree, file: string): string | null {
  const path = relative(tree.root, file).split(sep).join('/');
  return path.startsWith('../') || isAbsolute(path) ? null : path;
}

function existsIn(tree: Tree, file: string): boolean {
  const path = inWorkspace(tree, file);
  return path === null ? existsSync(file) : tree.exists(path);
}

function keep(tree: Tree, file: string): void {
  if (inWorkspace(tree, file) !== null) return;
  const path = keptPath(tree, file);
  const content = readFileSync(file);
  if (tree.read(path)?.equals(content) !== true) tree.write(path, content);
}
