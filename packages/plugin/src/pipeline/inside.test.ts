import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Tree } from '@nx/devkit';
import fc from 'fast-check';
import { FsTree, flushChanges } from 'nx/src/generators/tree';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { hostTree, snapshot } from '../../test/support/host-tree.js';
import realtimeDomainGenerator from '../generators/realtime-domain/generator.js';
import rebaseGenerator from '../generators/rebase/generator.js';
import syncGenerator from '../generators/sync/generator.js';

const DOMAIN = 'apps/api-gateway/src/realtime/notifications/notifications.domain.json';
const MANIFEST = '.nx-realtime/manifest.json';

describe('files of a branch that somebody else wrote', () => {
  let outer: string;
  let root: string;
  const victim = () => join(outer, 'victim.ts');

  /** The workspace on disk, as a checkout has it. */
  const checkout = (): Tree => new FsTree(root, false);

  const edit = (path: string, change: (value: Record<string, unknown>) => unknown) => {
    const tree = checkout();
    const text = JSON.parse(tree.read(path, 'utf-8') ?? '') as Record<string, unknown>;
    writeFileSync(join(root, path), JSON.stringify(change(text), null, 2));
  };

  beforeEach(async () => {
    outer = mkdtempSync(join(tmpdir(), 'nx-realtime-inside-'));
    root = join(outer, 'workspace');
    mkdirSync(root);
    writeFileSync(victim(), 'mine\n');
    const tree = hostTree();
    await realtimeDomainGenerator(tree, { name: 'Notification', skipFormat: true });
    for (const [path, content] of snapshot(tree)) {
      mkdirSync(dirname(join(root, path)), { recursive: true });
      writeFileSync(join(root, path), content);
    }
  });

  afterEach(() => rmSync(outer, { recursive: true, force: true }));

  it.each([
    ['authStore', '../../../store/auth.ts', /RT026/],
    ['authStore', "src/x.ts';evil();'", /RT007/],
    ['requestContext', "@acme/x';evil();//", /RT007/],
    ['requestContext', '../../../victim.ts', /RT009/],
    ['contracts', '../..', /RT007/],
    ['contracts', 'shared/..', /RT007/],
    ['contracts', "a'b", /RT007/],
  ])('%s: %j is refused, and nothing is written outside', async (member, value, code) => {
    edit(DOMAIN, (file) => ({ ...file, [member]: value }));
    for (const run of [syncGenerator, rebaseGenerator]) {
      const tree = checkout();
      const failure = await Promise.resolve(run(tree)).then(
        () => flushChanges(root, tree.listChanges()),
        (error: Error) => error.message,
      );
      if (run === syncGenerator) expect(failure).toMatch(code);
    }
    expect(readdirSync(outer)).toEqual(['victim.ts', 'workspace']);
    expect(readFileSync(victim(), 'utf-8')).toBe('mine\n');
  });

  it.each([
    '../victim.ts',
    '/etc/victim.ts',
    'apps/../../victim.ts',
    'apps\\..\\victim.ts',
    'C:/victim.ts',
  ])('a manifest that names %s is refused', async (path) => {
    edit(MANIFEST, ({ files, ...rest }) => ({
      ...rest,
      files: { ...(files as object), [path]: { owner: 'merged', base: '0'.repeat(64) } },
    }));
    await expect(syncGenerator(checkout())).rejects.toThrow(/^RT021 .*outside/);
  });

  it('a link that leads out of the workspace is followed by no write', async () => {
    mkdirSync(join(outer, 'elsewhere'));
    const folder = join(root, 'apps/web/src/stores');
    cpSync(folder, join(outer, 'elsewhere'), { recursive: true });
    rmSync(folder, { recursive: true });
    symlinkSync(join(outer, 'elsewhere'), folder);
    rmSync(join(outer, 'elsewhere/auth.store.ts'));
    edit(MANIFEST, ({ files, ...rest }) => ({
      ...rest,
      files: Object.fromEntries(
        Object.entries(files as object).filter(([path]) => !path.endsWith('auth.store.ts')),
      ),
    }));
    await expect(syncGenerator(checkout())).rejects.toThrow(
      /^RT026 .*\n {2}apps\/web\/src\/stores\/auth\.store\.ts$/s,
    );
  });

  it('strings of any kind put no code into a workspace', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom('contracts', 'authStore', 'requestContext', 'namespace'),
        fc.string({ unit: fc.constantFrom(...`'"\`\\/.;$\n{}()ab`), minLength: 1, maxLength: 12 }),
        async (member, text) => {
          const tree = hostTree();
          await realtimeDomainGenerator(tree, { name: 'Notification', skipFormat: true });
          const before = snapshot(tree);
          const file = JSON.parse(before.get(DOMAIN) ?? '') as object;
          tree.write(DOMAIN, JSON.stringify({ ...file, [member]: text }));
          const done = await syncGenerator(tree).catch(() => undefined);
          if (done === undefined) return;
          expect(text).not.toMatch(/['"`\\\n]/);
        },
      ),
      { numRuns: 60, seed: 1 },
    );
  });
});
