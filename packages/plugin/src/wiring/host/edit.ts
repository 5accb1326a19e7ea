import type { Tree } from '@nx/devkit';
import type { Edit } from '../text/index.js';

/** What became of an edit in a file that the host owns; `unable` carries what to paste where. */
export interface Wired {
  readonly path: string;
  readonly kind: Edit['kind'];
  readonly snippet?: string;
}

/** Applies an edit to one file of the Tree; a file that needs none is not written. */
export function editFile(tree: Tree, path: string, edit: (text: string) => Edit): Wired {
  const result = edit(tree.read(path, 'utf-8') ?? '');
  if (result.kind === 'done') tree.write(path, result.text);
  return result.kind === 'unable'
    ? { path, kind: result.kind, snippet: result.snippet }
    : { path, kind: result.kind };
}
