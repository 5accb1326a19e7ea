import type { Tree } from '@nx/devkit';
import { createHash } from 'node:crypto';

const MANIFEST = '.nx-realtime/manifest.json';

export const baseOf = (path: string): string => `.nx-realtime/base/${path}.base`;

/** Replaces text of a file, which must hold it. */
export function edit(tree: Tree, path: string, from: string | RegExp, to: string): void {
  const text = tree.read(path, 'utf-8') ?? '';
  const next = text.replace(from, to);
  if (next === text) throw new Error(`${path} does not hold ${String(from)}`);
  tree.write(path, next);
}

/** Makes a file what an older template wrote: in the base, in the manifest, and in the code. */
export function age(tree: Tree, path: string, from: string, to: string): void {
  const hash = (): string =>
    createHash('sha256')
      .update(tree.read(baseOf(path)) ?? '')
      .digest('hex');
  const before = hash();
  edit(tree, baseOf(path), from, to);
  edit(tree, MANIFEST, before, hash());
  edit(tree, path, from, to);
}

/** Makes a file what an older template wrote at another path. */
export function agePath(tree: Tree, path: string, before: string): void {
  tree.rename(path, before);
  tree.rename(baseOf(path), baseOf(before));
  edit(tree, MANIFEST, `"${path}"`, `"${before}"`);
}

/** Makes the workspace what an older plugin wrote last. */
export function ageManifest(tree: Tree, version: string): void {
  edit(tree, MANIFEST, /"plugin": "[^"]+"/, `"plugin": "${version}"`);
}
