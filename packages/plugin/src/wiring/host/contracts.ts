import { joinPathFragments, readJson } from '@nx/devkit';
import type { Tree } from '@nx/devkit';
import { posix } from 'node:path';
import type { Domain } from '../../domain/index.js';
import { majorOf, workspaceGlobs } from '../../host/index.js';
import type { HostFacts, WebFacts } from '../../host/index.js';
import { appendJson, dropItem, dropJson, setJson } from '../text/index.js';
import type { Edit } from '../text/index.js';
import type { Wanted } from './dev-env.js';
import { editFile } from './edit.js';
import type { Wired } from './edit.js';

/** Makes every contract library importable from the apps that use it. */
export function wireContracts(tree: Tree, host: HostFacts, domains: readonly Domain[]): Wired[] {
  const libraries = [...host.contracts].flatMap(([name, library]) => {
    const { importPath, root } = library;
    if (!host.solution) {
      return [
        editFile(tree, host.baseTsconfig, (text) =>
          setJson(text, pathsOf(importPath), [sourcesOf(root)]),
        ),
      ];
    }
    return [
      ...wireWorkspace(tree, root),
      ...referencesTo(tree, host, domains, name).map(([tsconfig, reference]) =>
        editFile(tree, tsconfig, (text): Edit => appendJson(text, ['references'], reference)),
      ),
    ];
  });
  const webs = host.solution ? [] : [...host.webs.values()];
  return [...libraries, ...webs.flatMap((web) => wireBaseUrl(tree, host, web))];
}

/**
 * Next.js before 16 is built by webpack, which takes `paths` of an extended tsconfig as relative to
 * the app unless there is a `baseUrl`. TypeScript 6 has deprecated it, so there its owner decides.
 */
function wireBaseUrl(tree: Tree, host: HostFacts, web: WebFacts): Wired[] {
  if (web.nextMajor === null || web.nextMajor >= 16) return [];
  const path = joinPathFragments(web.root, 'tsconfig.json');
  const held = [host.baseTsconfig, path].some(
    (file) =>
      tree.exists(file) &&
      readJson<{ compilerOptions?: { baseUrl?: string } }>(tree, file).compilerOptions?.baseUrl !==
        undefined,
  );
  if (held) return [];
  const baseUrl = posix.relative(web.root, '.');
  if ((majorOf(tree, '.', 'typescript') ?? 5) < 6) {
    return [editFile(tree, path, (text) => setJson(text, ['compilerOptions', 'baseUrl'], baseUrl))];
  }
  return [
    {
      path,
      kind: 'unable',
      reason: `Next.js ${web.nextMajor} finds no library by the paths of ${host.baseTsconfig} without baseUrl`,
      snippet: `"baseUrl": "${baseUrl}",\n"ignoreDeprecations": "6.0",`,
    },
  ];
}

/** Takes out of the workspace's configuration the contract libraries that are no longer used there. */
export function unwireContracts(tree: Tree, before: Wanted, after: Wanted): Wired[] {
  const { host, domains } = before;
  return [...host.contracts].flatMap(([name, { importPath, root }]) => {
    const isGone = !tree.exists(root) || tree.children(root).length === 0;
    if (!host.solution) {
      if (!isGone) return [];
      return [
        editFile(tree, host.baseTsconfig, (text) =>
          dropJson(text, pathsOf(importPath), [sourcesOf(root)]),
        ),
      ];
    }
    const needed = isGone
      ? []
      : [
          ROOT_TSCONFIG,
          ...referencesTo(tree, after.host, after.domains, name).map(([path]) => path),
        ];
    return [
      ...(isGone
        ? [editFile(tree, 'package.json', (text) => dropItem(text, ['workspaces'], root, true))]
        : []),
      ...referencesTo(tree, host, domains, name)
        .filter(([tsconfig]) => !needed.includes(tsconfig))
        .map(([tsconfig, reference]) =>
          editFile(tree, tsconfig, (text) =>
            dropItem(text, ['references'], reference, tsconfig === ROOT_TSCONFIG),
          ),
        ),
    ];
  });
}

const ROOT_TSCONFIG = 'tsconfig.json';

const pathsOf = (importPath: string): string[] => ['compilerOptions', 'paths', `${importPath}/*`];
const sourcesOf = (root: string): string => `./${root}/src/*.contract.ts`;

interface Reference {
  readonly path: string;
}

/** Every tsconfig that refers to a contract library, with its reference. */
function referencesTo(
  tree: Tree,
  host: HostFacts,
  domains: readonly Domain[],
  name: string,
): [tsconfig: string, reference: Reference][] {
  const library = host.contracts.get(name)?.root ?? '';
  const users = domains.filter((domain) => domain.contracts === name);
  const roots = new Set([
    ...host.publishers.map((publisher) => publisher.root),
    ...users.flatMap(({ app, web }) => [
      host.apps.get(app)?.root,
      web === null ? undefined : host.webs.get(web)?.root,
    ]),
  ]);
  return [
    [ROOT_TSCONFIG, reference(ROOT_TSCONFIG, library)],
    ...[...roots].flatMap((root) =>
      root === undefined ? [] : [projectReference(tree, root, library)],
    ),
  ];
}

function wireWorkspace(tree: Tree, root: string): Wired[] {
  const covered = workspaceGlobs(tree).some((glob) => covers(posix.normalize(glob), root));
  if (covered || tree.exists('pnpm-workspace.yaml')) return [];
  return [editFile(tree, 'package.json', (text) => appendJson(text, ['workspaces'], root))];
}

/** As `nx sync` has it: in the tsconfig that compiles sources, or the project's only one. */
function projectReference(tree: Tree, root: string, library: string): [string, Reference] {
  const app = joinPathFragments(root, 'tsconfig.app.json');
  if (tree.exists(app)) return [app, reference(app, `${library}/tsconfig.lib.json`)];
  const own = joinPathFragments(root, 'tsconfig.json');
  return [own, reference(own, library)];
}

function reference(tsconfig: string, to: string): Reference {
  const path = posix.relative(posix.dirname(tsconfig), to);
  return { path: path.startsWith('.') ? path : `./${path}` };
}

function covers(glob: string, root: string): boolean {
  const folder = posix.dirname(root);
  return glob === root || glob === `${folder}/*` || glob.startsWith(`${folder}/**`);
}
