import { readJson } from '@nx/devkit';
import type { Tree } from '@nx/devkit';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Options } from 'prettier';

type Prettier = Pick<typeof import('prettier'), 'format' | 'getFileInfo' | 'resolveConfig'>;

/**
 * Formats a text as the host would format the file at this path; null where the host has no
 * formatter for it, ignores it, or cannot parse it.
 */
export type Format = (path: string, text: string) => Promise<string | null>;

/** The host's own Prettier with the host's own options. Loaded when the first text is formatted. */
export function hostFormatter(tree: Tree): Format {
  let loading: Promise<Prettier | null> | undefined;
  let pending: Options | undefined;
  return async (path, text) => {
    loading ??= loadPrettier(tree.root);
    const prettier = await loading;
    if (prettier === null) return null;
    pending ??= pendingOptions(tree);
    const file = join(tree.root, path);
    try {
      const { ignored, inferredParser } = await prettier.getFileInfo(file, {
        ignorePath: join(tree.root, '.prettierignore'),
        resolveConfig: true,
      });
      if (ignored || inferredParser === null) return null;
      const options = await prettier.resolveConfig(file, { editorconfig: true });
      return await prettier.format(text, { ...options, ...pending, filepath: file });
    } catch {
      return null;
    }
  };
}

async function loadPrettier(root: string): Promise<Prettier | null> {
  try {
    const entry = createRequire(join(root, 'package.json')).resolve('prettier');
    const loaded = (await import(pathToFileURL(entry).href)) as Prettier & { default?: Prettier };
    return loaded.default ?? loaded;
  } catch {
    return null;
  }
}

/** Options that another generator of the same run has written and that are not on the disk yet. */
function pendingOptions(tree: Tree): Options {
  const changed = tree.listChanges().some(({ path }) => path === '.prettierrc');
  if (!changed || !tree.exists('.prettierrc')) return {};
  try {
    return readJson<Options>(tree, '.prettierrc');
  } catch {
    return {};
  }
}
