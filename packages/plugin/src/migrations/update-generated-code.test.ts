import type { Tree } from '@nx/devkit';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { age, ageManifest, agePath, baseOf, edit } from '../../test/support/aged.js';
import { copies, hostTree, snapshot } from '../../test/support/host-tree.js';
import realtimeDomainGenerator from '../generators/realtime-domain/generator.js';
import { HostProjects } from '../host/index.js';
import * as templates from '../render/renames.js';
import updateGeneratedCode from './update-generated-code.js';
import { updateProjectDependencies } from './update-project-dependencies.js';

const PACKAGE = join(__dirname, '../..');
const REALTIME = 'apps/api-gateway/src/realtime';
const GATEWAY = `${REALTIME}/notifications/notifications.gateway.ts`;
const ROOMS = `${REALTIME}/core/rooms.ts`;
const MANIFEST = '.nx-realtime/manifest.json';

let tree: Tree;
const read = (path: string): string => tree.read(path, 'utf-8') ?? '';

const renames = new Map<string, string[]>();

beforeEach(() => {
  renames.clear();
  vi.spyOn(templates, 'formerTemplates').mockReturnValue((path) => renames.get(path) ?? []);
});

const generatedIn = (layout: 'integrated' | 'solution') =>
  copies(async () => {
    const made = hostTree(layout);
    await realtimeDomainGenerator(made, { name: 'Notification', skipFormat: true });
    return made;
  });

describe.each(['integrated', 'solution'] as const)('in an %s workspace', (layout) => {
  let generated: Map<string, string>;

  const start = generatedIn(layout);

  beforeEach(async () => {
    tree = await start();
    generated = snapshot(tree);
    ageManifest(tree, '0.0.1');
  });

  it('brings the templates of this release, keeps edits, and does nothing the second time', async () => {
    age(tree, ROOMS, 'export', '// as it was\nexport');
    age(tree, GATEWAY, 'export class', '// as it was\nexport class');
    edit(tree, GATEWAY, /$/, '\nexport const mine = true;\n');
    expect(await updateGeneratedCode(tree)).toEqual([]);
    expect(read(ROOMS)).toBe(generated.get(ROOMS));
    expect(read(GATEWAY)).toBe(`${generated.get(GATEWAY)}\nexport const mine = true;\n`);
    expect(read(MANIFEST)).toBe(generated.get(MANIFEST));
    const after = snapshot(tree);
    expect(await updateGeneratedCode(tree)).toEqual([]);
    expect(snapshot(tree)).toEqual(after);
  });

  it('lists what people have to do, and updates all else', async () => {
    age(tree, ROOMS, 'export', '// as it was\nexport');
    edit(tree, ROOMS, '// as it was', '// as I want it');
    age(tree, GATEWAY, 'export class', '// as it was\nexport class');
    const marked = `${REALTIME}/setup-realtime.ts`;
    age(tree, marked, 'export', '// as it was\nexport');
    edit(tree, marked, 'export', '<<<<<<< yours\nexport');
    const lost = `${REALTIME}/core/broadcaster.ts`;
    age(tree, lost, 'export', '// as it was\nexport');
    edit(tree, baseOf(lost), '// as it was', '// by git');
    const steps = await updateGeneratedCode(tree);
    expect(steps).toHaveLength(2);
    expect(steps[0]).toMatch(/^Resolve the conflict markers/);
    expect(steps[0]).toContain(`  ${ROOMS}`);
    expect(steps[0]).toContain(`  ${marked}`);
    expect(steps[1]).toMatch(/plugin:rebase.*\n {2}.*broadcaster\.ts$/);
    expect(read(ROOMS)).toContain('<<<<<<< yours\n// as I want it\n');
    expect(read(GATEWAY)).toBe(generated.get(GATEWAY));
  });

  it('takes a file to the path that it has in this release, by several renames too', async () => {
    const importer = 'apps/api-gateway/src/app/who.ts';
    const old = `${REALTIME}/core/old-rooms.ts`;
    agePath(tree, ROOMS, old);
    edit(tree, old, /$/, '\n// mine\n');
    tree.write(importer, "import { userRoom } from '../realtime/core/old-rooms';\n\nuserRoom();\n");
    renames.set('server/core/rooms.ts', ['server/core/newer-rooms.ts', 'server/core/old-rooms.ts']);
    expect(await updateGeneratedCode(tree)).toEqual([]);
    expect(tree.exists(old) || tree.exists(baseOf(old))).toBe(false);
    expect(read(ROOMS)).toBe(`${generated.get(ROOMS)}\n// mine\n`);
    expect(read(baseOf(ROOMS))).toBe(generated.get(baseOf(ROOMS)));
    expect(read(importer)).toContain("'../realtime/core/rooms'");
    expect(read(MANIFEST)).not.toContain('old-rooms');
    const after = snapshot(tree);
    expect(await updateGeneratedCode(tree)).toEqual([]);
    expect(snapshot(tree)).toEqual(after);
  });

  it('says what is wrong with a domain file, and lets other migrations run', async () => {
    edit(tree, `${REALTIME}/notifications/notifications.domain.json`, '"string"', '"strin"');
    const before = snapshot(tree);
    expect(await updateGeneratedCode(tree)).toEqual([
      expect.stringMatching(/^RT003 .*\n.*nx sync/s),
    ]);
    expect(snapshot(tree)).toEqual(before);
  });
});

it('leaves a workspace alone that has no domain', async () => {
  tree = hostTree();
  const before = snapshot(tree);
  expect(await updateGeneratedCode(tree)).toEqual([]);
  expect(snapshot(tree)).toEqual(before);
});

describe('dependencies that a release raised', () => {
  const PROJECT = 'apps/api-gateway/package.json';
  const updates = {
    packageJsonUpdates: {
      '0.3.0': { version: '0.3.0', packages: { ioredis: { version: '^7.1.0' } } },
      '0.2.0': { version: '0.2.0', packages: { ioredis: '^7.0.0', zod: '^4.0.0' } },
    },
  };
  const versions = (): Record<string, string> => JSON.parse(read(PROJECT)).dependencies;

  const start = generatedIn('solution');

  beforeEach(async () => {
    tree = await start();
  });

  it('are raised in the projects too, never lowered', () => {
    const before = versions();
    ageManifest(tree, '0.1.1');
    updateProjectDependencies(tree, new HostProjects(tree), updates);
    expect(versions()).toEqual({ ...before, ioredis: '^7.1.0' });
  });

  it('are raised to what the root has, where Nx took a later one', () => {
    ageManifest(tree, '0.1.1');
    edit(tree, 'package.json', /"ioredis": "[^"]+"/, '"ioredis": "7.2.0"');
    updateProjectDependencies(tree, new HostProjects(tree), updates);
    expect(versions()['ioredis']).toBe('7.2.0');
  });

  it('stay where the release was run already', () => {
    const before = versions();
    ageManifest(tree, '0.3.0');
    updateProjectDependencies(tree, new HostProjects(tree), updates);
    expect(versions()).toEqual(before);
  });
});

it('names only migrations that the package holds', () => {
  const json = JSON.parse(readFileSync(join(PACKAGE, 'migrations.json'), 'utf-8'));
  for (const { implementation } of Object.values<{ implementation: string }>(json.generators)) {
    const source = implementation.replace('./dist/', 'src/');
    expect([implementation, existsSync(join(PACKAGE, `${source}.ts`))]).toEqual([
      implementation,
      true,
    ]);
  }
});
