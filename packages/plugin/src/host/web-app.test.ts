import type { Tree } from '@nx/devkit';
import { createTreeWithEmptyWorkspace } from '@nx/devkit/testing';
import { beforeEach, describe, expect, it } from 'vitest';
import { isNextApp, isViteApp, nextEntries, nextServer, viteEntries, vitePort } from './web-app.js';

const APP = { root: 'apps/web', sourceRoot: 'apps/web/src' };
const HTML = 'export default () => <html><body /></html>;';
const BARE = 'export default ({ children }) => children;';

let tree: Tree;

beforeEach(() => {
  tree = createTreeWithEmptyWorkspace();
});

function write(files: Readonly<Record<string, string>>): void {
  for (const [path, text] of Object.entries(files)) tree.write(`apps/web/${path}`, text);
}

describe('the entries of a Next.js app', () => {
  it.each<[string, Record<string, string>, string[]]>([
    ['src/app', { 'src/app/layout.tsx': HTML }, ['layout src/app/layout.tsx']],
    ['app at the root', { 'app/layout.tsx': HTML }, ['layout app/layout.tsx']],
    [
      'app at the root, which Next.js prefers',
      { 'app/layout.tsx': HTML, 'src/app/layout.tsx': HTML },
      ['layout app/layout.tsx'],
    ],
    [
      'pages at the root, where src/app is ignored',
      { 'pages/_app.tsx': '', 'src/app/layout.tsx': HTML },
      ['_app pages/_app.tsx'],
    ],
    ['src/pages', { 'src/pages/_app.jsx': '' }, ['_app src/pages/_app.jsx']],
    ['pages without _app', { 'pages/index.tsx': '' }, ['_app pages/_app.tsx']],
    [
      'pages with an extension of its own',
      { 'src/pages/_app.page.tsx': '' },
      ['_app src/pages/_app.page.tsx'],
    ],
    [
      'both routers',
      { 'app/layout.js': HTML, 'pages/_app.js': '' },
      ['layout app/layout.js', '_app pages/_app.js'],
    ],
    [
      'an app router beside pages of an API',
      { 'app/layout.tsx': HTML, 'pages/api/hello.ts': '' },
      ['layout app/layout.tsx'],
    ],
    [
      'a root layout for each group',
      { 'app/(shop)/layout.tsx': HTML, 'app/(admin)/layout.tsx': HTML, 'app/about/layout.tsx': '' },
      ['layout app/(admin)/layout.tsx', 'layout app/(shop)/layout.tsx'],
    ],
    [
      'a root layout for each language',
      { 'src/app/[locale]/layout.tsx': HTML },
      ['layout src/app/[locale]/layout.tsx'],
    ],
    [
      'a layout that leaves the body to that of the language',
      {
        'app/layout.tsx': BARE,
        'app/[locale]/layout.tsx': HTML,
        'app/[locale]/(a)/layout.tsx': BARE,
      },
      ['layout app/[locale]/layout.tsx'],
    ],
    [
      'a layout that leaves the body to a component',
      { 'app/layout.tsx': BARE, 'app/(a)/layout.tsx': BARE },
      ['layout app/layout.tsx'],
    ],
    ['nothing', {}, ['layout src/app/layout.tsx']],
  ])('%s', (_, files, expected) => {
    write(files);
    const found = nextEntries(tree, APP).map(({ kind, path }) => `${kind} ${path}`);
    expect(found.sort()).toEqual(expected.map((entry) => entry.replace(' ', ' apps/web/')).sort());
  });
});

describe('a React app on Vite', () => {
  const VITE = {
    'vite.config.ts': 'export default {};',
    'index.html': '',
    'src/main.tsx': "import { createRoot } from 'react-dom/client';",
  };

  it('renders into a page of its own', () => {
    write(VITE);
    expect(isViteApp(tree, APP)).toBe(true);
    expect(isNextApp(tree, APP)).toBe(false);
    expect(viteEntries(tree, APP)).toEqual([{ path: 'apps/web/src/main.tsx', kind: 'main' }]);
  });

  it.each([
    ['a library', 'index.html'],
    ['built by something else', 'vite.config.ts'],
    ['of another framework', 'src/main.tsx'],
  ])('is none that is %s', (_, missing) => {
    write(VITE);
    tree.delete(`apps/web/${missing}`);
    tree.write('apps/web/src/main.ts', "import { createApp } from 'vue';");
    expect(isViteApp(tree, APP)).toBe(false);
  });

  it.each([
    [
      4200,
      'export default defineConfig(() => ({ preview: { port: 1 }, server: { port: 4200 } }));',
    ],
    [8080, "export default { 'server': { host: true, 'port': 8080 } };"],
    [5173, 'export default defineConfig({ server: { host: true } });'],
    [5173, 'export default defineConfig({ server: { port: Number(process.env.PORT) } });'],
    [5173, 'export default {'],
  ])('is served on port %d with %s', (port, config) => {
    write({ ...VITE, 'vite.config.ts': config });
    expect(vitePort(tree, APP)).toBe(port);
  });
});

describe('the target that serves a Next.js app', () => {
  it.each([
    ['stated', { serve: { executor: '@nx/next:server', options: { port: 4201 } } }, 'serve', 4201],
    ['without a port', { web: { executor: '@nx/next:server' } }, 'web', undefined],
  ])('is the one of its project.json: %s', (_, targets, target, port) => {
    write({ 'project.json': JSON.stringify({ name: 'web', targets }) });
    expect(nextServer(tree, APP.root)).toEqual({ target, port });
  });

  it('is not stated where Nx infers it', () => {
    expect(nextServer(tree, APP.root)).toBeUndefined();
    write({ 'project.json': '{ "name": "web", "targets": { "lint": {} } }' });
    expect(nextServer(tree, APP.root)).toBeUndefined();
  });
});
