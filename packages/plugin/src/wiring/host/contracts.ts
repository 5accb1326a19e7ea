import { joinPathFragments, readJson } from '@nx/devkit';
import type { Tree } from '@nx/devkit';
import { posix } from 'node:path';
import type { Domain } from '../../domain/index.js';
import { ENTRIES, KERNELS, majorOf, workspaceGlobs } from '../../host/index.js';
import type { HostFacts, Kernel, WebFacts } from '../../host/index.js';
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
      return pathsTo(tree, host, domains, name).map(([tsconfig, target]) =>
        editFile(tree, tsconfig, (text) => setJson(text, pathsOf(importPath), [target])),
      );
    }
    return [
      ...wireWorkspace(tree, root),
      ...referencesTo(tree, host, domains, name).map(([tsconfig, reference]) =>
        editFile(tree, tsconfig, (text): Edit => appendJson(text, ['references'], reference)),
      ),
    ];
  });
  const bundled = host.solution
    ? []
    : [...host.webs.values()].filter((web) => isBuiltByWebpack(tree, web));
  return [
    ...libraries,
    ...wireEjected(tree, host),
    ...bundled.flatMap((web) => [
      ...wireBaseUrl(tree, host, web),
      ...wireExternalSources(tree, web),
    ]),
  ];
}

/** Makes the libraries of ejected kernels importable, by the names of their packages. */
function wireEjected(tree: Tree, host: HostFacts): Wired[] {
  return [...host.ejected].flatMap(([kernel, root]) => {
    if (host.solution) {
      return [
        ...wireWorkspace(tree, root),
        ...ejectedReferences(tree, host, kernel, root).map(([tsconfig, reference]) =>
          editFile(tree, tsconfig, (text): Edit => appendJson(text, ['references'], reference)),
        ),
      ];
    }
    return ejectedPaths(tree, host, kernel, root).map(([tsconfig, name, target]) =>
      editFile(tree, tsconfig, (text) => setJson(text, pathOf(name), [target])),
    );
  });
}

/** Takes out of the workspace's configuration a kernel that is a package again. */
export function unwireEjected(tree: Tree, host: HostFacts, kernel: Kernel, root: string): Wired[] {
  if (!host.solution) {
    return ejectedPaths(tree, host, kernel, root).map(([tsconfig, name, target]) =>
      editFile(tree, tsconfig, (text) => dropJson(text, pathOf(name), [target])),
    );
  }
  return [
    editFile(tree, 'package.json', (text) => dropItem(text, ['workspaces'], root, true)),
    ...ejectedReferences(tree, host, kernel, root).map(([tsconfig, reference]) =>
      editFile(tree, tsconfig, (text) =>
        dropItem(text, ['references'], reference, tsconfig === ROOT_TSCONFIG),
      ),
    ),
  ];
}

const pathOf = (name: string): string[] => ['compilerOptions', 'paths', name];

/** Roots of the projects that import a kernel. */
export function rootsWith(host: HostFacts, kernel: Kernel): string[] {
  const projects =
    kernel === 'nest' ? [...host.apps.values(), ...host.publishers] : [...host.webs.values()];
  return [...new Set(projects.map(({ root }) => root))];
}

/** Every tsconfig that holds `paths` to an ejected kernel, with each name and the source behind it. */
function ejectedPaths(
  tree: Tree,
  host: HostFacts,
  kernel: Kernel,
  root: string,
): [tsconfig: string, name: string, target: string][] {
  const projects = rootsWith(host, kernel);
  return Object.entries(ENTRIES[kernel]).flatMap(([subpath, file]) =>
    targetsOf(tree, host, projects, `${root}/src/${file}`).map(
      ([tsconfig, target]): [string, string, string] => [
        tsconfig,
        `${KERNELS[kernel]}${subpath}`,
        target,
      ],
    ),
  );
}

/** Every tsconfig that refers to an ejected kernel, with its reference. */
function ejectedReferences(
  tree: Tree,
  host: HostFacts,
  kernel: Kernel,
  root: string,
): [tsconfig: string, reference: Reference][] {
  return [
    [ROOT_TSCONFIG, reference(ROOT_TSCONFIG, root)],
    ...rootsWith(host, kernel).map((project) => projectReference(tree, project, root)),
  ];
}

/** webpack in Next.js compiles TypeScript below the app and in packages alone, unless it is told otherwise. */
function wireExternalSources(tree: Tree, { root }: WebFacts): Wired[] {
  const files = ['js', 'mjs', 'cjs', 'ts', 'mts'].map((ending) =>
    joinPathFragments(root, `next.config.${ending}`),
  );
  const path = files.find((file) => tree.exists(file)) ?? files[0]!;
  if (/withNx|externalDir|transpilePackages/.test(tree.read(path, 'utf-8') ?? '')) return [];
  return [
    {
      path,
      kind: 'unable',
      reason: 'webpack in Next.js compiles no library of the workspace without this',
      snippet: 'experimental: { externalDir: true },',
    },
  ];
}

/**
 * webpack in Next.js takes `paths` of an extended tsconfig as relative to the app unless there is a
 * `baseUrl`. TypeScript 6 has deprecated it, so there its owner decides. An app with `paths` of its
 * own has ours among them, and other imports that a `baseUrl` would break.
 */
function wireBaseUrl(tree: Tree, host: HostFacts, web: WebFacts): Wired[] {
  const path = joinPathFragments(web.root, 'tsconfig.json');
  const held = [host.baseTsconfig, path].some(
    (file) => compilerOptionsOf(tree, file).baseUrl !== undefined,
  );
  if (held || tsconfigsWithPaths(tree, web.root).includes(path)) return [];
  const baseUrl = posix.relative(web.root, '.');
  if ((majorOf(tree, '.', 'typescript') ?? 5) < 6) {
    return [editFile(tree, path, (text) => setJson(text, ['compilerOptions', 'baseUrl'], baseUrl))];
  }
  return [
    {
      path,
      kind: 'unable',
      reason: `webpack in Next.js ${web.nextMajor} finds no library by the paths of ${host.baseTsconfig} without baseUrl`,
      snippet: `"baseUrl": "${baseUrl}",\n"ignoreDeprecations": "6.0",`,
    },
  ];
}

/** Next.js before 16 always, a later one when it is told to. */
function isBuiltByWebpack(tree: Tree, { nextMajor, root }: WebFacts): boolean {
  if (nextMajor === null) return false;
  return (
    nextMajor < 16 ||
    ['project.json', 'package.json'].some((file) =>
      /--webpack\b/.test(tree.read(joinPathFragments(root, file), 'utf-8') ?? ''),
    )
  );
}

/** Takes out of the workspace's configuration the contract libraries that are no longer used there. */
export function unwireContracts(tree: Tree, before: Wanted, after: Wanted): Wired[] {
  const { host, domains } = before;
  return [...host.contracts].flatMap(([name, { importPath, root }]) => {
    const isGone = !tree.exists(root) || tree.children(root).length === 0;
    if (!host.solution) {
      if (!isGone) return [];
      return pathsTo(tree, host, domains, name).map(([tsconfig, target]) =>
        editFile(tree, tsconfig, (text) => dropJson(text, pathsOf(importPath), [target])),
      );
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

interface CompilerOptions {
  readonly baseUrl?: string;
  readonly paths?: object;
}

function compilerOptionsOf(tree: Tree, tsconfig: string): CompilerOptions {
  if (!tree.exists(tsconfig)) return {};
  return readJson<{ compilerOptions?: CompilerOptions }>(tree, tsconfig).compilerOptions ?? {};
}

/** Every tsconfig that holds `paths` to a contract library, with the library's sources as it names them. */
function pathsTo(
  tree: Tree,
  host: HostFacts,
  domains: readonly Domain[],
  name: string,
): [tsconfig: string, target: string][] {
  const library = host.contracts.get(name)?.root ?? '';
  const source = `${library}/src/*.contract.ts`;
  return targetsOf(tree, host, rootsUsing(host, domains, name), source);
}

/** The workspace's tsconfig and those of projects with `paths` of their own, each with a source as it names it. */
function targetsOf(
  tree: Tree,
  host: HostFacts,
  projects: readonly string[],
  source: string,
): [tsconfig: string, target: string][] {
  return [
    [host.baseTsconfig, `./${source}`],
    ...projects
      .flatMap((root) => tsconfigsWithPaths(tree, root))
      .map((path): [string, string] => [path, sourceFrom(tree, host, path, source)]),
  ];
}

/** The tsconfigs of a project whose own `paths` take the place of those of the workspace. */
function tsconfigsWithPaths(tree: Tree, root: string): string[] {
  if (root === '.') return [];
  return ['tsconfig.json', 'tsconfig.app.json', 'tsconfig.lib.json', 'tsconfig.spec.json']
    .map((file) => joinPathFragments(root, file))
    .filter((path) => compilerOptionsOf(tree, path).paths !== undefined);
}

/** A source of a library as `paths` of a project name it: from the nearest `baseUrl`, else from its tsconfig. */
function sourceFrom(tree: Tree, host: HostFacts, tsconfig: string, source: string): string {
  const folder = posix.dirname(tsconfig);
  const nearest = [tsconfig, joinPathFragments(folder, 'tsconfig.json'), host.baseTsconfig].find(
    (file) => compilerOptionsOf(tree, file).baseUrl !== undefined,
  );
  const from = nearest
    ? joinPathFragments(posix.dirname(nearest), compilerOptionsOf(tree, nearest).baseUrl ?? '.')
    : folder;
  const path = posix.relative(from, source);
  return path.startsWith('.') ? path : `./${path}`;
}

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
  return [
    [ROOT_TSCONFIG, reference(ROOT_TSCONFIG, library)],
    ...rootsUsing(host, domains, name).map((root) => projectReference(tree, root, library)),
  ];
}

/** Roots of the projects that import a contract library. */
function rootsUsing(host: HostFacts, domains: readonly Domain[], name: string): string[] {
  const users = domains.filter((domain) => domain.contracts === name);
  const roots = [
    ...host.publishers.map((publisher) => publisher.root),
    ...users.flatMap(({ app, web }) => [
      host.apps.get(app)?.root,
      web === null ? undefined : host.webs.get(web)?.root,
    ]),
  ];
  return [...new Set(roots)].filter((root) => root !== undefined);
}

function wireWorkspace(tree: Tree, root: string): Wired[] {
  const covered = workspaceGlobs(tree).some((glob) => covers(posix.normalize(glob), root));
  if (covered || tree.exists('pnpm-workspace.yaml')) return [];
  return [editFile(tree, 'package.json', (text) => appendJson(text, ['workspaces'], root))];
}

/** The tsconfig that `nx sync` writes to: the one that compiles sources, or the project's only one. */
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
