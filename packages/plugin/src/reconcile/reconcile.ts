import type { Tree } from '@nx/devkit';
import { posix } from 'node:path';
import { RealtimeError } from '../domain/index.js';
import type { RenderedFile } from '../render/index.js';
import { hostFormatter } from './formatter.js';
import type { Format } from './formatter.js';
import { normalizeLines, sameLines } from './lines.js';
import {
  MANIFEST_PATH,
  basePath,
  hashOf,
  parseManifest,
  pluginVersion,
  printManifest,
} from './manifest.js';
import type { Manifest } from './manifest.js';
import { hasMarkers } from './merge.js';
import { withNewWords, spellingOf } from './rename.js';
import type { Renaming } from './rename.js';
import { breaks, isPristine, planFile } from './plan.js';
import type { Known, Plan, ReconcileOptions } from './plan.js';
import type { FileReport, ReconcileReport } from './report.js';

/**
 * Brings the Tree up to the rendered files and keeps what their owners edited: a three-way merge
 * of the text that was rendered last, the text in the host, and the text that is rendered now.
 * All is decided before anything is written. Doing it twice writes nothing the second time.
 *
 * @param files everything that the workspace should hold; what was written before and is not
 *   among them is removed, or reported as an orphan where its owner has edited it
 * @returns what became of each file, ordered by path
 * @throws RealtimeError RT020 for files that are there and that we never wrote, RT021 for a broken
 *   manifest, RT023 for a path that cannot be forgotten, RT024 for files that cannot be renamed
 */
export async function reconcile(
  tree: Tree,
  files: readonly RenderedFile[],
  options: ReconcileOptions = {},
): Promise<ReconcileReport> {
  const manifest = parseManifest(tree.read(MANIFEST_PATH, 'utf-8'));
  const forget = (options.forget ?? []).map((path) => posix.normalize(path.replaceAll('\\', '/')));
  refuseToForget(tree, files, forget);
  const format = hostFormatter(tree);
  const plans: Plan[] = [];
  for (const known of knownFiles(tree, files, manifest, options.renaming)) {
    const plan = await planFile(known, { ...options, forget }, format);
    plans.push(known.from === undefined ? plan : { ...renamedPlan(known, plan), from: known.from });
  }
  refuseForeign(plans);
  const left = await planLeft(tree, plans, manifest, options.force ?? false, format);
  // First what nobody reads: Nx lists changes in this order, and what matters is to be last.
  for (const plan of plans) applyBase(tree, plan);
  record(tree, manifest, plans, left);
  const reports = plans.map((plan) => applyPlan(tree, plan));
  for (const { path, outcome } of left) if (outcome !== 'orphan') removeFile(tree, path);
  const reported = left.filter(({ outcome }) => outcome !== 'gone') as FileReport[];
  return [...reports, ...reported].sort((a, b) => (a.path < b.path ? -1 : 1));
}

interface Renamable extends Known {
  /** The path that it had, where it or its words have another name now. */
  readonly from?: string;
}

/** Every rendered file with what is known of it; after a rename, base and yours in the new words. */
function knownFiles(
  tree: Tree,
  files: readonly RenderedFile[],
  manifest: Manifest,
  renaming: Renaming | undefined,
): Renamable[] {
  const rendered = new Set(files.map(({ path }) => path));
  const known = files.map((file) => {
    const held = tree.read(file.path, 'utf-8');
    const path = held === null ? pathBefore(file, rendered, manifest, renaming) : file.path;
    const yours = path === file.path ? held : tree.read(path, 'utf-8');
    const base = tree.read(basePath(path), 'utf-8');
    return { path, file, yours, base, entry: manifest.files.get(path) };
  });
  if (!renaming) {
    return known.map((one) => (one.path === one.file.path ? one : { ...one, from: one.path }));
  }
  const changed = known.filter(
    ({ path, file, base }) => path !== file.path || (base !== null && base !== file.content),
  );
  refuseToRename(changed);
  const spelling = spellingOf(
    renaming.renameWord,
    changed.map(({ path, base }) => [path, base ?? '']),
    changed.map(({ file }) => [file.path, file.content]),
  );
  const respelled = known.map((one) => {
    if (!changed.includes(one)) return one;
    const renameWord = (text: string | null): string | null =>
      text === null ? null : withNewWords(one.path, text, spelling);
    const { path, entry } = one;
    const [yours, base] = [renameWord(one.yours), renameWord(one.base)];
    if (path === one.file.path && base === one.base && yours === one.yours) return one;
    const hashes = base === null ? [] : [hashOf(base)];
    return { ...one, yours, base, from: path, entry: entry && { ...entry, hashes } };
  });
  refuseTaken(
    known.filter(({ path, yours }, index) => {
      const next = respelled[index]?.yours ?? null;
      return (
        yours !== null &&
        next !== null &&
        yours !== next &&
        breaks(path, normalizeLines(yours), normalizeLines(next))
      );
    }),
  );
  return respelled;
}

/** The new name of what is generated may be that of code of the owner's. */
function refuseTaken(files: readonly { readonly path: string }[]): void {
  if (files.length === 0) return;
  throw new RealtimeError(
    'RT024',
    `Nothing was renamed: these files have code of yours under the new name. Choose another name, or give yours one.\n${files.map(({ path }) => `  ${path}`).join('\n')}`,
  );
}

/** Present path of a file that is not at its own: it had another name, or another release wrote it. */
function pathBefore(
  { path, formerly = [] }: RenderedFile,
  rendered: ReadonlySet<string>,
  manifest: Manifest,
  renaming: Renaming | undefined,
): string {
  const paths = [path, ...formerly].map((one) => renaming?.pathBefore(one) ?? one);
  return paths.find((one) => !rendered.has(one) && manifest.files.has(one)) ?? path;
}

/** Files that cannot be merged cannot follow a rename either. */
function refuseToRename(changed: readonly (Known & { readonly path: string })[]): void {
  const broken = changed.filter(
    ({ yours, base, entry }) =>
      yours !== null &&
      entry?.owner === 'merged' &&
      !entry.deleted &&
      (hasMarkers(yours) || base === null || !entry.hashes.includes(hashOf(base))),
  );
  if (broken.length === 0) return;
  throw new RealtimeError(
    'RT024',
    `These files cannot follow the rename: they hold conflict markers, or have lost their merge base (nx g @nx-realtime/plugin:rebase).\n${broken.map(({ path }) => `  ${path}`).join('\n')}`,
  );
}

/** A file under its new name is written even where nothing else is new. */
function renamedPlan({ file, yours, base, entry }: Known, plan: Plan): Plan {
  const text = plan.text ?? yours;
  const recorded = plan.entry ?? entry;
  const newBase = plan.base === undefined ? base : plan.base;
  return {
    ...plan,
    path: file.path,
    ...(text !== null && { text }),
    ...(newBase !== null && { base: newBase }),
    ...(recorded && { entry: recorded }),
  };
}

function refuseToForget(
  tree: Tree,
  files: readonly RenderedFile[],
  forget: readonly string[],
): void {
  const known = new Set(files.map(({ path }) => path));
  for (const path of forget) {
    if (!known.has(path)) {
      throw new RealtimeError(
        'RT023',
        `--forget=${path}: no domain generates this file. Give its path from the workspace's root.`,
      );
    }
    if (tree.exists(path)) {
      throw new RealtimeError('RT023', `--forget=${path}: this file is there. Delete it first.`);
    }
  }
}

function refuseForeign(plans: readonly Plan[]): void {
  const paths = plans.filter(({ outcome }) => outcome === 'foreign').map(({ path }) => path);
  if (paths.length === 0) return;
  const what = paths.length === 1 ? 'A file is' : `${paths.length} files are`;
  throw new RealtimeError(
    'RT020',
    `${what} in the way that nx-realtime did not write:\n` +
      `${paths.map((path) => `  ${path}`).join('\n')}\n` +
      'Move what you need elsewhere, or pass --adopt to merge the generated code into what is there.',
  );
}

/** Outcome of a file that is no longer generated; `gone`: there is none any more. */
type Left = Omit<FileReport, 'outcome'> & { readonly outcome: 'removed' | 'orphan' | 'gone' };

async function planLeft(
  tree: Tree,
  plans: readonly Plan[],
  manifest: Manifest,
  force: boolean,
  format: Format,
): Promise<Left[]> {
  const handled = new Set(plans.flatMap(({ path, from }) => [path, from]));
  const left: Left[] = [];
  for (const [path, { owner, hashes }] of manifest.files) {
    if (handled.has(path)) continue;
    const yours = tree.read(path, 'utf-8');
    const report = { path, written: yours !== null, conflicts: 0 };
    if (yours === null) left.push({ ...report, outcome: 'gone' });
    if (yours === null || owner === 'yours') continue;
    const base = tree.read(basePath(path), 'utf-8');
    const pristine =
      base !== null &&
      hashes.includes(hashOf(base)) &&
      (isPristine(path, yours, base) ||
        sameFormatted(await format(path, yours), await format(path, base)));
    const outcome = pristine || force ? 'removed' : 'orphan';
    left.push({ ...report, written: outcome === 'removed', outcome });
  }
  return left;
}

const sameFormatted = (a: string | null, b: string | null): boolean =>
  a !== null && b !== null && sameLines(a, b);

function removeFile(tree: Tree, path: string): void {
  for (const file of [path, basePath(path)]) remove(tree, file);
}

function remove(tree: Tree, path: string): void {
  if (tree.exists(path)) tree.delete(path);
}

function applyPlan(tree: Tree, plan: Plan): FileReport {
  const { path, outcome, text, conflicts = 0, from } = plan;
  if (outcome === 'foreign') throw new Error(`${path} is not ours to write`);
  const isMoved = from !== undefined && from !== path;
  if (isMoved) remove(tree, from);
  const written = text !== undefined && writeChange(tree, path, text);
  return { path, outcome, written, conflicts, ...(isMoved && { from }) };
}

function applyBase(tree: Tree, { path, base, from }: Plan): void {
  if (from !== undefined && from !== path) remove(tree, basePath(from));
  if (base === null) remove(tree, basePath(path));
  else if (base !== undefined) writeChange(tree, basePath(path), base);
}

/** True if a generated file is there as it was written, in whatever layout. */
export function isUntouched(tree: Tree, path: string): boolean {
  const [yours, base] = [path, basePath(path)].map((one) => tree.read(one, 'utf-8'));
  return Boolean(yours && base && isPristine(path, yours, base));
}

/**
 * Removes files that were written once for their owners, as far as they are as they were written.
 *
 * @param files as they would be rendered, that are no longer wanted
 * @returns what became of each: `removed`, or `kept` where its owner has edited it
 */
export async function removeUnedited(
  tree: Tree,
  files: readonly RenderedFile[],
): Promise<ReconcileReport> {
  const manifest = parseManifest(tree.read(MANIFEST_PATH, 'utf-8'));
  const format = hostFormatter(tree);
  const left = new Map(manifest.files);
  const reports: FileReport[] = [];
  for (const { path, content } of files) {
    const yours = tree.read(path, 'utf-8');
    if (!left.delete(path) || yours === null) continue;
    const pristine =
      isPristine(path, yours, content) ||
      sameFormatted(await format(path, yours), await format(path, content));
    if (pristine) tree.delete(path);
    const outcome = pristine ? 'removed' : 'kept';
    reports.push({ path, outcome, written: pristine, conflicts: 0 });
  }
  if (left.size === 0 && tree.exists(MANIFEST_PATH)) tree.delete(MANIFEST_PATH);
  else if (left.size < manifest.files.size) {
    tree.write(MANIFEST_PATH, printManifest({ plugin: manifest.plugin, files: left }));
  }
  return reports;
}

/** The version in it moves only with a file: else an update of the plugin alone were a change. */
function record(
  tree: Tree,
  manifest: Manifest,
  plans: readonly Plan[],
  left: readonly Left[],
): void {
  const files = new Map(manifest.files);
  for (const { path, outcome } of left) if (outcome !== 'orphan') files.delete(path);
  for (const { path, from } of plans) if (from !== undefined && from !== path) files.delete(from);
  for (const { path, entry } of plans) if (entry) files.set(path, entry);
  const changed =
    plans.some(({ entry }) => entry !== undefined) || files.size < manifest.files.size;
  if (files.size === 0 && manifest.files.size > 0) {
    tree.delete(MANIFEST_PATH);
    return;
  }
  const current = tree.read(MANIFEST_PATH, 'utf-8') ?? '';
  if (!changed && !hasMarkers(current)) return;
  const plugin = changed ? pluginVersion() : manifest.plugin;
  writeChange(tree, MANIFEST_PATH, printManifest({ plugin, files }));
}

function writeChange(tree: Tree, path: string, text: string): boolean {
  if (tree.read(path, 'utf-8') === text) return false;
  tree.write(path, text);
  return true;
}
