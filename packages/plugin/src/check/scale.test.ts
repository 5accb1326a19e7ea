import type { Tree } from '@nx/devkit';
import { expect, it, vi } from 'vitest';
import { hostTree } from '../../test/support/host-tree.js';
import realtimeDomainGenerator from '../generators/realtime-domain/generator.js';
import syncGenerator from '../generators/sync/generator.js';
import { checkWorkspace } from './index.js';

const REALTIME = 'apps/api-gateway/src/realtime';
const NAMES = [...'bcdfghjklmnprtvw'].map((letter) => `topic-${letter}ik`);

function writeDomains(tree: Tree, count: number, type: string): void {
  for (const name of NAMES.slice(0, count)) {
    const serverEvents = { made: { payload: { id: type } } };
    tree.write(
      `${REALTIME}/${name}s/${name}s.domain.json`,
      JSON.stringify({ name, serverEvents, clientEvents: { say: { payload: { id: type } } } }),
    );
  }
}

/** Counts reads and writes of the Tree while something runs. */
async function work(tree: Tree, run: (tree: Tree) => Promise<unknown>): Promise<number> {
  const spies = (['read', 'write', 'exists', 'children'] as const).map((name) =>
    vi.spyOn(tree, name),
  );
  await run(tree);
  const calls = spies.reduce((sum, spy) => sum + spy.mock.calls.length, 0);
  spies.forEach((spy) => spy.mockRestore());
  return calls;
}

/** Cost of generating, syncing and checking in a workspace of that many domains. */
async function costs(count: number): Promise<Record<string, number>> {
  const tree = hostTree();
  writeDomains(tree, count - 1, 'string');
  await syncGenerator(tree);
  const generate = await work(tree, (one) =>
    realtimeDomainGenerator(one, { name: NAMES[count - 1] ?? '', skipFormat: true }),
  );
  const green = await work(tree, checkWorkspace);
  writeDomains(tree, count, 'uuid');
  const red = await work(tree, checkWorkspace);
  writeDomains(tree, count, 'datetime');
  const sync = await work(tree, syncGenerator);
  return { generate, green, red, sync };
}

it('costs the same for each domain, however many there are', { timeout: 60_000 }, async () => {
  const [few, more, many] = [await costs(4), await costs(8), await costs(16)];
  for (const [what, most] of Object.entries(many)) {
    const [first, second] = [few[what] ?? 0, more[what] ?? 0];
    const [perDomain, perDomainLater] = [(second - first) / 4, (most - second) / 8];
    expect([what, perDomainLater]).toEqual([what, expect.closeTo(perDomain, -1)]);
    expect(perDomain).toBeGreaterThan(5);
  }
});
