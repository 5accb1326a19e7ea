import { readJson } from '@nx/devkit';
import type { Tree } from '@nx/devkit';
import { eslintConfigOf } from '../../host/index.js';
import { addEslintIgnore, appendJson, ensureLines } from '../text/index.js';
import { editFile } from './edit.js';
import type { Wired } from './edit.js';

/** Name in `sync.globalGenerators`: sync generators of tasks are skipped in CI. */
export const SYNC_GENERATOR = '@nx-realtime/plugin:sync';

/** Collapsed in reviews; and git never mixes two bases into one that was rendered by nobody. */
const GIT_ATTRIBUTES = [
  '.nx-realtime/** linguist-generated -diff',
  '.nx-realtime/base/** -merge',
  '.nx-realtime/manifest.json merge=union',
];

/** Registers the sync generator, and keeps formatters, linters and reviewers out of the bases. */
export function wireWorkspace(tree: Tree): Wired[] {
  const ignore = (path: string, lines: readonly string[]): Wired =>
    editFile(tree, path, (text) => ensureLines(text, lines, 'Bases of three-way merges'));
  const eslintConfig = eslintConfigOf(tree);
  return [
    editFile(tree, 'nx.json', (text) =>
      appendJson(text, ['sync', 'globalGenerators'], SYNC_GENERATOR),
    ),
    ignore('.gitattributes', GIT_ATTRIBUTES),
    ...(usesPrettier(tree) ? [ignore('.prettierignore', ['.nx-realtime'])] : []),
    ...(eslintConfig === null
      ? []
      : [editFile(tree, eslintConfig, (text) => addEslintIgnore(text, '.nx-realtime/**'))]),
  ];
}

function usesPrettier(tree: Tree): boolean {
  const { dependencies, devDependencies } = readJson<Record<string, object | undefined>>(
    tree,
    'package.json',
  );
  return tree.exists('.prettierignore') || 'prettier' in { ...dependencies, ...devDependencies };
}
