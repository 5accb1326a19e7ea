import type { Tree } from '@nx/devkit';
import { posix } from 'node:path';
import { KERNELS } from '../../host/index.js';
import type { HostFacts } from '../../host/index.js';
import { unwire } from '../text/index.js';
import { editFile } from './edit.js';
import type { Wired } from './edit.js';

/**
 * Takes the use of generated files that are no more out of the files that wiring edits: main.ts,
 * its module, and what renders each web app.
 *
 * @param host as it was when they were wired
 * @param removed paths of those files
 */
export function unwireHost(tree: Tree, host: HostFacts, removed: readonly string[]): Wired[] {
  const modules = removed.filter((path) => !tree.exists(path)).map(stripped);
  if (modules.length === 0) return [];
  /** The files that call the kernel, of apps whose module is gone. */
  const lastCalls = new Set(
    [...host.apps.values()]
      .filter(({ realtimeRoot }) => modules.includes(`${realtimeRoot}/realtime.module`))
      .map(({ main }) => main),
  );
  const wired = [
    ...[...host.apps.values(), ...host.publishers].flatMap(({ sourceRoot, main, module }) =>
      [main, ...(module === null ? [] : [module])].map((path) => ({ path, sourceRoot })),
    ),
    ...[...host.webs.values()].flatMap(({ sourceRoot, entries }) =>
      entries.map(({ path }) => ({ path, sourceRoot })),
    ),
  ].filter(({ path }) => tree.exists(path));
  return wired
    .map(({ path, sourceRoot }) =>
      editFile(tree, path, (text) =>
        unwire(path, text, (from) => {
          if (from === KERNELS.nest) return lastCalls.has(path);
          const relative = posix.join(posix.dirname(path), from);
          const aliased = sourceRoot + from.slice(from.indexOf('/'));
          return from.startsWith('.')
            ? modules.includes(stripped(relative))
            : /^[@~]\//.test(from) && modules.includes(stripped(aliased));
        }),
      ),
    )
    .filter(({ kind }) => kind !== 'already');
}

const stripped = (path: string): string => path.replace(/\.[cm]?[jt]sx?$/, '');
