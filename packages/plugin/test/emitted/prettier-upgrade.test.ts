import type { Tree } from '@nx/devkit';
import {
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { FsTree, flushChanges } from 'nx/src/generators/tree';
import { afterEach, describe, expect, it } from 'vitest';
import { hostTree, snapshot } from '../support/host-tree.js';
import realtimeDomainGenerator from '../../src/generators/realtime-domain/generator.js';
import realtimeEventGenerator from '../../src/generators/realtime-event/generator.js';
import realtimeRemoveGenerator from '../../src/generators/realtime-remove/generator.js';
import syncGenerator from '../../src/generators/sync/generator.js';
import { checkWorkspace } from '../../src/check/index.js';
import { pluginVersion } from '../../src/reconcile/index.js';

type Prettier = Pick<typeof import('prettier'), 'clearConfigCache' | 'format' | 'resolveConfig'>;

const REPO = join(__dirname, '../../../..');
const SERVICE = 'apps/api-gateway/src/realtime/notifications/notifications.service.ts';
const OWN = '    await this.own(payload, identity);\n';
/** A type that minors of Prettier lay out in different ways. */
const REASON = `
export type Reason =
  | 'forwarded'
  | 'snoozed'
  | 'archived'
  | 'deleted';
`;
/** As a generator of Nx writes it. */
const USUAL = '{ "singleQuote": true }\n';
const OTHER = '{ "printWidth": 100, "tabWidth": 4, "trailingComma": "none", "semi": false }\n';

/** From where Prettier is taken, before and after, and what configures it. */
const UPGRADES: [string, before: Setup, after: Setup][] = [
  ['of the last major', { from: 'e2e/prettier2' }, { from: '.' }],
  ['of an older minor', { from: 'e2e/prettier36' }, { from: '.' }],
  ['with another configuration', { from: '.' }, { from: '.', config: OTHER }],
];

interface Setup {
  /** A folder of this repository. */
  readonly from: string;
  readonly config?: string;
}

let root: string;

afterEach(() => rmSync(root, { recursive: true, force: true }));

const read = (path: string): string => readFileSync(join(root, path), 'utf8');

function write(path: string, text: string): void {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), text);
}

async function run<T>(generator: (tree: Tree) => Promise<T>): Promise<T> {
  const tree = new FsTree(root, false);
  const result = await generator(tree);
  flushChanges(root, tree.listChanges());
  return result;
}

const generated = (): string[] =>
  [...snapshot(new FsTree(root, false)).keys()].filter((path) =>
    /^(?:apps|libs)\/.*realtime.*\.tsx?$/.test(path),
  );

async function install({ from, config = USUAL }: Setup): Promise<Prettier> {
  const entry = createRequire(join(REPO, from, 'package.json')).resolve('prettier');
  const link = join(root, 'node_modules/prettier');
  rmSync(link, { force: true });
  mkdirSync(dirname(link), { recursive: true });
  symlinkSync(dirname(realpathSync(entry)), link, 'junction');
  write('.prettierrc', config);
  const loaded = (await import(pathToFileURL(entry).href)) as { default: Prettier };
  await loaded.default.clearConfigCache();
  return loaded.default;
}

async function reformatted(prettier: Prettier, path: string): Promise<string> {
  const filepath = join(root, path);
  const options = await prettier.resolveConfig(filepath);
  return prettier.format(read(path), { ...options, filepath });
}

describe.each(UPGRADES)('a Prettier %s', (_, before, after) => {
  it('is nothing to find, to bring or to resolve', { timeout: 120_000 }, async () => {
    root = mkdtempSync(join(tmpdir(), 'prettier-upgrade-'));
    for (const [path, text] of snapshot(hostTree())) write(path, text);
    for (const name of ['nest', 'react']) {
      const manifest = { name: `@nx-realtime/${name}`, version: pluginVersion() };
      write(`node_modules/@nx-realtime/${name}/package.json`, JSON.stringify(manifest));
    }
    await install(before);
    for (const name of ['Notification', 'Chat']) {
      await run((tree) =>
        realtimeDomainGenerator(tree, { name, clientEvents: ['mark{id,at:datetime}'] }),
      );
    }
    write(SERVICE, read(SERVICE).replace(/ {4}\/\/ In place[^]*?;\n/, OWN) + REASON);
    expect(read(SERVICE)).toContain(OWN);

    const prettier = await install(after);
    const changed: string[] = [];
    for (const path of generated()) {
      const text = await reformatted(prettier, path);
      if (text === read(path)) continue;
      // As where only what a commit touches is formatted.
      if (changed.push(path) % 2 === 1) write(path, text);
    }
    expect(changed.length).toBeGreaterThan(0);

    const held = snapshot(new FsTree(root, false));
    await expectQuiet();
    await run((tree) => realtimeDomainGenerator(tree, { name: 'Notification' }));
    expect(snapshot(new FsTree(root, false))).toEqual(held);

    await run((tree) =>
      realtimeEventGenerator(tree, {
        domain: 'Notification',
        event: 'snooze{id,until:datetime}',
        direction: 'client',
      }),
    );
    expect(generated().filter((path) => read(path).includes('<<<<<<<'))).toEqual([]);
    expect(read(SERVICE)).toMatch(/async snooze\(/);
    expect(read(SERVICE)).toMatch(/^ +await this\.own\(payload, identity\);?$/m);

    // What nobody has edited is not taken for edited.
    await run((tree) => realtimeRemoveGenerator(tree, { domain: 'Chat' }));
    expect(generated().filter((path) => path.includes('chats'))).toEqual([]);
    await expectQuiet();
  });
});

async function expectQuiet(): Promise<void> {
  expect((await checkWorkspace(new FsTree(root, false))).findings).toEqual([]);
  expect(await run(syncGenerator)).toEqual({});
}
