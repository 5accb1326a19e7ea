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
const GUARD = `${REALTIME}/guards/ws-auth.guard.ts`;
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
    age(tree, GUARD, 'export', '// as it was\nexport');
    age(tree, GATEWAY, 'export class', '// as it was\nexport class');
    edit(tree, GATEWAY, /$/, '\nexport const mine = true;\n');
    expect(await updateGeneratedCode(tree)).toEqual([]);
    expect(read(GUARD)).toBe(generated.get(GUARD));
    expect(read(GATEWAY)).toBe(`${generated.get(GATEWAY)}\nexport const mine = true;\n`);
    expect(read(MANIFEST)).toBe(generated.get(MANIFEST));
    const after = snapshot(tree);
    expect(await updateGeneratedCode(tree)).toEqual([]);
    expect(snapshot(tree)).toEqual(after);
  });

  it('lists what people have to do, and updates all else', async () => {
    age(tree, GUARD, 'export', '// as it was\nexport');
    edit(tree, GUARD, '// as it was', '// as I want it');
    age(tree, GATEWAY, 'export class', '// as it was\nexport class');
    const marked = `${REALTIME}/realtime.module.ts`;
    age(tree, marked, 'export', '// as it was\nexport');
    edit(tree, marked, 'export', '<<<<<<< yours\nexport');
    const lost = `${REALTIME}/notifications/notifications-ws.consumer.ts`;
    age(tree, lost, 'export', '// as it was\nexport');
    edit(tree, baseOf(lost), '// as it was', '// by git');
    const steps = await updateGeneratedCode(tree);
    expect(steps).toHaveLength(2);
    expect(steps[0]).toMatch(/^Resolve the conflict markers/);
    expect(steps[0]).toContain(`  ${GUARD}`);
    expect(steps[0]).toContain(`  ${marked}`);
    expect(steps[1]).toMatch(/plugin:rebase.*\n {2}.*notifications-ws\.consumer\.ts$/);
    expect(read(GUARD)).toContain('<<<<<<< yours\n// as I want it\n');
    expect(read(GATEWAY)).toBe(generated.get(GATEWAY));
  });

  it('takes a file to the path that it has in this release, by several renames too', async () => {
    const importer = 'apps/api-gateway/src/app/who.ts';
    const old = `${REALTIME}/guards/old.guard.ts`;
    agePath(tree, GUARD, old);
    edit(tree, old, /$/, '\n// mine\n');
    tree.write(
      importer,
      "import { WsAuthGuard } from '../realtime/guards/old.guard';\n\nnew WsAuthGuard();\n",
    );
    renames.set('server/guards/ws-auth.guard.ts', [
      'server/guards/newer.guard.ts',
      'server/guards/old.guard.ts',
    ]);
    expect(await updateGeneratedCode(tree)).toEqual([]);
    expect(tree.exists(old) || tree.exists(baseOf(old))).toBe(false);
    expect(read(GUARD)).toBe(`${generated.get(GUARD)}\n// mine\n`);
    expect(read(baseOf(GUARD))).toBe(generated.get(baseOf(GUARD)));
    expect(read(importer)).toContain("'../realtime/guards/ws-auth.guard'");
    expect(read(MANIFEST)).not.toContain('old.guard');
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
