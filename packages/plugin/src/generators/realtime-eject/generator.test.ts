import type { Tree } from '@nx/devkit';
import { readJson } from '@nx/devkit';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { addNest, copies, hostTree, snapshot } from '../../../test/support/host-tree.js';
import { tools } from '../../../test/support/review-root.js';
import { checkWorkspace } from '../../check/index.js';
import { HostProjects, KERNELS, VERSIONS } from '../../host/index.js';
import { pluginVersion } from '../../reconcile/index.js';
import { reviewWorkspace } from '../../review/index.js';
import realtimeDomainGenerator from '../realtime-domain/generator.js';
import realtimeRemoveGenerator from '../realtime-remove/generator.js';
import syncGenerator from '../sync/generator.js';
import realtimeEjectGenerator from './generator.js';

const PACKAGES = join(__dirname, '../../../..');

type Layout = 'integrated' | 'solution';
const FOLDER: Record<Layout, string> = { integrated: 'libs', solution: 'packages' };
const SOURCES = {
  nest: ['', '/publisher', '/observability', '/testing'],
  react: ['', '/tanstack-query'],
} as const;

const sourcesOf = (kernel: 'nest' | 'react'): string[] =>
  readdirSync(join(PACKAGES, kernel, 'src'), { recursive: true, encoding: 'utf-8' })
    .filter((path) => path.endsWith('.ts'))
    .sort();

const sourceOf = (kernel: 'nest' | 'react', path: string): string =>
  readFileSync(join(PACKAGES, kernel, 'src', path), 'utf-8');

const generated = (layout: Layout): (() => Promise<Tree>) =>
  copies(async () => {
    const tree = hostTree(layout);
    await realtimeDomainGenerator(tree, { name: 'Notification', clientEvents: ['markRead{id}'] });
    return tree;
  });

const versionsIn = (tree: Tree, path: string): Record<string, string> => {
  const { dependencies, devDependencies } = readJson<Record<string, Record<string, string>>>(
    tree,
    path,
  );
  return { ...dependencies, ...devDependencies };
};

it('knows what each kernel depends on', () => {
  for (const kernel of ['nest', 'react'] as const) {
    const { dependencies = {} } = JSON.parse(
      readFileSync(join(PACKAGES, kernel, 'package.json'), 'utf-8'),
    ) as { dependencies?: Record<string, string> };
    const { zod, ...others } = dependencies;
    expect(VERSIONS.ejected[kernel]).toEqual(others);
    if (zod !== undefined) expect(VERSIONS.shared.zod).toBe(zod);
  }
});

describe.each<Layout>(['integrated', 'solution'])('ejecting in the %s layout', (layout) => {
  const start = generated(layout);
  let tree: Tree;
  const rootOf = (kernel: 'nest' | 'react'): string => `${FOLDER[layout]}/realtime-${kernel}`;
  const eject = (kernel: 'nest' | 'react', undo = false): Promise<unknown> =>
    realtimeEjectGenerator(tree, { kernel, undo });

  beforeEach(async () => {
    tree = await start();
  });

  it.each(['nest', 'react'] as const)(
    'puts the sources of %s where they are found',
    async (kernel) => {
      await eject(kernel);
      const root = rootOf(kernel);
      for (const path of sourcesOf(kernel)) {
        expect([path, tree.read(`${root}/src/${path}`, 'utf-8')]).toEqual([
          path,
          sourceOf(kernel, path),
        ]);
      }
      const name = KERNELS[kernel];
      expect(versionsIn(tree, 'package.json')).not.toHaveProperty([name]);
      expect(versionsIn(tree, 'package.json')).toMatchObject({
        ...VERSIONS.ejected[kernel],
        ...VERSIONS.ejectedTypes[kernel],
      });
      if (layout === 'integrated') {
        const { compilerOptions } = readJson<{
          compilerOptions: { paths: Record<string, string[]> };
        }>(tree, 'tsconfig.base.json');
        for (const subpath of SOURCES[kernel]) {
          const [target = ''] = compilerOptions.paths[`${name}${subpath}`] ?? [];
          expect([subpath, tree.exists(target)]).toEqual([subpath, true]);
        }
      } else {
        const manifest = readJson<Record<string, unknown>>(tree, `${root}/package.json`);
        expect(manifest).not.toHaveProperty('type');
        const exports = manifest['exports'] as Record<string, string>;
        expect(Object.keys(exports)).toEqual(SOURCES[kernel].map((subpath) => `.${subpath}`));
        for (const file of Object.values(exports)) expect(tree.exists(join(root, file))).toBe(true);
        const app = kernel === 'nest' ? 'apps/api-gateway' : 'apps/web';
        expect(versionsIn(tree, `${app}/package.json`)[name]).toBe('*');
        expect(readJson<{ references: object[] }>(tree, 'tsconfig.json').references).toContainEqual(
          {
            path: `./${root}`,
          },
        );
      }
    },
  );

  it('changes no line of the domains, and nothing when it is done again', async () => {
    const before = snapshot(tree, 'apps/api-gateway/src');
    await eject('nest');
    await eject('react');
    expect(snapshot(tree, 'apps/api-gateway/src')).toEqual(before);
    const after = snapshot(tree);
    await eject('nest');
    expect(await syncGenerator(tree)).toEqual({});
    expect(snapshot(tree)).toEqual(after);
    const { findings } = await checkWorkspace(tree);
    expect(findings).toEqual([]);
  });

  it('is one library for a second app', async () => {
    await eject('nest');
    addNest(tree, 'orders', layout);
    await realtimeDomainGenerator(tree, { name: 'Chat', app: 'orders' });
    expect(
      new HostProjects(tree).list().filter(({ root }) => root === rootOf('nest')),
    ).toHaveLength(1);
    if (layout === 'solution') {
      expect(versionsIn(tree, 'apps/orders/package.json')['@nx-realtime/nest']).toBe('*');
    }
    expect(versionsIn(tree, 'package.json')).not.toHaveProperty(['@nx-realtime/nest']);
    expect((await checkWorkspace(tree)).findings).toEqual([]);
  });

  it('keeps an edit, and brings what a release changed into the file', async () => {
    await eject('nest');
    const path = `${rootOf('nest')}/src/time-limit.ts`;
    const base = `.nx-realtime/base/${path}.base`;
    // As an earlier release had it.
    const now = tree.read(path, 'utf-8') ?? '';
    const [first = ''] = now.split('\n').filter((line) => line.startsWith('export '));
    const old = now.replace(first, `// Of an earlier release.\n${first}`);
    tree.write(base, old);
    const { hashOf } = await import('../../reconcile/manifest.js');
    const manifest = tree.read('.nx-realtime/manifest.json', 'utf-8') ?? '';
    tree.write('.nx-realtime/manifest.json', manifest.replaceAll(hashOf(now), hashOf(old)));
    tree.write(path, `${old}\n// Mine.\n`);
    const { findings } = await checkWorkspace(tree);
    expect(findings).toMatchObject([{ class: 'templates-newer', path }]);
    await syncGenerator(tree);
    expect(tree.read(path, 'utf-8')).toBe(`${now}\n// Mine.\n`);
  });

  it('goes back to the package, and leaves nothing behind', async () => {
    const before = snapshot(tree);
    await eject('nest');
    await eject('react');
    await eject('nest', true);
    await eject('react', true);
    expect(tree.exists(rootOf('nest')) || tree.exists(rootOf('react'))).toBe(false);
    const after = snapshot(tree);
    expect([...after.keys()]).toEqual([...before.keys()]);
    for (const [path, text] of after) {
      const isJson = path.endsWith('.json');
      const [held, was] = [text, before.get(path) ?? ''];
      expect([path, isJson ? JSON.parse(held) : held]).toEqual([
        path,
        isJson ? JSON.parse(was) : was,
      ]);
    }
    expect(versionsIn(tree, 'package.json')['@nx-realtime/nest']).toBe(pluginVersion());
  });

  it('does not go back over edits, and names them', async () => {
    await eject('nest');
    const root = rootOf('nest');
    const edited = `${root}/src/time-limit.ts`;
    tree.write(edited, `${tree.read(edited, 'utf-8')}\n// Mine.\n`);
    tree.write(`${root}/src/mine.ts`, 'export const mine = true;\n');
    tree.write(`${root}/tsconfig.lib.json`, '{ "extends": "./tsconfig.json" }\n');
    await expect(eject('nest', true)).rejects.toThrow(
      new RegExp(
        `^RT053 [^]*${['src/mine.ts', 'src/time-limit.ts', 'tsconfig.lib.json'].map((path) => `  ${root}/${path}\\n`).join('')}`,
      ),
    );
  });

  it('is reviewed no more than a package is', async () => {
    await eject('nest');
    await eject('react');
    const { projects } = reviewWorkspace(tree, {}, () => tools);
    expect(
      projects.filter((name) => /realtime-(?:nest|react)|@nx-realtime/.test(String(name))),
    ).toEqual([]);
  });

  it('tells a package that is installed beside the library', async () => {
    await eject('nest');
    const path = 'node_modules/@nx-realtime/nest';
    const version = pluginVersion();
    tree.write('node_modules/@nx-realtime/react/package.json', JSON.stringify({ version }));
    tree.write(`${path}/package.json`, JSON.stringify({ version }));
    const { findings } = await checkWorkspace(tree);
    expect(findings).toMatchObject([
      { class: 'kernel-twice', path, message: expect.stringContaining(rootOf('nest')) },
    ]);
    await expect(syncGenerator(tree)).rejects.toThrow(
      /^RT025 .*\n.*is a library of this workspace/,
    );
  });

  it('takes a pin out that somebody put back', async () => {
    await eject('nest');
    const path = layout === 'solution' ? 'apps/api-gateway/package.json' : 'package.json';
    const json = readJson<{ dependencies: Record<string, string> }>(tree, path);
    tree.write(
      path,
      JSON.stringify({
        ...json,
        dependencies: { ...json.dependencies, '@nx-realtime/nest': '0.1.0' },
      }),
    );
    await syncGenerator(tree);
    expect(versionsIn(tree, path)['@nx-realtime/nest']).toBe(
      layout === 'solution' ? '*' : undefined,
    );
  });

  it('refuses what is no kernel here', async () => {
    await expect(realtimeEjectGenerator(tree, {})).rejects.toThrow(/^RT059/);
    await expect(eject('nest', true)).rejects.toThrow(/^RT059 @nx-realtime\/nest is no library/);
    await realtimeRemoveGenerator(tree, { domain: 'Notification' });
    await expect(eject('nest')).rejects.toThrow(/^RT059 No app/);
  });
});
