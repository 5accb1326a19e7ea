import type { RenderedFile } from '../render/index.js';
import type { Format } from './formatter.js';
import { inStyleOf, normalizeLines, sameLines } from './lines.js';
import { hashOf } from './manifest.js';
import type { Entry } from './manifest.js';
import { hasMarkers, merge3 } from './merge.js';
import type { Merge } from './merge.js';
import type { Renaming } from './rename.js';
import type { Outcome } from './report.js';
import { isSameCode, isSound, mergeSyntax, parseSource } from './syntax/index.js';

export interface ReconcileOptions {
  /** Take files that are there and that we never wrote as edited by their owner. */
  readonly adopt?: boolean;
  /** Create again what the owner deleted, what was forgotten too. */
  readonly restore?: boolean;
  /** Paths whose deletion is recorded; they are neither created nor mentioned again. */
  readonly forget?: readonly string[];
  /** Write new files as they were rendered. */
  readonly skipFormat?: boolean;
  /** Generated code that has another name now keeps its owners' edits under the new one. */
  readonly renaming?: Renaming | undefined;
  /** Remove what is no longer generated even where its owner has edited it. */
  readonly force?: boolean;
}

/** All that is known of one rendered file. */
export interface Known {
  readonly file: RenderedFile;
  /** The text in the host, null when there is no file. */
  readonly yours: string | null;
  readonly base: string | null;
  readonly entry: Entry | undefined;
}

/** Work on one file; absent members leave as it is what they name. */
export interface Plan {
  readonly path: string;
  /** `foreign`: there is a file that we never wrote. */
  readonly outcome: Outcome | 'foreign';
  readonly text?: string;
  readonly base?: string | null;
  readonly entry?: Entry;
  readonly conflicts?: number;
  /** The file's path until now, when it was another. */
  readonly from?: string;
}

/** Decides what becomes of a file. Writes nothing. */
export async function planFile(
  known: Known,
  options: ReconcileOptions,
  format: Format,
): Promise<Plan> {
  const { file, yours, base, entry } = known;
  const { path } = file;
  const ours = entry !== undefined || base !== null;
  if (yours === null) return planAbsent(known, options, format);
  // Whose a file is, its template says: of one that was merged, an edit of the manifest does not.
  const isKept = entry?.owner === 'yours' && entry.hashes.length === 0;
  if (file.owner === 'yours' || isKept) return planKept(known);
  if (entry?.deleted && !options.adopt) return { path, outcome: 'forgotten' };
  if (!ours || entry?.deleted) return planForeign(file, yours, options, format);
  if (base === null || !entry?.hashes.includes(hashOf(base)))
    return { path, outcome: 'base-mismatch' };
  if (hasMarkers(yours)) return { path, outcome: 'conflict' };
  if (sameLines(base, file.content)) {
    const isSettled = entry.hashes.length === 1 && entry.owner === file.owner;
    const settled = isSettled ? {} : recordOf(file);
    return { path, outcome: 'unchanged', ...settled };
  }
  return planUpdate(file, base, yours, options, format);
}

async function planAbsent(
  { file, base, entry }: Known,
  options: ReconcileOptions,
  format: Format,
): Promise<Plan> {
  const { path, owner } = file;
  if (options.forget?.includes(path)) {
    const deleted = { owner, hashes: [], deleted: true };
    return { path, outcome: 'forgotten', base: null, entry: deleted };
  }
  const known = entry !== undefined || base !== null;
  if (known && !options.restore) {
    return { path, outcome: entry?.deleted ? 'forgotten' : 'deleted-by-owner' };
  }
  const formatted = options.skipFormat ? null : await format(path, file.content);
  const text = formatted ?? file.content;
  return { path, outcome: known ? 'restored' : 'created', text, ...recordOf(file) };
}

/** A file that its owner alone changes; one that was merged until now loses its base. */
function planKept({ file, entry }: Known): Plan {
  const plan: Plan = { path: file.path, outcome: 'kept' };
  if (entry?.owner !== 'merged') return plan;
  return { ...plan, base: null, entry: { ...entry, owner: 'yours', hashes: [] } };
}

async function planForeign(
  file: RenderedFile,
  yours: string,
  options: ReconcileOptions,
  format: Format,
): Promise<Plan> {
  const { path, content } = file;
  const next = (await format(path, content)) ?? content;
  if (sameLines(yours, content) || sameLines(yours, next)) {
    return { path, outcome: 'unchanged', ...recordOf(file) };
  }
  if (!options.adopt) return { path, outcome: 'foreign' };
  if (hasMarkers(yours)) return { path, outcome: 'conflict' };
  const { text, conflicts } = merge3('', yours, next);
  const outcome = conflicts > 0 ? 'conflict' : 'adopted';
  return { path, outcome, text, conflicts, ...recordOf(file) };
}

async function planUpdate(
  file: RenderedFile,
  base: string,
  yours: string,
  options: ReconcileOptions,
  format: Format,
): Promise<Plan> {
  const { path } = file;
  const raw = { base, yours, next: file.content };
  const formatted = await formatAlike(raw, path, format);
  const pristine = isPristine(path, yours, base) || sameLines(formatted.yours, formatted.base);
  if (pristine) {
    const unformatted = options.skipFormat && sameLines(yours, base);
    const text = inStyleOf(yours, unformatted ? raw.next : formatted.next);
    const outcome = text === yours ? 'unchanged' : 'updated';
    return { path, outcome, text, ...recordOf(file) };
  }
  const lines = bestMerge([{ ...formatted, yours }, raw, formatted]);
  const { text, conflicts } = await bySyntax(path, { ...formatted, yours }, lines, format);
  const outcome = conflicts > 0 ? 'conflict' : text === yours ? 'kept' : 'merged';
  return { path, outcome, text, conflicts, ...recordOf(file) };
}

interface Versions {
  readonly base: string;
  readonly yours: string;
  readonly next: string;
}

/** All three as the host's formatter writes them, or as they are when it fails on base or next. */
async function formatAlike(raw: Versions, path: string, format: Format): Promise<Versions> {
  const base = await format(path, raw.base);
  const next = await format(path, raw.next);
  if (base === null || next === null) return raw;
  const yours = (await format(path, raw.yours)) ?? raw.yours;
  return { base, yours: inStyleOf(raw.yours, yours), next };
}

/** The first merge without a conflict, else the one with the fewest. */
function bestMerge(candidates: readonly [Versions, ...Versions[]]): Merge {
  const [first, ...others] = candidates;
  let best = merge3(first.base, first.yours, first.next);
  for (const { base, yours, next } of others) {
    if (best.conflicts === 0) break;
    const merge = merge3(base, yours, next);
    if (merge.conflicts < best.conflicts) best = merge;
  }
  return best;
}

/** True if nobody has edited a text since it was rendered: layout is no edit. */
export function isPristine(path: string, yours: string, base: string): boolean {
  if (sameLines(yours, base)) return true;
  const [held, rendered] = [yours, base].map((text) => parseSource(path, normalizeLines(text)));
  return Boolean(held && rendered && isSameCode(held, rendered));
}

/**
 * The merge by lines, unless syntax shows that it is wrong, or resolves what lines cannot. What was
 * formatted stays so.
 */
async function bySyntax(
  path: string,
  { base, yours, next }: Versions,
  lines: Merge,
  format: Format,
): Promise<Merge> {
  const plain = normalizeLines(yours);
  const merged = mergeSyntax(path, normalizeLines(base), plain, normalizeLines(next));
  if (!merged) return isBroken(path, lines, plain) ? merge3('', yours, next) : lines;
  if (lines.conflicts > 0 && lines.conflicts <= merged.conflicts) return lines;
  const isClean = lines.conflicts === 0 && merged.conflicts === 0;
  if (isClean && !isBroken(path, lines, plain)) return lines;
  const isFormatted = merged.conflicts === 0 && (await format(path, plain)) === plain;
  const text = isFormatted ? ((await format(path, merged.text)) ?? merged.text) : merged.text;
  return { text: inStyleOf(yours, text), conflicts: merged.conflicts };
}

/** True if lines have come together to what is no code, or holds a name twice, as yours did not. */
function isBroken(path: string, { text, conflicts }: Merge, yours: string): boolean {
  return conflicts === 0 && breaks(path, yours, normalizeLines(text));
}

/** True if a change makes of code what is none, or what holds a name twice. Both texts are normalised. */
export function breaks(path: string, before: string, after: string): boolean {
  const [held, changed] = [before, after].map((text) => parseSource(path, text));
  return Boolean(held && isSound(held)) && !(changed && isSound(changed));
}

function recordOf({ content, owner }: RenderedFile): Pick<Plan, 'base' | 'entry'> {
  if (owner === 'yours') return { entry: { owner, hashes: [], deleted: false } };
  return { base: content, entry: { owner, hashes: [hashOf(content)], deleted: false } };
}
