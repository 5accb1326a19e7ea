/**
 * `npm run scale [-- <domains>]`: how generating, syncing and checking grow with the domains of a
 * workspace. Prints the milliseconds of processor time of each at a quarter, a half and all of the domains (default
 * 100, of 10 events each), in a workspace on the disk.
 */
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Tree } from '@nx/devkit';
import { FsTree, flushChanges } from 'nx/src/generators/tree';
import { topicFile, topicName } from '../e2e/bench/topics.js';
import { REPO } from '../e2e/support/repo.js';
import { checkWorkspace } from '../packages/plugin/src/check/index.js';
import * as domainGenerator from '../packages/plugin/src/generators/realtime-domain/generator.js';
import * as syncGenerator from '../packages/plugin/src/generators/sync/generator.js';
import { hostTree, snapshot } from '../packages/plugin/test/support/host-tree.js';

const most = Number(process.argv[2] ?? 100);
const root = mkdtempSync(join(tmpdir(), 'nx-realtime-scale-'));
const sync = defaultOf<(tree: Tree) => Promise<unknown>>(syncGenerator);
const generate = defaultOf<(tree: Tree, options: object) => Promise<unknown>>(domainGenerator);

try {
  for (const [path, text] of snapshot(hostTree())) write(path, text);
  // Formatted as in a real workspace.
  write('.prettierrc', '{ "singleQuote": true }\n');
  mkdirSync(join(root, 'node_modules'));
  symlinkSync(join(REPO, 'node_modules/prettier'), join(root, 'node_modules/prettier'));
  let made = 0;
  for (const size of [most / 4, most / 2, most].map(Math.ceil)) {
    while (made < size - 1) write(...topicFile(made++));
    await change(sync);
    const name = topicName(made++);
    const one = await time(() => change((tree) => generate(tree, { name, ...eventsOf('string') })));
    const nothing = await time(() => change(sync));
    const green = await time(() => checkWorkspace(new FsTree(root, false)));
    for (let index = 0; index < size; index += 1) write(...topicFile(index, 'uuid'));
    const red = await time(() => checkWorkspace(new FsTree(root, false)));
    const all = await time(() => change(sync));
    const figures = {
      one,
      'sync of nothing': nothing,
      'check, green': green,
      'check, all red': red,
      'sync of all': all,
    };
    const printed = Object.entries(figures).map(
      ([what, value]) => `${what} ${value.toFixed(0)} ms`,
    );
    console.log(`${size} domains: ${printed.join(', ')}`);
  }
} finally {
  rmSync(root, { recursive: true, force: true });
}

function eventsOf(type: string): { serverEvents: string[]; clientEvents: string[] } {
  const five = [0, 1, 2, 3, 4];
  return {
    serverEvents: five.map((event) => `pushed${event}{id:${type},n:number}`),
    clientEvents: five.map((event) => `asked${event}{id:${type},mood?:enum(a|b)}`),
  };
}

async function change(run: (tree: Tree) => Promise<unknown>): Promise<void> {
  const tree = new FsTree(root, false);
  await run(tree);
  flushChanges(root, tree.listChanges());
}

async function time(run: () => Promise<unknown>): Promise<number> {
  const started = process.cpuUsage();
  await run();
  const { user, system } = process.cpuUsage(started);
  return (user + system) / 1_000;
}

function write(path: string, text: string): void {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), text);
}

/** Of a CommonJS module, which is the default itself or holds it. */
function defaultOf<T>(loaded: { readonly default: unknown }): T {
  const inner = loaded.default;
  return (typeof inner === 'function' ? inner : (inner as { default: unknown }).default) as T;
}
