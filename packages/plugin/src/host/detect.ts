import { joinPathFragments, readJson, readNxJson } from '@nx/devkit';
import type { Tree } from '@nx/devkit';
import { posix } from 'node:path';
import { RealtimeError } from '../domain/index.js';
import type { Domain } from '../domain/index.js';
import { ejectedKernels } from './ejected.js';
import type { AppFacts, ContractsFacts, HostFacts, TestRunner, WebFacts } from './facts.js';
import type { HostProject, HostProjects } from './projects.js';
import { loadParser } from './parser.js';
import { hostPublishers } from './publishers.js';
import { rootModuleOf } from './root-module.js';
import { isNextApp, nextEntries, nextServer, viteEntries, vitePort } from './web-app.js';
import type { Kernel } from './versions.js';
import { loadYaml } from './yaml.js';

/**
 * Reads from the Tree what the generated code of these domains depends on; writes nothing.
 *
 * @throws RealtimeError RT010 or RT012 when a domain names a project that is not there, RT009 when
 * it names a file that is not
 */
export function detectHost(
  tree: Tree,
  projects: HostProjects,
  domains: readonly Domain[],
): HostFacts {
  const solution = isSolution(tree);
  const facts = {
    solution,
    baseTsconfig: baseTsconfigOf(tree),
    ejected: ejectedIn(tree, projects),
    eslintConfig: eslintConfigOf(tree),
    apps: new Map<string, AppFacts>(),
    webs: new Map<string, WebFacts>(),
    contracts: new Map<string, ContractsFacts>(),
  };
  for (const domain of domains) {
    if (!facts.apps.has(domain.app)) {
      facts.apps.set(domain.app, detectApp(tree, projects.resolve('nest', domain.app, domain.app)));
    }
    checkRequestContext(tree, facts.apps.get(domain.app), domain);
    if (domain.web !== null && !facts.webs.has(domain.web)) {
      facts.webs.set(domain.web, detectWeb(tree, projects.resolve('web', domain.web, domain.web)));
    }
    if (!facts.contracts.has(domain.contracts)) {
      facts.contracts.set(
        domain.contracts,
        detectContracts(tree, projects, domain.contracts, solution),
      );
    }
  }
  const publishers = hostPublishers(tree, projects).map(({ project, file }) => ({
    ...detectApp(tree, project),
    skipTests: file.skipTests ?? false,
  }));
  return { ...facts, publishers, nest: nestOf(tree, [...facts.apps.values()]) };
}

/** The kernels whose sources the workspace owns, with the folder of each library. */
export function ejectedIn(tree: Tree, projects: HostProjects): Map<Kernel, string> {
  const facts = { solution: isSolution(tree), baseTsconfig: baseTsconfigOf(tree) };
  return ejectedKernels(tree, projects, facts);
}

const baseTsconfigOf = (tree: Tree): string =>
  tree.exists('tsconfig.base.json') ? 'tsconfig.base.json' : 'tsconfig.json';

function checkRequestContext(
  tree: Tree,
  app: AppFacts | undefined,
  { names, requestContext }: Domain,
): void {
  if (!app || requestContext === undefined || requestContext.startsWith('@')) return;
  const file = joinPathFragments(app.root, requestContext);
  if (!file.startsWith('..') && tree.exists(file) && file.endsWith('.ts')) return;
  throw new RealtimeError(
    'RT009',
    `requestContext of ${names.pascal}: there is no file ${file}. Give the .ts file that exports RequestContextService, relative to ${app.root}, or a package (@acme/context).`,
  );
}

/** Facts of a Nest app. */
export function detectApp(tree: Tree, project: HostProject): AppFacts {
  const main = joinPathFragments(project.sourceRoot, 'main.ts');
  const found = rootModuleOf(tree.read(main, 'utf-8') ?? '');
  const module = [found ?? 'app/app.module', 'app.module']
    .map((path) => joinPathFragments(project.sourceRoot, `${path}.ts`))
    .find((path) => tree.exists(path));
  return {
    name: project.name,
    shortName: project.shortName,
    root: project.root,
    sourceRoot: project.sourceRoot,
    realtimeRoot: joinPathFragments(project.sourceRoot, 'realtime'),
    main,
    module: module ?? null,
    esm: packageType(tree, project.root) === 'module',
    testRunner: testRunnerOf(tree, project.root),
  };
}

function detectWeb(tree: Tree, project: HostProject): WebFacts {
  const framework = isNextApp(tree, project) ? 'next' : 'vite';
  const server = nextServer(tree, project.root);
  return {
    name: project.name,
    shortName: project.shortName,
    root: project.root,
    sourceRoot: project.sourceRoot,
    framework,
    devTarget: server?.target ?? 'dev',
    origin: `http://localhost:${framework === 'next' ? (server?.port ?? 3000) : vitePort(tree, project)}`,
    entries: framework === 'next' ? nextEntries(tree, project) : viteEntries(tree, project),
    nextMajor: framework === 'next' ? majorOf(tree, project.root, 'next') : null,
    reactRouter: ['react-router', 'react-router-dom'].some(
      (name) => rangeOf(tree, project.root, name) !== undefined,
    ),
    testRunner: testRunnerOf(tree, project.root),
  };
}

/** The range in which the project itself, or the workspace, names a package. */
function rangeOf(tree: Tree, root: string, name: string): string | undefined {
  for (const path of [joinPathFragments(root, 'package.json'), 'package.json']) {
    if (!tree.exists(path)) continue;
    const json = readJson<Record<string, Record<string, string> | undefined>>(tree, path);
    const range = json['dependencies']?.[name] ?? json['devDependencies']?.[name];
    if (range !== undefined) return range;
  }
  return undefined;
}

/** The first number of that range; null where there is none, as in `latest`. */
export function majorOf(tree: Tree, root: string, name: string): number | null {
  const digits = /\d+/.exec(rangeOf(tree, root, name) ?? '')?.[0];
  return digits === undefined ? null : Number(digits);
}

function detectContracts(
  tree: Tree,
  projects: HostProjects,
  name: string,
  solution: boolean,
): ContractsFacts {
  const project = projects.find(name);
  const shortName = name.split('/').at(-1) ?? name;
  const root = project?.root ?? joinPathFragments(librariesFolder(tree, solution), shortName);
  const packageJson = joinPathFragments(root, 'package.json');
  const scope = npmScope(tree);
  const packageName = tree.exists(packageJson)
    ? readJson<{ name?: string }>(tree, packageJson).name
    : undefined;
  return {
    name: shortName,
    root,
    exists: project !== undefined,
    importPath: packageName ?? (scope === null ? shortName : `@${scope}/${shortName}`),
    chained: chainedContracts(tree, joinPathFragments(root, 'src')),
  };
}

function chainedContracts(tree: Tree, folder: string): Set<string> {
  const files = tree.children(folder).filter((file) => file.endsWith('.contract.ts'));
  return new Set(
    files.filter((file) => {
      const text = tree.read(joinPathFragments(folder, file), 'utf-8') ?? '';
      // Most need no parser.
      if (!/['"]zod['"]/.test(text)) return false;
      const imports = loadParser()?.parseSync(file, text).module.staticImports ?? [];
      return imports.some(({ moduleRequest }) => moduleRequest.value === 'zod');
    }),
  );
}

/** Folder of the workspace's libraries. */
export function librariesFolder(tree: Tree, solution = isSolution(tree)): string {
  const configured = readNxJson(tree)?.workspaceLayout?.libsDir;
  if (configured) return configured;
  const folders = ['libs', 'packages'];
  if (!solution) return folders.find((folder) => tree.exists(folder)) ?? 'libs';
  const globs = workspaceGlobs(tree);
  return folders.find((folder) => globs.some((glob) => covers(glob, folder))) ?? 'libs';
}

function covers(glob: string, folder: string): boolean {
  return posix.normalize(glob).startsWith(`${folder}/`);
}

/** Package-manager workspaces with a root tsconfig of references: Nx's TypeScript-solution setup. */
export function isSolution(tree: Tree): boolean {
  return (
    workspaceGlobs(tree).length > 0 &&
    tree.exists('tsconfig.json') &&
    tree.exists('tsconfig.base.json') &&
    readJson<{ compilerOptions?: { paths?: unknown } }>(tree, 'tsconfig.base.json').compilerOptions
      ?.paths === undefined
  );
}

/** The folders of packages, as npm, yarn, bun or pnpm are told them. */
export function workspaceGlobs(tree: Tree): string[] {
  const pnpm = tree.read('pnpm-workspace.yaml', 'utf-8');
  if (pnpm !== null)
    return (loadYaml().parse(pnpm) as { packages?: string[] } | null)?.packages ?? [];
  const { workspaces } = readJson<{ workspaces?: string[] | { packages?: string[] } }>(
    tree,
    'package.json',
  );
  return Array.isArray(workspaces) ? workspaces : (workspaces?.packages ?? []);
}

/** File name of the root's flat ESLint config; null where there is none. */
export function eslintConfigOf(tree: Tree): string | null {
  const names = ['js', 'mjs', 'cjs', 'ts', 'mts'].map((extension) => `eslint.config.${extension}`);
  return names.find((name) => tree.exists(name)) ?? null;
}

function npmScope(tree: Tree): string | null {
  const { name } = readJson<{ name?: string }>(tree, 'package.json');
  return name?.startsWith('@') ? (name.slice(1).split('/')[0] ?? null) : null;
}

function packageType(tree: Tree, root: string): string | undefined {
  const own = joinPathFragments(root, 'package.json');
  return readJson<{ type?: string }>(tree, tree.exists(own) ? own : 'package.json').type;
}

function testRunnerOf(tree: Tree, root: string): TestRunner {
  const has = (stem: string): boolean =>
    ['ts', 'mts', 'cts', 'js', 'mjs', 'cjs'].some((ext) =>
      tree.exists(joinPathFragments(root, `${stem}.${ext}`)),
    );
  if (has('jest.config')) return 'jest';
  return has('vitest.config') || has('vite.config') ? 'vitest' : 'none';
}

/** Nest is one for a workspace: the root's version, or that of an app with its own package.json. */
function nestOf(tree: Tree, apps: readonly AppFacts[]): HostFacts['nest'] {
  const files = ['package.json', ...apps.map((app) => joinPathFragments(app.root, 'package.json'))];
  for (const file of files.filter((path) => tree.exists(path))) {
    const json = readJson<Record<string, Record<string, string> | undefined>>(tree, file);
    const range =
      json['dependencies']?.['@nestjs/core'] ?? json['devDependencies']?.['@nestjs/core'];
    const major = Number(/\d+/.exec(range ?? '')?.[0]);
    if (range !== undefined && major > 0) return { range, major };
  }
  return { range: '^11.0.0', major: 11 };
}
