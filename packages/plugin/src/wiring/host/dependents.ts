import { visitNotIgnoredFiles } from '@nx/devkit';
import type { Tree } from '@nx/devkit';
import { posix } from 'node:path';
import type { RenameWord } from '../../domain/index.js';
import type { HostFacts } from '../../host/index.js';
import { importsIn, isWordIn, renameImported } from '../text/index.js';

/** A line of the host's own code that needs generated code. */
export interface Use {
  readonly path: string;
  /** From 1. */
  readonly line: number;
  /** The import or name found there. */
  readonly what: string;
}

/**
 * Finds imports of any of these files in the workspace's code, by a relative path, an alias of a source
 * root or as a contract.
 *
 * @param targets files that may be there no longer
 */
export function dependentsOf(tree: Tree, host: HostFacts, targets: readonly string[]): Use[] {
  const resolve = resolver(host, targets);
  return sourcesOf(tree, targets).flatMap(([path, text]) =>
    importsIn(path, text).flatMap(({ from, line }) =>
      resolve(path, from) === undefined ? [] : [{ path, line, what: from }],
    ),
  );
}

/**
 * Makes code outside of the generated files follow a rename: import paths, imported names with
 * their uses, names of events and of their handlers.
 *
 * @param moved old path to new one of each module that has other names now, equal where only its
 *   names changed
 * @returns the files changed, and the lines that name what is no longer there
 */
export function renameImports(
  tree: Tree,
  host: HostFacts,
  moved: ReadonlyMap<string, string>,
  renameWord: RenameWord,
): { readonly changed: readonly string[]; readonly left: readonly Use[] } {
  const changed: string[] = [];
  const left: Use[] = [];
  const resolve = resolver(host, [...moved.keys()]);
  const own = new Set([...moved.values()]);
  for (const [path, text] of sourcesOf(tree, [...moved.keys()])) {
    if (own.has(path)) continue;
    const result = renameImported(path, text, {
      pathOf: (from) => {
        const old = resolve(path, from);
        const now = old === undefined ? undefined : moved.get(old);
        return old === undefined || now === undefined || leaves(path, old, now)
          ? undefined
          : {
              module: tree.read(now, 'utf-8') ?? '',
              from: specifierOf(from, old, now, path, host),
            };
      },
      renameWord,
    });
    if (result.text !== text) {
      tree.write(path, result.text);
      changed.push(path);
    }
    left.push(...result.left.map((use) => ({ path, ...use })));
  }
  return { changed, left };
}

/** True if a file has gone to another project, from that of its importer. */
function leaves(importer: string, old: string, now: string): boolean {
  const [from, to] = [old, now].map((path) => path.split(/\/src\//)[0] ?? path);
  return from !== to && importer.startsWith(`${from}/`);
}

/** The new specifier, in the manner of the old one. */
function specifierOf(
  from: string,
  old: string,
  now: string,
  importer: string,
  host: HostFacts,
): string {
  if (old === now) return from;
  const extension = /\.[cm]?[jt]sx?$/.exec(from)?.[0] ?? '';
  if (from.startsWith('.')) {
    const path = posix.relative(posix.dirname(importer), stripped(now));
    return (path.startsWith('.') ? path : `./${path}`) + extension;
  }
  const contract = contractsOf(host, [now]).get(stripped(now));
  if (contract !== undefined) return contract;
  const tail = from.slice(from.indexOf('/'));
  const root = stripped(old).slice(0, -tail.length + extension.length);
  return stripped(now).startsWith(root)
    ? from.slice(0, from.indexOf('/')) + stripped(now).slice(root.length) + extension
    : from;
}

type Resolve = (importer: string, from: string) => string | undefined;

function resolver(host: HostFacts, targets: readonly string[]): Resolve {
  const byModule = new Map(targets.map((path) => [stripped(path), path]));
  const contracts = new Map(
    targets.flatMap((path) => {
      const name = contractsOf(host, [path]).get(stripped(path));
      return name === undefined ? [] : [[name, path] as const];
    }),
  );
  return (importer, from) => {
    if (from.startsWith('.')) {
      return byModule.get(stripped(posix.join(posix.dirname(importer), from)));
    }
    const contract = contracts.get(from);
    if (contract !== undefined) return contract;
    if (!/^(?:[@~#]|src)\//.test(from)) return undefined;
    const tail = stripped(from.slice(from.indexOf('/')));
    const found = [...byModule].find(([module]) => module.endsWith(`/src${tail}`));
    return found?.[1];
  };
}

/** The import path of those of these files that are contracts, by path without extension. */
function contractsOf(host: HostFacts, paths: readonly string[]): Map<string, string> {
  const named = new Map<string, string>();
  for (const { root, importPath } of host.contracts.values()) {
    for (const path of paths) {
      const [, stem] = new RegExp(`^${escaped(root)}/src/(.+)\\.contract\\.ts$`).exec(path) ?? [];
      if (stem !== undefined) named.set(stripped(path), `${importPath}/${stem}`);
    }
  }
  return named;
}

const stripped = (path: string): string => path.replace(/\.[cm]?[jt]sx?$/, '');
const escaped = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');

/** Source files that mention one of these modules by its last part. */
function sourcesOf(tree: Tree, targets: readonly string[]): [path: string, text: string][] {
  const names = targets.map((path) => {
    const name = stripped(path).split('/').at(-1) ?? '';
    return name.replace(/\.contract$/, '');
  });
  const sources: [string, string][] = [];
  if (names.length === 0) return sources;
  visitNotIgnoredFiles(tree, '.', (file) => {
    const path = file.replaceAll('\\', '/');
    if (!/\.[cm]?[jt]sx?$/.test(path) || /(?:^|\/)(?:node_modules|dist|\.nx|\.next)\//.test(path)) {
      return;
    }
    const text = tree.read(path, 'utf-8') ?? '';
    if (names.some((name) => isWordIn(text, name))) sources.push([path, text]);
  });
  return sources;
}
