import type { Tree } from '@nx/devkit';
import { appendJson, ensureLines } from '../text/index.js';
import { editFile } from './edit.js';
import type { Wired } from './edit.js';

/** As `sync.globalGenerators` names it: sync generators of tasks are skipped in CI. */
const SYNC_GENERATOR = '@nx-realtime/plugin:sync';

/** Registers the sync generator, and keeps formatters and reviewers out of the merge bases. */
export function wireWorkspace(tree: Tree): Wired[] {
  const ignore = (path: string, lines: string[], heading: string): Wired =>
    editFile(tree, path, (text) => ensureLines(text, lines, heading));
  return [
    editFile(tree, 'nx.json', (text) =>
      appendJson(text, ['sync', 'globalGenerators'], SYNC_GENERATOR),
    ),
    ignore(
      '.gitattributes',
      ['.nx-realtime/** linguist-generated -diff'],
      'Bases of three-way merges',
    ),
    ...(tree.exists('.prettierignore')
      ? [ignore('.prettierignore', ['.nx-realtime'], 'Bases of three-way merges')]
      : []),
  ];
}
