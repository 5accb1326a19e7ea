import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Kernel } from '../host/index.js';
import { KERNELS_ARCHIVE, TEMPLATES_ARCHIVE, readTemplates, unpackTemplates } from './archive.js';
import type { Templates } from './archive.js';
import { packageFolder } from './package-folder.js';

const KERNELS = ['nest', 'react'] as const;

let loaded: Templates | undefined;
let withKernels: Templates | undefined;

/**
 * The templates of this package, read at the first call: from its folder of them, or from the
 * archive that is published in its place.
 *
 * @param host what they are for: the sources of kernels, below `kernels/`, are read where it owns one
 */
export function loadTemplates(host?: {
  readonly ejected: ReadonlyMap<Kernel, unknown>;
}): Templates {
  loaded ??= readOwn(packageFolder());
  if (!host || host.ejected.size === 0) return loaded;
  withKernels ??= new Map([...loaded, ...readKernels(packageFolder())]);
  return withKernels;
}

function readOwn(root: string): Templates {
  const folder = join(root, 'templates');
  return existsSync(folder)
    ? readTemplates(folder)
    : unpackTemplates(readFileSync(join(root, TEMPLATES_ARCHIVE)));
}

/** The archive, or what it is made of. */
function readKernels(root: string): Templates {
  if (!existsSync(join(root, 'templates'))) {
    return unpackTemplates(readFileSync(join(root, KERNELS_ARCHIVE)));
  }
  if (existsSync(join(root, 'templates/kernels'))) return new Map();
  return kernelSources(join(root, '..'));
}

/** Sources of the kernels by `kernels/<kernel>/<path>`. @param packages folder of their packages */
export function kernelSources(packages: string): Templates {
  return new Map(
    KERNELS.flatMap((kernel) =>
      [...readTemplates(join(packages, kernel, 'src'))].map(([path, text]): [string, string] => [
        `kernels/${kernel}/${path}`,
        text,
      ]),
    ),
  );
}
