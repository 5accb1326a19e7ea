import type { Tree } from '@nx/devkit';
import { createTree, createTreeWithEmptyWorkspace } from '@nx/devkit/testing';

export const MAIN = `import { NestFactory } from '@nestjs/core';
import { AppModule } from './app/app.module';

async function bootstrap() {
  const app = await NestFactory.create(AppModule);
  await app.listen(3000);
}

bootstrap();
`;

export const MODULE = `import { Module } from '@nestjs/common';

@Module({
  imports: [],
})
export class AppModule {}
`;

export const LAYOUT = `export default function RootLayout({ children }: { children: React.ReactNode }) {
  return (
    <html lang="en">
      <body>{children}</body>
    </html>
  );
}
`;

/** The Tree of a workspace with a Nest and a Next.js app, in either layout of Nx. */
export function hostTree(layout: 'integrated' | 'solution' = 'integrated'): Tree {
  const tree = createTreeWithEmptyWorkspace();
  tree.delete('.prettierrc');
  tree.write('.gitignore', 'node_modules\n');
  const solution = layout === 'solution';
  writeJson(tree, 'package.json', {
    name: '@acme/source',
    dependencies: { '@nestjs/core': '^11.0.0' },
    devDependencies: {},
    ...(solution ? { workspaces: ['packages/*', 'apps/*'] } : {}),
  });
  writeJson(tree, 'tsconfig.base.json', { compilerOptions: solution ? {} : { paths: {} } });
  if (solution)
    writeJson(tree, 'tsconfig.json', { extends: './tsconfig.base.json', references: [] });
  addNest(tree, 'api-gateway', layout);
  addNext(tree, 'web', layout);
  return tree;
}

/** Adds a Nest app, as `@nx/nest` makes it. */
export function addNest(tree: Tree, name: string, layout = 'integrated'): void {
  addProject(tree, name, layout);
  tree.write(`apps/${name}/src/main.ts`, MAIN);
  tree.write(`apps/${name}/src/app/app.module.ts`, MODULE);
  tree.write(`apps/${name}/jest.config.cts`, 'module.exports = {};\n');
  writeJson(tree, `apps/${name}/tsconfig.app.json`, { include: ['src/**/*.ts'] });
}

/** Adds a Next.js app, as `@nx/next` makes it. */
export function addNext(tree: Tree, name: string, layout = 'integrated'): void {
  addProject(tree, name, layout);
  tree.write(`apps/${name}/next.config.js`, 'module.exports = {};\n');
  tree.write(`apps/${name}/src/app/layout.tsx`, LAYOUT);
  tree.write(`apps/${name}/vitest.config.mts`, 'export default {};\n');
}

/** What `@nx/react` writes as `src/main.tsx` of an app that Vite builds. */
export const REACT_MAIN = `import { StrictMode } from 'react';
import * as ReactDOM from 'react-dom/client';
import App from './app/app';

const root = ReactDOM.createRoot(
  document.getElementById('root') as HTMLElement
);

root.render(
  <StrictMode>
    <App/>
  </StrictMode>
);`;

/** Adds a React app on Vite, as `@nx/react` makes it. */
export function addVite(tree: Tree, name: string, layout = 'integrated'): void {
  addProject(tree, name, layout);
  tree.write(
    `apps/${name}/vite.config.mts`,
    "import { defineConfig } from 'vite';\n\nexport default defineConfig(() => ({\n  preview: { port: 4300 },\n  server: { port: 4200, host: 'localhost' },\n  test: {},\n}));\n",
  );
  tree.write(`apps/${name}/index.html`, '<div id="root"></div>\n');
  tree.write(`apps/${name}/src/main.tsx`, REACT_MAIN);
  writeJson(tree, `apps/${name}/tsconfig.app.json`, { include: ['src/**/*.tsx'] });
}

function addProject(tree: Tree, name: string, layout: string): void {
  const root = `apps/${name}`;
  if (layout === 'solution') {
    writeJson(tree, `${root}/package.json`, { name: `@acme/${name}`, version: '0.0.1' });
  } else {
    writeJson(tree, `${root}/project.json`, { name, projectType: 'application' });
  }
  writeJson(tree, `${root}/tsconfig.json`, { extends: '../../tsconfig.base.json' });
}

/** Gives Trees that hold what `make` made, which is made once: each may be changed. */
export function copies(make: () => Promise<Tree>): () => Promise<Tree> {
  let made: Promise<Map<string, string>> | undefined;
  return async () => {
    const files = await (made ??= make().then((tree) => snapshot(tree)));
    const tree = createTree();
    tree.delete('.prettierrc');
    for (const [path, text] of files) tree.write(path, text);
    return tree;
  };
}

/** Every file of the Tree with its text. */
export function snapshot(tree: Tree, folder = '.'): Map<string, string> {
  const files = new Map<string, string>();
  for (const name of tree.children(folder)) {
    const path = folder === '.' ? name : `${folder}/${name}`;
    if (tree.isFile(path)) files.set(path, tree.read(path, 'utf-8') ?? '');
    else for (const entry of snapshot(tree, path)) files.set(...entry);
  }
  return files;
}

function writeJson(tree: Tree, path: string, value: object): void {
  tree.write(path, `${JSON.stringify(value, null, 2)}\n`);
}
