import type { Tree } from '@nx/devkit';
import { posix } from 'node:path';
import { RealtimeError } from '../domain/index.js';
import type { RenderedFile } from '../render/index.js';
import { hostFormatter } from './formatter.js';
import type { Format } from './formatter.js';
import { sameLines } from './lines.js';
import {
  MANIFEST_PATH,
  basePath,
  parseManifest,
  pluginVersion,
  printManifest,
} from './manifest.js';
import type { Manifest } from './manifest.js';
import { hasMarkers } from './merge.js';
import { planFile } from './plan.js';
import type { Plan, ReconcileOptions } from './plan.js';
import type { FileReport, ReconcileReport } from './report.js';

/**
 * Brings the Tree up to the rendered files and keeps what their owners edited: a three-way merge
 * of the text that was rendered last, the text in the host, and the text that is rendered now.
 * All is decided before anything is written. Doing it twice writes nothing the second time.
 *
 * @param files everything that the workspace should hold; what was written before and is not
 *   among them is reported as an orphan
 * @returns what became of each file, ordered by path
 * @throws RealtimeError RT020 for files that are there and that we never wrote, RT021 for a broken
 *   manifest, RT023 for a path that cannot be forgotten
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
  for (const file of files) {
    const known = {
      file,
      yours: tree.read(file.path, 'utf-8'),
      base: tree.read(basePath(file.path), 'utf-8'),
      entry: manifest.files.get(file.path),
    };
    plans.push(await planFile(known, { ...options, forget }, format));
  }
  refuseForeign(plans);
  const orphans = await findOrphans(tree, files, manifest, format);
  const reports = plans.map((plan) => applyPlan(tree, plan));
  record(tree, manifest, plans);
  return [...reports, ...orphans].sort((a, b) => (a.path < b.path ? -1 : 1));
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

async function findOrphans(
  tree: Tree,
  files: readonly RenderedFile[],
  manifest: Manifest,
  format: Format,
): Promise<FileReport[]> {
  const rendered = new Set(files.map(({ path }) => path));
  const orphans: FileReport[] = [];
  for (const [path, { owner, deleted }] of manifest.files) {
    const yours = tree.read(path, 'utf-8');
    if (rendered.has(path) || yours === null || owner === 'yours' || deleted) continue;
    const base = tree.read(basePath(path), 'utf-8');
    const edited =
      base === null ||
      (!sameLines(yours, base) && !sameLines(yours, (await format(path, base)) ?? base));
    orphans.push({ path, outcome: 'orphan', written: false, conflicts: 0, edited });
  }
  return orphans;
}

function applyPlan(tree: Tree, plan: Plan): FileReport {
  const { path, outcome, text, base, conflicts = 0 } = plan;
  if (outcome === 'foreign') throw new Error(`${path} is not ours to write`);
  const written = text !== undefined && writeChange(tree, path, text);
  if (base === null) {
    if (tree.exists(basePath(path))) tree.delete(basePath(path));
  } else if (base !== undefined) {
    writeChange(tree, basePath(path), base);
  }
  return { path, outcome, written, conflicts };
}

/** The version in it moves only with a file: else an update of the plugin alone were a change. */
function record(tree: Tree, manifest: Manifest, plans: readonly Plan[]): void {
  const files = new Map(manifest.files);
  for (const { path, entry } of plans) if (entry) files.set(path, entry);
  const changed = plans.some(({ entry }) => entry !== undefined);
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
