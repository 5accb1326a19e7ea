import type { Tree } from '@nx/devkit';
import type { Edit } from '../text/index.js';

/** Outcome of an edit in a file that the host owns. */
export type Wired =
  | { readonly path: string; readonly kind: 'done' | 'already' }
  /** The file is as it was: why, and what to paste where. */
  | {
      readonly path: string;
      readonly kind: 'unable';
      readonly snippet: string;
      readonly reason: string;
    };

/** Applies an edit to one file of the Tree; a file that needs none is not written. */
export function editFile(tree: Tree, path: string, edit: (text: string) => Edit): Wired {
  const text = tree.read(path, 'utf-8');
  const result = edit(text ?? '');
  if (result.kind === 'done') tree.write(path, result.text);
  if (result.kind !== 'unable') return { path, kind: result.kind };
  const reason = text === null ? 'there is no such file' : result.reason;
  return { path, kind: 'unable', snippet: result.snippet, reason };
}
