import type { Tree } from '@nx/devkit';
import { diffIndices } from 'node-diff3';
import type { RenderedFile } from '../render/index.js';
import { hostFormatter } from './formatter.js';
import type { Format } from './formatter.js';
import { normalizeLines, splitLines } from './lines.js';
import { MANIFEST_PATH, basePath, hashOf, parseManifest, printManifest } from './manifest.js';
import type { Entry } from './manifest.js';

/** Files whose base is not known to be theirs, as a merge by git leaves them. */
export function filesWithoutBase(tree: Tree): string[] {
  const { files } = parseManifest(tree.read(MANIFEST_PATH, 'utf-8'));
  return [...files].flatMap(([path, entry]) => (lacksBase(tree, path, entry) ? [path] : []));
}

function lacksBase(tree: Tree, path: string, { owner, hashes, deleted }: Entry): boolean {
  if (owner === 'yours' || deleted) return false;
  const base = tree.read(basePath(path), 'utf-8');
  const isKnown = hashes.length === 1 && base !== null && hashes.includes(hashOf(base));
  return !isKnown && tree.exists(path);
}

/**
 * Gives files the base again that they were written from. After a merge by git the manifest names
 * the bases of both sides, and one of them, or neither, is there: which of them a file goes back to
 * shows in how little it differs from it. Touches no code.
 *
 * @param rendered what the workspace's files may have been rendered as, the likeliest first. It is
 *   asked for no more than it takes, and gets the paths that are not settled yet, of which one goes
 *   as soon as it is.
 * @param guess take a text that the manifest does not name, where none of those it names is known
 * @returns the paths whose base was written
 */
export async function restoreBases(
  tree: Tree,
  rendered: (open: ReadonlySet<string>) => Iterable<readonly RenderedFile[]>,
  guess: boolean,
): Promise<string[]> {
  const { plugin, files } = parseManifest(tree.read(MANIFEST_PATH, 'utf-8'));
  const format = hostFormatter(tree);
  const searches = new Map<string, Search>();
  const open = new Set<string>();
  const begin = async (path: string, entry: Entry): Promise<void> => {
    const search = new Search(path, entry, tree, format);
    searches.set(path, search);
    await search.offer(tree.read(basePath(path), 'utf-8'));
    if (!search.isDone && (guess || entry.hashes.length > 0)) open.add(path);
  };
  for (const path of filesWithoutBase(tree)) await begin(path, files.get(path)!);
  for (const variant of open.size > 0 ? rendered(open) : []) {
    for (const { path, content, owner } of variant) {
      if (owner !== 'merged') continue;
      if (guess && !files.has(path) && !searches.has(path) && lacksBase(tree, path, UNKNOWN)) {
        await begin(path, UNKNOWN);
      }
      if (!open.has(path)) continue;
      const search = searches.get(path)!;
      await search.offer(content, guess);
      if (search.isDone) open.delete(path);
    }
    if (open.size === 0) break;
  }
  const restored = new Map(files);
  const written: string[] = [];
  for (const [path, search] of searches) {
    const text = await search.best();
    if (text === undefined) continue;
    tree.write(basePath(path), text);
    restored.set(path, { ...search.entry, hashes: [hashOf(text)] });
    written.push(path);
  }
  if (written.length > 0) tree.write(MANIFEST_PATH, printManifest({ plugin, files: restored }));
  return written;
}

/** A file that the manifest has lost. */
const UNKNOWN: Entry = { owner: 'merged', hashes: [], deleted: false };

/** Texts that may be the base of one file. */
class Search {
  private readonly named = new Map<string, Text>();
  private readonly guessed = new Map<string, Text>();
  private plain: Promise<readonly string[]> | undefined;

  constructor(
    private readonly path: string,
    readonly entry: Entry,
    private readonly tree: Tree,
    private readonly format: Format,
  ) {}

  /** True if no text can be nearer: all that the manifest names are known, or one is the file's. */
  get isDone(): boolean {
    const known = [...this.named.values()];
    return known.length > 0 && (known.length === this.entry.hashes.length || known.some(isSame));
  }

  /** @param guess keep what the manifest does not name too */
  async offer(text: string | null, guess = false): Promise<void> {
    if (text === null) return;
    const hash = hashOf(text);
    const isNamed = this.entry.hashes.includes(hash);
    const texts = isNamed ? this.named : this.guessed;
    if (texts.has(hash) || !(isNamed || guess)) return;
    texts.set(hash, isNamed ? await this.measured(text) : { text });
  }

  /** The text that the file differs from the least. */
  async best(): Promise<string | undefined> {
    const known = this.named.size > 0 ? this.named : this.guessed;
    let best: Required<Text> | undefined;
    for (const { text, distance } of known.values()) {
      const measured = distance === undefined ? await this.measured(text) : { text, distance };
      if (!best || measured.distance < best.distance) best = measured;
    }
    return best?.text;
  }

  private async measured(text: string): Promise<Required<Text>> {
    this.plain ??= this.formatted(normalizeLines(this.tree.read(this.path, 'utf-8') ?? ''));
    const lines = await this.formatted(text);
    const distance = diffIndices([...lines], [...(await this.plain)]).reduce(
      (sum, { buffer1, buffer2 }) => sum + buffer1[1] + buffer2[1],
      0,
    );
    return { text, distance };
  }

  private async formatted(text: string): Promise<readonly string[]> {
    return splitLines((await this.format(this.path, text)) ?? text);
  }
}

interface Text {
  readonly text: string;
  /** Lines in which the file differs from it. */
  readonly distance?: number;
}

const isSame = ({ distance }: Text): boolean => distance === 0;
