import type { Tree } from '@nx/devkit';
import { posix } from 'node:path';

/** A Tree that tells what was done to it since, also where it had changes before. */
export interface Recording {
  readonly tree: Tree;
  /** The text before, null where there was none, of every file that is another now. */
  changes(): ReadonlyMap<string, string | null>;
}

/** Lets the Tree be changed, and keeps the text of each file before its first change. */
export function record(original: Tree): Recording {
  const before = new Map<string, string | null>();
  const note = (path: string): void => {
    const key = posix.normalize(path.replaceAll('\\', '/'));
    if (!before.has(key)) before.set(key, original.read(path, 'utf-8'));
  };
  const tree = Object.create(original) as Tree;
  tree.write = (path, content, options) => {
    note(path);
    original.write(path, content, options);
  };
  tree.delete = (path) => {
    note(path);
    original.delete(path);
  };
  tree.rename = (from, to) => {
    note(from);
    note(to);
    original.rename(from, to);
  };
  const changes = (): Map<string, string | null> =>
    new Map([...before].filter(([path, text]) => original.read(path, 'utf-8') !== text));
  return { tree, changes };
}
