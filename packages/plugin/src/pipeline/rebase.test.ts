import type { Tree } from '@nx/devkit';
import { describe, expect, it } from 'vitest';
import { copies, hostTree } from '../../test/support/host-tree.js';
import syncGenerator from '../generators/sync/generator.js';
import { HostProjects, hostDomains } from '../host/index.js';
import { filesWithoutBase } from '../reconcile/index.js';
import { render } from '../render/index.js';
import { findBases } from './rebase.js';

const REALTIME = 'apps/api-gateway/src/realtime';
const NAMES = [...'bcdfghjk'].map((letter) => `topic-${letter}ik`);
const GATEWAY = `${REALTIME}/${NAMES[0]}s/${NAMES[0]}s.gateway.ts`;
const MODULE = `${REALTIME}/realtime.module.ts`;
const MANIFEST = '.nx-realtime/manifest.json';
const baseOf = (path: string): string => `.nx-realtime/base/${path}.base`;

function writeDomain(tree: Tree, name: string, events: number): void {
  const all = (stem: string): object =>
    Object.fromEntries(
      Array.from({ length: events }, (_, event) => [
        `${stem}${event}`,
        { payload: { id: 'string', n: 'number' } },
      ]),
    );
  const file = { name, serverEvents: all('pushed'), clientEvents: all('asked') };
  tree.write(`${REALTIME}/${name}s/${name}s.domain.json`, JSON.stringify(file));
}

/** Eight domains of eight events. */
const workspace = copies(async () => {
  const tree = hostTree();
  for (const name of NAMES) writeDomain(tree, name, 4);
  await syncGenerator(tree);
  return tree;
});

/** The workspace once a domain has an event less, whose base is then that of another branch. */
async function behind(tree: Tree, path: string): Promise<string> {
  const now = tree.read(baseOf(path), 'utf-8') ?? '';
  writeDomain(tree, NAMES[0]!, 3);
  await syncGenerator(tree);
  writeDomain(tree, NAMES[0]!, 4);
  const before = tree.read(baseOf(path), 'utf-8') ?? '';
  tree.write(baseOf(path), `${now}// nobody wrote this\n`);
  return before;
}

/** What settling takes: renderings, and files that were rendered in them. */
async function settle(tree: Tree, guess = false) {
  const projects = new HostProjects(tree);
  const cost = { renderings: 0, paths: [] as string[] };
  const counted: typeof render = (...args) => {
    const files = render(...args);
    cost.renderings += 1;
    cost.paths.push(...files.map(({ path }) => path));
    return files;
  };
  const written = await findBases(tree, projects, hostDomains(tree, projects), guess, counted);
  return { ...cost, written };
}

const forgetHashes = (tree: Tree, path: string): void =>
  tree.write(
    MANIFEST,
    (tree.read(MANIFEST, 'utf-8') ?? '')
      .split('\n')
      .map((line) =>
        line.includes(`"${path}"`) ? line.replace(/[0-9a-f]{64}/, '0'.repeat(64)) : line,
      )
      .join('\n'),
  );

describe('settling bases', () => {
  it('renders nothing where every base is known', async () => {
    const { renderings, written } = await settle(await workspace());
    expect({ renderings, written }).toEqual({ renderings: 0, written: [] });
  });

  it.each([GATEWAY, MODULE])('renders a file once whose text now fits: %s', async (path) => {
    const tree = await workspace();
    const base = tree.read(baseOf(path), 'utf-8') ?? '';
    tree.write(baseOf(path), `${base}// nobody wrote this\n`);
    expect(await settle(tree)).toEqual({ renderings: 1, paths: [path], written: [path] });
    expect(tree.read(baseOf(path), 'utf-8')).toBe(base);
  });

  it('ends at the first state that fits, and renders that file alone', async () => {
    const tree = await workspace();
    const base = await behind(tree, GATEWAY);
    const { renderings, paths, written } = await settle(tree);
    expect(written).toEqual([GATEWAY]);
    expect(tree.read(baseOf(GATEWAY), 'utf-8')).toBe(base);
    expect(new Set(paths)).toEqual(new Set([GATEWAY]));
    expect(renderings).toBeLessThan(25);
  });

  it('looks for a file of one domain in the states of that domain alone', async () => {
    const tree = await workspace();
    forgetHashes(tree, GATEWAY);
    const { renderings, paths, written } = await settle(tree);
    expect(written).toEqual([]);
    // As it is and was, every pair of 8 events and each alone, 16 fields, 8 lists, and not there.
    expect(renderings).toBeLessThanOrEqual(2 + 36 + 16 + 8 + 1);
    expect(paths.length).toBeLessThanOrEqual(renderings);
    expect(new Set(paths)).toEqual(new Set([GATEWAY]));
  });

  it('looks for what domains share in the states of all, and renders nothing else', async () => {
    const tree = await workspace();
    forgetHashes(tree, MODULE);
    const { paths, written } = await settle(tree);
    expect(written).toEqual([]);
    expect(new Set(paths)).toEqual(new Set([MODULE]));
    expect(paths.length).toBeLessThanOrEqual(NAMES.length * (36 + 16 + 8 + 1) + 2);
  });

  it('looks for nothing that the manifest names no hash of', async () => {
    const tree = await workspace();
    const lines = (tree.read(MANIFEST, 'utf-8') ?? '').split('\n');
    const text = lines.map((line) =>
      line.includes(`"${GATEWAY}"`) ? line.replace(/, "base": "[0-9a-f]{64}"/, '') : line,
    );
    tree.write(MANIFEST, text.join('\n'));
    expect(filesWithoutBase(tree)).toEqual([GATEWAY]);
    expect(await settle(tree)).toEqual({ renderings: 0, paths: [], written: [] });
  });

  it('finds what the manifest has lost too, when it may guess', async () => {
    const tree = await workspace();
    const lines = (tree.read(MANIFEST, 'utf-8') ?? '').split('\n');
    tree.write(MANIFEST, lines.filter((line) => !line.includes(`"${GATEWAY}"`)).join('\n'));
    tree.write(baseOf(MODULE), '// nobody wrote this\n');
    const { written } = await settle(tree, true);
    expect(written.sort()).toEqual([GATEWAY, MODULE].sort());
    expect(filesWithoutBase(tree)).toEqual([]);
  });
});
