import { joinPathFragments } from '@nx/devkit';
import type { Tree } from '@nx/devkit';
import { readEnv } from '../text/index.js';

/** Of no process of development: what only shows names, and what other environments run with. */
const OTHERS =
  /\.(?:example|sample|template|dist|defaults?|schema|vault|prod|production|staging|test|ci)\b/i;

/** Where a variable is set, and to what. */
export interface Setting {
  readonly path: string;
  readonly name: string;
  readonly value: string;
}

/**
 * The first setting of one of these variables in the env files that a process of an app runs with in
 * development: the app's own, then the workspace's. An empty one is unset.
 */
export function findSetting(
  tree: Tree,
  root: string,
  names: readonly string[],
  fits: (value: string) => boolean = () => true,
): Setting | null {
  for (const folder of new Set([root, '.'])) {
    for (const file of tree.children(folder).filter(isEnvFile)) {
      const path = joinPathFragments(folder, file);
      const held = readEnv(tree.read(path, 'utf-8') ?? '');
      for (const name of names) {
        const value = held[name]?.trim() ?? '';
        if (value !== '' && fits(value)) return { path, name, value };
      }
    }
  }
  return null;
}

const isEnvFile = (name: string): boolean => /^\.env(?:\.|$)/.test(name) && !OTHERS.test(name);
