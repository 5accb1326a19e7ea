import * as parser from '@typescript-eslint/parser';
import { cpSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { FsTree } from 'nx/src/generators/tree';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import realtimeDomainGenerator from '../../src/generators/realtime-domain/generator.js';
import { reviewWorkspace } from '../../src/review/index.js';
import type { Review, Tools } from '../../src/review/index.js';
import { hostTree, snapshot } from '../support/host-tree.js';
import {
  lockOf,
  mainOf,
  placed,
  projectInto,
  REPO,
  reviewRoot,
  tools,
  writeInto,
} from '../support/review-root.js';
import { HARD_SHAPES, renderShape, SHAPES } from '../support/shapes.js';

/** How many workspaces share what was parsed of the libraries: each keeps a program of its own in memory. */
const SHARED = 4;

/** Each test has a folder of its own, so what the parser keeps of others is never out of date. */
const keeping = { ...tools, parser: { ...parser, clearCaches: undefined } } as unknown as Tools;

let root: string;
let reviewed = 0;

beforeEach(() => {
  root = reviewRoot();
});

afterEach(() => {
  rmSync(root, { recursive: true, force: true });
  reviewed += 1;
  if (reviewed % SHARED === 0) parser.clearCaches();
});

const review = (): Review => reviewWorkspace(new FsTree(root, false), {}, () => keeping);

describe('a review of what the plugin generates', { timeout: 60_000 }, () => {
  it.each(
    [...SHAPES, ...HARD_SHAPES].flatMap((shape) => [
      [shape.name, 'typed', shape] as const,
      [shape.name, 'untyped', shape] as const,
    ]),
  )('has no finding: %s, %s', (_name, kind, shape) => {
    for (const { path, content } of renderShape(shape)) writeInto(root, path, content);
    if (kind === 'typed') {
      writeInto(
        root,
        'tsconfig.json',
        '{ "compilerOptions": { "target": "es2022", "module": "esnext", "moduleResolution": "bundler", "jsx": "preserve", "experimentalDecorators": true, "types": [] } }',
      );
    }
    for (const { root: folder } of [...shape.host.apps.values(), ...shape.host.webs.values()]) {
      projectInto(root, folder);
    }
    const api = 'apps/api-gateway/src';
    writeInto(
      root,
      `${api}/main.ts`,
      mainOf(
        `await setupRealtime(app);\n  await app.listen(3000);`,
        `import { setupRealtime } from '@nx-realtime/nest';`,
      ),
    );
    writeInto(
      root,
      `${api}/app.module.ts`,
      `import { Module } from '@nestjs/common';\nimport { RealtimeModule } from './realtime/realtime.module';\n@Module({ imports: [RealtimeModule] })\nexport class AppModule {}\n`,
    );
    const result = review();
    expect(result.projects).toContain('api-gateway');
    expect(placed(result)).toEqual([]);
    expect(result.unknown).toEqual([]);
    expect(result.untyped.length > 0).toBe(kind === 'untyped');
  });

  it.each(['integrated', 'solution'] as const)(
    'has none as wired into a %s host',
    async (layout) => {
      const tree = hostTree(layout);
      await realtimeDomainGenerator(tree, { name: 'Notification', clientEvents: ['markRead{id}'] });
      await realtimeDomainGenerator(tree, { name: 'Chat', rooms: 'resource' });
      for (const [path, text] of snapshot(tree)) writeInto(root, path, text);
      writeInto(root, 'package-lock.json', lockOf({}));
      const result = review();
      expect(result.projects.map((name) => name.split('/').at(-1))).toEqual(
        expect.arrayContaining(['api-gateway', 'web']),
      );
      expect(placed(result)).toEqual([]);
      expect(result.unknown).toEqual([]);
    },
  );
});

describe('a review of our own packages', { timeout: 300_000 }, () => {
  const packages = readdirSync(join(REPO, 'packages'));

  it.each(['typed', 'untyped'])('has no finding: %s', (kind) => {
    for (const name of packages) {
      const folder = `packages/${name}`;
      cpSync(join(REPO, folder, 'src'), join(root, folder, 'src'), { recursive: true });
      projectInto(root, folder);
      if (kind === 'untyped') continue;
      for (const path of ['tsconfig.base.json', `${folder}/tsconfig.json`]) {
        cpSync(join(REPO, path), join(root, path));
      }
    }
    const result = review();
    expect(result.projects).toEqual(expect.arrayContaining(['nest', 'react']));
    expect(placed(result)).toEqual([]);
    expect(result.unknown).toEqual([]);
    expect(result.untyped.length > 0).toBe(kind === 'untyped');
  });
});
