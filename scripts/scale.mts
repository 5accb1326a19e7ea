/**
 * `npm run scale [-- <domains>]`: how generating, syncing and checking grow with the domains of a
 * workspace. Prints the milliseconds of processor time of each at a quarter, a half and all of the domains (default
 * 100, of 10 events each), in a workspace on the disk.
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
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

const MANIFEST = '.nx-realtime/manifest.json';
const most = Number(process.argv[2] ?? 100);
const root = mkdtempSync(join(tmpdir(), 'nx-realtime-scale-'));
const sync = defaultOf<(tree: Tree) => Promise<unknown>>(syncGenerator);
const generate = defaultOf<(tree: Tree, options: object) => Promise<unknown>>(domainGenerator);

try {
  for (const [path, text] of snapshot(hostTree())) write(path, text);
  // Formatted as in a real workspace.
  write('.prettierrc', '{ "singleQuote": true }\n');
  mkdirSync(join(root, 'node_modules/@nx-realtime'), { recursive: true });
  for (const kernel of ['nest', 'react']) {
    symlinkSync(join(REPO, 'packages', kernel), join(root, 'node_modules/@nx-realtime', kernel));
  }
  symlinkSync(join(REPO, 'node_modules/prettier'), join(root, 'node_modules/prettier'));
  let made = 0;
  for (const size of [most / 4, most / 2, most].map(Math.ceil)) {
    while (made < size - 1) write(...topicFile(made++));
    await change(sync);
    const name = topicName(made++);
    const one = await time(() => change((tree) => generate(tree, { name, ...eventsOf('string') })));
    const nothing = await time(() => change(sync));
    const green = await time(check);
    const wrong = await withWrongBase('other text', check);
    const lost = await withWrongBase('other hash', check);
    for (let index = 0; index < size; index += 1) write(...topicFile(index, 'uuid'));
    const red = await time(check);
    const all = await time(() => change(sync));
    const figures = {
      one,
      'sync of nothing': nothing,
      'check, green': green,
      'check, a wrong base': wrong,
      'check, a base that nothing fits': lost,
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

function check(): Promise<unknown> {
  return checkWorkspace(new FsTree(root, false));
}

/** Cost with the base of one gateway and of the module spoilt, which are as they were afterwards. */
async function withWrongBase(
  what: 'other text' | 'other hash',
  run: () => Promise<unknown>,
): Promise<number> {
  const folder = 'apps/api-gateway/src/realtime';
  const paths = [`${folder}/realtime.module.ts`, gatewayIn(folder)];
  const spoilt =
    what === 'other text' ? paths.map((path) => `.nx-realtime/base/${path}.base`) : [MANIFEST];
  const before = spoilt.map((path) => readFileSync(join(root, path), 'utf8'));
  for (const [index, path] of spoilt.entries()) {
    const text = before[index]!;
    write(path, what === 'other text' ? `${text}// mine\n` : withOtherHashes(text, paths));
  }
  const cost = await time(run);
  for (const [index, path] of spoilt.entries()) write(path, before[index]!);
  return cost;
}

function gatewayIn(folder: string): string {
  const name = topicName(0).toLowerCase();
  return `${folder}/${name}s/${name}s.gateway.ts`;
}

function withOtherHashes(manifest: string, paths: readonly string[]): string {
  const isTheirs = (line: string): boolean => paths.some((path) => line.includes(`"${path}"`));
  return manifest
    .split('\n')
    .map((line) => (isTheirs(line) ? line.replace(/[0-9a-f]{64}/, '0'.repeat(64)) : line))
    .join('\n');
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
