import type { Tree } from '@nx/devkit';
import { diffIndices } from 'node-diff3';
import type { RenderedFile } from '../render/index.js';
import { hostFormatter } from './formatter.js';
import { splitLines } from './lines.js';
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
 * @param rendered what the workspace's files may have been rendered as, the likeliest first
 * @param guess take a text that the manifest does not name, where none of those it names is known
 * @returns the paths whose base was written
 */
export async function restoreBases(
  tree: Tree,
  rendered: readonly (readonly RenderedFile[])[],
  guess: boolean,
): Promise<string[]> {
  const { plugin, files } = parseManifest(tree.read(MANIFEST_PATH, 'utf-8'));
  const format = hostFormatter(tree);
  const candidates = new Map<string, Set<string>>();
  for (const { path, content, owner } of rendered.flat()) {
    if (owner === 'merged') candidates.set(path, (candidates.get(path) ?? new Set()).add(content));
  }
  const restored = new Map(files);
  const written: string[] = [];
  for (const [path, contents] of candidates) {
    const entry = files.get(path) ?? { owner: 'merged', hashes: [], deleted: false };
    if (!lacksBase(tree, path, entry)) continue;
    const held = tree.read(basePath(path), 'utf-8');
    const all = [...(held === null ? [] : [held]), ...contents];
    const named = all.filter((text) => entry.hashes.includes(hashOf(text)));
    const known = named.length > 0 ? named : guess ? [...contents] : [];
    const yours = splitLines(tree.read(path, 'utf-8') ?? '');
    const plain = splitLines((await format(path, yours.join('\n'))) ?? yours.join('\n'));
    let best: { text: string; distance: number } | undefined;
    for (const text of known) {
      const lines = splitLines((await format(path, text)) ?? text);
      const distance = diffIndices(lines, plain).reduce(
        (sum, { buffer1, buffer2 }) => sum + buffer1[1] + buffer2[1],
        0,
      );
      if (!best || distance < best.distance) best = { text, distance };
    }
    if (!best) continue;
    tree.write(basePath(path), best.text);
    restored.set(path, { ...entry, hashes: [hashOf(best.text)] });
    written.push(path);
  }
  if (written.length > 0) tree.write(MANIFEST_PATH, printManifest({ plugin, files: restored }));
  return written;
}
