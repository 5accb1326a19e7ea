import type { Tree } from '@nx/devkit';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { edit as editIn } from '../../test/support/aged.js';
import { copies, hostTree, snapshot } from '../../test/support/host-tree.js';
import initGenerator from '../generators/init/generator.js';
import realtimeDomainGenerator from '../generators/realtime-domain/generator.js';
import realtimeRemoveGenerator from '../generators/realtime-remove/generator.js';
import syncGenerator from '../generators/sync/generator.js';
import { pluginVersion } from '../reconcile/index.js';
import updateGeneratedCode from '../migrations/update-generated-code.js';
import { specIn } from '../wiring/host/packages.js';
import { checkWorkspace } from './index.js';

const VERSION = pluginVersion();
const NEST = '@nx-realtime/nest';
const REACT = '@nx-realtime/react';
const APP = 'apps/api-gateway';

let tree: Tree;
const read = (path: string): string => tree.read(path, 'utf-8') ?? '';
const edit = (path: string, from: string | RegExp, to: string): void =>
  editIn(tree, path, from, to);
const generate = (options = {}) =>
  realtimeDomainGenerator(tree, { name: 'Notification', skipFormat: true, ...options });
const ranges = (path = 'package.json'): Record<string, string> => {
  const { dependencies, devDependencies } = JSON.parse(read(path));
  return { ...devDependencies, ...dependencies };
};

/** Puts a package into a folder as a package manager does. */
function install(name: string, version = VERSION, folder = ''): void {
  tree.write(`${folder}node_modules/${name}/package.json`, JSON.stringify({ name, version }));
}

const uninstall = (name: string): void => tree.delete(`node_modules/${name}/package.json`);

/** The lockfile as `npm install` writes it. */
function lock(packages: Record<string, string>): void {
  const entries = Object.entries(packages).map(([key, version]) => [key, { version }]);
  tree.write('package-lock.json', JSON.stringify({ packages: Object.fromEntries(entries) }));
}

async function check(): Promise<{ class: string; path: string; message: string; fix?: string }[]> {
  const before = snapshot(tree);
  const { findings } = await checkWorkspace(tree);
  for (const path of snapshot(tree).keys()) if (!before.has(path)) tree.delete(path);
  for (const [path, text] of before) if (read(path) !== text) tree.write(path, text);
  return findings.map(({ class: name, path, message, fix }) => ({
    class: name,
    path,
    message,
    ...(fix !== undefined && { fix }),
  }));
}

/** Error of sync. */
const refusal = () =>
  syncGenerator(tree).then(
    (result) => expect.fail(`sync was green: ${JSON.stringify(result)}`),
    (error: Error) => error.message,
  );

const generatedIn = (layout: 'integrated' | 'solution') =>
  copies(async () => {
    tree = hostTree(layout);
    tree.write('package-lock.json', '{ "packages": {} }');
    await generate();
    return tree;
  });

describe.each(['integrated', 'solution'] as const)('in an %s workspace', (layout) => {
  const start = generatedIn(layout);
  const manifests =
    layout === 'solution' ? ['package.json', `${APP}/package.json`] : ['package.json'];

  beforeEach(async () => {
    tree = await start();
    install(NEST);
    install(REACT);
  });

  it('the kernels are pinned to the version of the plugin', async () => {
    for (const path of manifests) expect([path, ranges(path)[NEST]]).toEqual([path, VERSION]);
    expect(ranges()[REACT]).toBe(VERSION);
    if (layout === 'solution') {
      expect(ranges(`${APP}/package.json`)).not.toHaveProperty(REACT);
      expect(ranges('apps/web/package.json')).toMatchObject({ [REACT]: VERSION });
      expect(ranges('apps/web/package.json')).not.toHaveProperty(NEST);
    }
    expect(await check()).toEqual([]);
    expect(await syncGenerator(tree)).toEqual({});
  });

  it.each(['^0.0.9', '0.0.9', `^${VERSION}`])(
    'a pin that is %s is told, and sync writes it',
    async (range) => {
      for (const path of manifests) edit(path, `"${NEST}": "${VERSION}"`, `"${NEST}": "${range}"`);
      expect(await check()).toEqual(
        manifests.map((path) => ({
          class: 'kernel-version',
          path,
          message: `It names ${NEST} ${range}, and @nx-realtime/plugin is ${VERSION}.`,
          fix: 'nx sync, then npm install',
        })),
      );
      const { outOfSyncDetails } = await syncGenerator(tree);
      expect(outOfSyncDetails).toEqual(
        manifests.map((path) => `completed ${path}: run npm install`),
      );
      for (const path of manifests) expect(ranges(path)[NEST]).toBe(VERSION);
      expect(await syncGenerator(tree)).toEqual({});
    },
  );

  it('a migration moves the pins of every package.json', async () => {
    for (const path of manifests) edit(path, `"${NEST}": "${VERSION}"`, `"${NEST}": "0.0.9"`);
    const own = manifests.filter((path) => path !== 'package.json');
    expect(await updateGeneratedCode(tree)).toEqual(
      // Nx installs by itself what the root names.
      own.map((path) => `Run npm install, for other versions are named in:\n  ${path}`),
    );
    for (const path of manifests) expect(ranges(path)[NEST]).toBe(VERSION);
  });

  it('a pin that lacks is told, and sync adds it', async () => {
    for (const path of manifests) edit(path, new RegExp(`\\s*"${NEST}": "[^"]+",?`), '');
    expect(await check()).toEqual(
      manifests.map((path) => ({
        class: 'kernel-missing',
        path,
        message: `It does not name ${NEST}, which the generated code imports.`,
        fix: 'nx sync, then npm install',
      })),
    );
    await syncGenerator(tree);
    expect(await check()).toEqual([]);
  });

  it('a pin that is later than the plugin stays, and both say how the plugin follows', async () => {
    edit('package.json', `"${NEST}": "${VERSION}"`, `"${NEST}": "99.0.0"`);
    const fix = 'nx migrate @nx-realtime/plugin@99.0.0';
    expect(await check()).toMatchObject([{ class: 'kernel-version', path: 'package.json', fix }]);
    expect(await refusal()).toContain(fix);
    expect(ranges()[NEST]).toBe('99.0.0');
  });

  it('what is not a version is left to its owner', async () => {
    edit('package.json', `"${NEST}": "${VERSION}"`, `"${NEST}": "workspace:*"`);
    expect(await syncGenerator(tree)).toEqual({});
  });

  it('another version that is installed is told, by sync too', async () => {
    install(NEST, '0.0.9');
    const finding = {
      class: 'kernel-version',
      path: `node_modules/${NEST}`,
      message: `${NEST} is 0.0.9, and @nx-realtime/plugin is ${VERSION}: they are released and tested together.`,
      fix: 'npm install',
    };
    expect(await check()).toEqual([finding]);
    const message = await refusal();
    expect(message).toMatch(/^RT025 /);
    expect(message).toContain(`${finding.message}\n  To fix: ${finding.fix}`);
    install(NEST, '99.0.0');
    expect(await check()).toMatchObject([{ fix: 'nx migrate @nx-realtime/plugin@99.0.0' }]);
  });

  it('a kernel that is not installed is told, by sync too', async () => {
    uninstall(REACT);
    expect(await check()).toEqual([
      {
        class: 'kernel-missing',
        path: 'package.json',
        message: `${REACT} is not installed; generated code imports it.`,
        fix: 'npm install',
      },
    ]);
    expect(await refusal()).toContain(`${REACT} is not installed`);
  });

  it('the lockfile counts where nothing is in folders', async () => {
    uninstall(NEST);
    uninstall(REACT);
    lock({ [`node_modules/${NEST}`]: '0.0.9', [`node_modules/${REACT}`]: VERSION });
    expect(await check()).toMatchObject([{ class: 'kernel-version', path: 'package-lock.json' }]);
  });

  it('nothing is told before a first install', async () => {
    uninstall(NEST);
    uninstall(REACT);
    tree.delete('package-lock.json');
    expect(await check()).toEqual([]);
  });

  it.each([
    ['of an app', `${APP}/`, '0.0.9'],
    ['of an app, at the same version', `${APP}/`, VERSION],
    ['of another package', 'node_modules/feature/', VERSION],
  ])('a second copy is told: %s', async (_, folder, version) => {
    install(NEST, version, folder);
    const second = `${folder}node_modules/${NEST}`;
    lock({ [`node_modules/${NEST}`]: VERSION, [second]: version });
    expect(await check()).toEqual([
      {
        class: 'kernel-twice',
        path: second,
        message: `${NEST} is installed twice, ${VERSION} in node_modules/${NEST} and ${version} in ${second}: code that imports one does not know the other.`,
        fix: 'npm dedupe',
      },
    ]);
    expect(await refusal()).toContain('npm dedupe');
  });

  it('two apps with a copy each are two processes', async () => {
    uninstall(NEST);
    install(NEST, VERSION, `${APP}/`);
    install(NEST, VERSION, 'apps/web/');
    expect(await check()).toEqual([]);
  });
});

describe.each(['integrated', 'solution'] as const)(
  'where the plugin came from a tarball, in an %s workspace',
  (layout) => {
    const folder = mkdtempSync(join(tmpdir(), 'nx-realtime-tarballs-'));
    const KEPT = '.nx-realtime/packages';
    const WEBPACK = `${APP}/webpack.config.js`;
    const fileOf = (name: string, version = VERSION): string =>
      `nx-realtime-${name}-${version}.tgz`;
    const pack = (name: string, version = VERSION): void =>
      writeFileSync(join(folder, fileOf(name, version)), `${name} ${version}`);
    const addPlugin = (spec: string): void =>
      edit(
        'package.json',
        '"devDependencies": {',
        `"devDependencies": { "@nx-realtime/plugin": "${spec}"`,
      );

    afterAll(() => rmSync(folder, { recursive: true }));

    beforeEach(() => {
      for (const name of ['plugin', 'nest', 'react', 'eslint-plugin']) pack(name);
      tree = hostTree(layout);
      tree.write('package-lock.json', '{ "packages": {} }');
      tree.write(
        WEBPACK,
        'module.exports = { plugins: [new NxAppWebpackPlugin({ assets: [] })] };\n',
      );
      install(NEST);
      install(REACT);
      addPlugin(`file:${join(folder, fileOf('plugin'))}`);
    });

    it('the packages are copied into the workspace, and named there', async () => {
      await generate();
      for (const name of ['plugin', 'nest', 'react']) {
        const path = `${KEPT}/${fileOf(name)}`;
        expect([name, read(path)]).toEqual([name, `${name} ${VERSION}`]);
        expect(ranges()[`@nx-realtime/${name}`]).toBe(`file:${path}`);
      }
      if (layout === 'solution') {
        // npm takes the root's for it.
        expect(ranges(`${APP}/package.json`)[NEST]).toBe(VERSION);
        expect(ranges('apps/web/package.json')[REACT]).toBe(VERSION);
      }
      rmSync(join(folder, fileOf('nest')));
      const before = snapshot(tree);
      expect(await check()).toEqual([]);
      expect(await syncGenerator(tree)).toEqual({});
      await generate();
      expect(snapshot(tree)).toEqual(before);
    });

    it('they are there as soon as the plugin is, so that what is committed then can be cloned', async () => {
      await initGenerator(tree);
      expect(ranges()['@nx-realtime/plugin']).toBe(`file:${KEPT}/${fileOf('plugin')}`);
      expect(tree.children(KEPT).sort()).toEqual(
        ['nest', 'plugin', 'react'].map((name) => fileOf(name)),
      );
      expect(ranges()).not.toHaveProperty(NEST);
      const before = snapshot(tree);
      await initGenerator(tree);
      expect(snapshot(tree)).toEqual(before);
    });

    it('a build of the server copies its kernel, as long as there is one', async () => {
      await generate();
      expect(read(WEBPACK)).toContain(
        `assets: [{ input: '../../${KEPT}', glob: 'nx-realtime-nest-*.tgz', output: '${KEPT}' }]`,
      );
      edit(
        'package.json',
        /"@nx-realtime\/plugin": "[^"]+"/,
        `"@nx-realtime/plugin": "${VERSION}"`,
      );
      await syncGenerator(tree);
      expect(read(WEBPACK)).toContain('assets: []');
      expect(ranges()[NEST]).toBe(VERSION);
      expect(tree.children(KEPT)).toEqual([]);
    });

    it('a web app that comes later finds its kernel', async () => {
      await generate({ web: 'none' });
      expect(ranges()).not.toHaveProperty(REACT);
      rmSync(join(folder, fileOf('react')));
      await generate({ name: 'Chat', web: 'web' });
      expect(ranges()[REACT]).toBe(`file:${KEPT}/${fileOf('react')}`);
    });

    it('tarballs that are in the workspace stay where they are', async () => {
      for (const name of ['plugin', 'nest', 'react']) tree.write(`vendor/${fileOf(name)}`, name);
      edit('package.json', /file:[^"]*plugin-/, 'file:vendor/nx-realtime-plugin-');
      await generate();
      expect(ranges()[NEST]).toBe(`file:vendor/${fileOf('nest')}`);
      expect(read(WEBPACK)).toContain("input: '../../vendor'");
      expect(tree.exists(KEPT)).toBe(false);
      expect(await syncGenerator(tree)).toEqual({});
    });

    it('the message says which files lack, and where', async () => {
      rmSync(join(folder, fileOf('nest')));
      rmSync(join(folder, fileOf('react')));
      await expect(generate()).rejects.toThrow(
        new RegExp(
          `^RT042 .*${folder}.*Put ${fileOf('nest')} and ${fileOf('react')} into that folder`,
        ),
      );
    });

    it('a kernel that was installed by hand from elsewhere is taken in too', async () => {
      rmSync(join(folder, fileOf('react')));
      const own = mkdtempSync(join(folder, 'own-'));
      writeFileSync(join(own, fileOf('react')), 'mine');
      edit(
        'package.json',
        '"dependencies": {',
        `"dependencies": { "${REACT}": "file:${own}/${fileOf('react')}",`,
      );
      await generate();
      expect(ranges()[REACT]).toBe(`file:${KEPT}/${fileOf('react')}`);
      expect(read(`${KEPT}/${fileOf('react')}`)).toBe('mine');
    });

    it('what is left of another version is removed, and all with the last domain', async () => {
      await generate();
      tree.write(`${KEPT}/${fileOf('nest', '0.0.9')}`, 'old');
      edit('package.json', `${KEPT}/${fileOf('nest')}`, `${KEPT}/${fileOf('nest', '0.0.9')}`);
      await syncGenerator(tree);
      expect(ranges()[NEST]).toBe(`file:${KEPT}/${fileOf('nest')}`);
      expect(tree.exists(`${KEPT}/${fileOf('nest', '0.0.9')}`)).toBe(false);
      await realtimeRemoveGenerator(tree, { domain: 'Notification' });
      expect(ranges()).not.toHaveProperty(NEST);
      expect(read(WEBPACK)).toContain('assets: []');
    });
  },
);

it.each([
  ['npm takes the copy of the root for its version', 'npm', 'file:kept/nest-1.2.3.tgz', '1.2.3'],
  [
    'others know a tarball by its path',
    'pnpm',
    'file:kept/nest-1.2.3.tgz',
    'file:../../kept/nest-1.2.3.tgz',
  ],
  ['a version is the same everywhere', 'yarn', '1.2.3', '1.2.3'],
])('a project names a kernel as its package manager finds it: %s', (_, manager, spec, expected) => {
  expect(specIn('apps/api', spec, manager)).toBe(expected);
});
