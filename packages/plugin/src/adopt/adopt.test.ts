import type { Tree } from '@nx/devkit';
import { describe, expect, it } from 'vitest';
import realtimeDomainGenerator from '../generators/realtime-domain/generator.js';
import type { RealtimeDomainSchema } from '../generators/realtime-domain/schema.js';
import syncGenerator from '../generators/sync/generator.js';
import { hostTree, snapshot } from '../../test/support/host-tree.js';
import { RECIPES, recipeTree } from '../../test/support/recipes.js';

const APP = 'apps/api-gateway/src';

const adopt = (tree: Tree, name: string, options: Partial<RealtimeDomainSchema> = {}) =>
  realtimeDomainGenerator(tree, { name, adopt: true, skipFormat: true, ...options });

function domainFile(tree: Tree, plural: string): Record<string, unknown> {
  const text = tree.read(`${APP}/realtime/${plural}/${plural}.domain.json`, 'utf-8');
  return JSON.parse(text ?? 'null') as Record<string, unknown>;
}

describe.each(RECIPES)('$title', ({ files, name, plural, expected }) => {
  it('gives its events, its namespace and its rooms', async () => {
    const tree = recipeTree(files);
    await adopt(tree, name);
    expect(domainFile(tree, plural)).toMatchObject(expected);
    const { serverEvents, clientEvents } = domainFile(tree, plural);
    expect(Object.keys(serverEvents as object)).toEqual(Object.keys(expected.serverEvents));
    expect(Object.keys(clientEvents as object)).toEqual(Object.keys(expected.clientEvents));
  });

  it('keeps every line of its owner', async () => {
    const tree = recipeTree(files);
    const before = snapshot(tree);
    await adopt(tree, name);
    const lost = [...before].flatMap(([path, text]) => {
      if (!path.startsWith(APP)) return [];
      const held = new Set((tree.read(path, 'utf-8') ?? '').split('\n').map((line) => line.trim()));
      return text
        .split('\n')
        .map((line) => line.trim())
        .filter((line) => line !== '' && !held.has(line))
        .map((line) => `${path}: ${line}`);
    });
    // Wiring alone: what names a class that was replaced, in the file of a module.
    expect(
      lost.filter(
        (line) =>
          !/\.module\.ts: .*(?:imports|providers|controllers|exports|Gateway|Consumer)/.test(line),
      ),
    ).toEqual([]);
  });

  it('changes nothing the second time', async () => {
    const tree = recipeTree(files);
    await adopt(tree, name);
    const before = snapshot(tree);
    await adopt(tree, name);
    expect(snapshot(tree)).toEqual(before);
    if (![...before.values()].some((text) => text.includes('<<<<<<< yours'))) {
      expect(await syncGenerator(tree)).toEqual({});
    }
  });
});

describe('what cannot be adopted', () => {
  it('says what it looked for, and changes nothing', async () => {
    const tree = hostTree();
    const before = snapshot(tree);
    await expect(adopt(tree, 'Notification')).rejects.toThrow(
      /^RT058 .*apps\/api-gateway\/src.*NotificationsGateway.*--serverEvents/,
    );
    expect(snapshot(tree)).toEqual(before);
  });

  it('says in which class it found no event', async () => {
    const tree = hostTree();
    tree.write(
      `${APP}/chat/chat.gateway.ts`,
      "import { WebSocketGateway } from '@nestjs/websockets';\n@WebSocketGateway()\nexport class ChatGateway {}\n",
    );
    await expect(adopt(tree, 'Chat')).rejects.toThrow(
      /RT058 .*ChatGateway \(.*chat\.gateway\.ts\)/,
    );
  });

  it('leaves the code of another domain alone', async () => {
    const tree = recipeTree(RECIPES[0]!.files);
    await expect(adopt(tree, 'Invoice')).rejects.toThrow(/RT058/);
  });
});

it('lets events that are given win over derived ones', async () => {
  const { files, name, plural } = RECIPES[0]!;
  const tree = recipeTree(files);
  await adopt(tree, name, { serverEvents: ['created{id:uuid}'], namespace: '/inbox' });
  expect(domainFile(tree, plural)).toMatchObject({
    namespace: '/inbox',
    serverEvents: { 'notification.created': { payload: { id: 'uuid' } } },
  });
});
