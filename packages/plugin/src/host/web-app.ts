import { joinPathFragments, readJson } from '@nx/devkit';
import type { ProjectConfiguration, Tree } from '@nx/devkit';
import type { Expression, Program } from 'oxc-parser';
import type { WebEntry } from './facts.js';
import { loadParser } from './parser.js';

interface Folders {
  readonly root: string;
  readonly sourceRoot: string;
}

/** Variables that each framework compiles into the browser's code: ours, and what many teams have. */
export const URL_VARIABLES = {
  next: { own: 'NEXT_PUBLIC_REALTIME_URL', api: 'NEXT_PUBLIC_API_URL' },
  vite: { own: 'VITE_REALTIME_URL', api: 'VITE_API_URL' },
} as const;

/** Vite's default port. */
const VITE_PORT = 5173;

export function isNextApp(tree: Tree, { root }: Folders): boolean {
  return configOf(tree, root, 'next') !== null;
}

/** A page of its own that React is rendered into: no library, no other framework on Vite. */
export function isViteApp(tree: Tree, { root, sourceRoot }: Folders): boolean {
  return (
    configOf(tree, root, 'vite') !== null &&
    tree.exists(joinPathFragments(root, 'index.html')) &&
    mainOf(tree, sourceRoot) !== null
  );
}

/** Root layouts and `_app`, in the folder that Next.js takes them from. */
export function nextEntries(tree: Tree, { root }: Folders): WebEntry[] {
  const folderOf = (router: string): string => joinPathFragments(root, router);
  // Next.js ignores src/app and src/pages where the project's root has either of them.
  const base = [folderOf('app'), folderOf('pages')].some((folder) => tree.exists(folder))
    ? root
    : joinPathFragments(root, 'src');
  const layouts = rootLayouts(tree, joinPathFragments(base, 'app'));
  const pages = joinPathFragments(base, 'pages');
  const app =
    fileIn(tree, pages, '_app') ?? (layouts.length === 0 ? missingApp(tree, pages) : null);
  const entries = [
    ...layouts.map((path): WebEntry => ({ path, kind: 'layout' })),
    ...(app === null ? [] : [{ path: app, kind: '_app' } as const]),
  ];
  return entries.length > 0
    ? entries
    : [{ path: joinPathFragments(base, 'app/layout.tsx'), kind: 'layout' }];
}

/** The module that renders the app. */
export function viteEntries(tree: Tree, { sourceRoot }: Folders): WebEntry[] {
  const path = mainOf(tree, sourceRoot) ?? joinPathFragments(sourceRoot, 'main.tsx');
  return [{ path, kind: 'main' }];
}

/** `server.port` of the Vite configuration. */
export function vitePort(tree: Tree, { root }: Folders): number {
  const config = configOf(tree, root, 'vite');
  const text = tree.read(config ?? '', 'utf-8') ?? '';
  const parsed = loadParser()?.parseSync('config.ts', text);
  const port = parsed?.errors.length === 0 ? portIn(parsed.program) : null;
  return port ?? VITE_PORT;
}

/** The target of a project.json that serves a Next.js app, where it states one: others are inferred, as `dev`. */
export function nextServer(
  tree: Tree,
  root: string,
): { readonly target: string; readonly port: number | undefined } | undefined {
  const path = joinPathFragments(root, 'project.json');
  if (!tree.exists(path)) return undefined;
  const { targets = {} } = readJson<Pick<ProjectConfiguration, 'targets'>>(tree, path);
  const found = Object.entries(targets).find(([, { executor }]) => executor === '@nx/next:server');
  if (!found) return undefined;
  const { port } = (found[1].options ?? {}) as { port?: unknown };
  return { target: found[0], port: typeof port === 'number' ? port : undefined };
}

/**
 * The layouts that render `<html>`: that of the router's folder, or where it has none, or one
 * that only hands its children on, those of the segments below that stand for no path of their
 * own: `(shop)`, `[locale]`.
 */
function rootLayouts(tree: Tree, folder: string): string[] {
  const rendersBody = (path: string): boolean =>
    tree.read(path, 'utf-8')?.includes('<body') ?? false;
  const own = fileIn(tree, folder, 'layout');
  if (own !== null && rendersBody(own)) return [own];
  const below = (tree.exists(folder) ? tree.children(folder) : [])
    .filter((name) => /^[([]/.test(name))
    .flatMap((name) => rootLayouts(tree, joinPathFragments(folder, name)));
  if (own === null) return below;
  const others = below.filter(rendersBody);
  return others.length > 0 ? others : [own];
}

/** Next.js makes up an `_app` for a pages router that has none. */
function missingApp(tree: Tree, pages: string): string | null {
  const hasPages = tree.exists(pages) && tree.children(pages).some((name) => name !== 'api');
  return hasPages ? joinPathFragments(pages, '_app.tsx') : null;
}

function mainOf(tree: Tree, sourceRoot: string): string | null {
  const candidates = ['main', 'index'].flatMap((stem) => fileIn(tree, sourceRoot, stem) ?? []);
  return candidates.find((path) => tree.read(path, 'utf-8')?.includes('react-dom')) ?? null;
}

/** A module of that name; also with `page` before its extension, as `pageExtensions` may have it. */
function fileIn(tree: Tree, folder: string, stem: string): string | null {
  const names = ['', 'page.'].flatMap((infix) =>
    ['tsx', 'jsx', 'ts', 'js'].map((extension) => `${stem}.${infix}${extension}`),
  );
  const paths = names.map((name) => joinPathFragments(folder, name));
  return paths.find((path) => tree.exists(path)) ?? null;
}

function configOf(tree: Tree, root: string, tool: 'next' | 'vite'): string | null {
  const paths = ['js', 'mjs', 'cjs', 'ts', 'mts', 'cts'].map((extension) =>
    joinPathFragments(root, `${tool}.config.${extension}`),
  );
  return paths.find((path) => tree.exists(path)) ?? null;
}

function portIn(program: Program): number | null {
  let found: number | null = null;
  const visit = (node: unknown): void => {
    if (found !== null || typeof node !== 'object' || node === null) return;
    const port = member(member(node, 'server'), 'port');
    if (port?.type === 'Literal' && typeof port.value === 'number') found = port.value;
    for (const child of Object.values(node)) visit(child);
  };
  visit(program);
  return found;
}

/** The value that an object literal has under a name. */
function member(node: unknown, name: string): Expression | null {
  if (!isObject(node)) return null;
  for (const property of node.properties) {
    if (property.type !== 'Property' || property.computed) continue;
    const { key, value } = property;
    const held =
      key.type === 'Identifier' ? key.name : key.type === 'Literal' ? key.value : undefined;
    if (held === name) return value;
  }
  return null;
}

function isObject(node: unknown): node is Extract<Expression, { type: 'ObjectExpression' }> {
  return (
    typeof node === 'object' && node !== null && 'type' in node && node.type === 'ObjectExpression'
  );
}
