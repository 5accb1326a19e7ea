import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { TEMPLATES_ARCHIVE, readTemplates, unpackTemplates } from './archive.js';
import type { Templates } from './archive.js';
import { packageFolder } from './package-folder.js';

let loaded: Templates | undefined;

/**
 * The templates of this package, read at the first call: from its folder of them, or from the
 * archive that is published in its place.
 */
export function loadTemplates(): Templates {
  loaded ??= readOwn(packageFolder());
  return loaded;
}

function readOwn(root: string): Templates {
  const folder = join(root, 'templates');
  return existsSync(folder)
    ? readTemplates(folder)
    : unpackTemplates(readFileSync(join(root, TEMPLATES_ARCHIVE)));
}
