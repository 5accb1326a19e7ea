import { logger } from '@nx/devkit';
import type { Tree } from '@nx/devkit';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { hostTree, snapshot } from '../../test/support/host-tree.js';
import realtimeDomainGenerator from '../generators/realtime-domain/generator.js';
import syncGenerator from '../generators/sync/generator.js';
import { existingGateways } from './existing-gateways.js';

const APP = {
  sourceRoot: 'apps/api-gateway/src',
  realtimeRoot: 'apps/api-gateway/src/realtime',
};
const CHAT = `${APP.sourceRoot}/chat/chat.gateway.ts`;

let tree: Tree;
beforeEach(() => {
  tree = hostTree();
});
afterEach(() => vi.restoreAllMocks());

const gateway = (decorator: string): string =>
  `import { WebSocketGateway } from '@nestjs/websockets';

${decorator}
export class ChatGateway {}
`;

describe('gateways that an app has before', () => {
  it.each([
    ['@WebSocketGateway()', ['has no namespace: its clients are refused']],
    [
      '@WebSocketGateway({ cors: true })',
      ['has no namespace: its clients are refused', 'cors: without effect'],
    ],
    [
      "@WebSocketGateway(3002, { path: '/ws', transports: ['polling'] })",
      ['has no namespace: its clients are refused', 'its port, path, transports: without effect'],
    ],
    ["@WebSocketGateway({ namespace: '/chat', cors: true })", ['cors: without effect']],
    [
      '@WebSocketGateway(3002)',
      ['has no namespace: its clients are refused', 'its port: without effect'],
    ],
  ])('are named with what they lose: %s', (decorator, problems) => {
    tree.write(CHAT, gateway(decorator));
    expect(existingGateways(tree, APP)).toEqual([
      {
        name: 'ChatGateway',
        path: CHAT,
        line: 3,
        problems,
        isDead: problems.join() !== 'cors: without effect',
        isListed: false,
        isOnOurPath: !/3002/.test(decorator),
        isKept: false,
      },
    ]);
  });

  it.each(["@WebSocketGateway({ namespace: '/chat' })", '@WebSocketGateway(OPTIONS)'])(
    'are not named where they lose nothing, or nothing is known: %s',
    (decorator) => {
      tree.write(CHAT, gateway(decorator));
      expect(existingGateways(tree, APP)).toEqual([]);
    },
  );

  it('are told apart where the module keeps them, also by another name', () => {
    tree.write(CHAT, gateway('@WebSocketGateway({ cors: true })'));
    tree.write(
      `${APP.realtimeRoot}/realtime.module.ts`,
      `import { ChatGateway as Chat } from '../chat/chat.gateway';
export const options = { keepGateways: [Chat, Unknown] };
`,
    );
    tree.write(
      `${APP.sourceRoot}/chat/chat.module.ts`,
      "import { ChatGateway } from './chat.gateway';\nexport const GATEWAYS = [ChatGateway];\n",
    );
    expect(existingGateways(tree, APP)).toEqual([
      {
        name: 'ChatGateway',
        path: CHAT,
        line: 3,
        problems: [],
        isDead: false,
        isListed: true,
        isOnOurPath: true,
        isKept: true,
      },
    ]);
  });

  it('are told of once: by the first domain of their app', async () => {
    tree.write(CHAT, gateway('@WebSocketGateway({ cors: true })'));
    const warn = vi.spyOn(logger, 'warn').mockImplementation(() => undefined);
    const told = () =>
      warn.mock.calls.filter(([text]) => String(text).includes(`${CHAT}:3`)).length;
    await realtimeDomainGenerator(tree, { name: 'Notification' });
    expect(told()).toBe(1);
    expect(warn.mock.calls.join()).toContain('keepGateways: [ChatGateway],');
    await realtimeDomainGenerator(tree, { name: 'Order' });
    expect(told()).toBe(1);
  });

  const MODULE = `${APP.realtimeRoot}/realtime.module.ts`;
  const CLIENT = 'apps/web/src/lib/realtime/realtime-client.ts';
  const keep = () =>
    realtimeDomainGenerator(tree, { name: 'Notification', keepGateways: true, skipFormat: true });

  it.each([
    ['@WebSocketGateway({ cors: true })', true],
    ["@WebSocketGateway({ namespace: '/chat' })", true],
    ['@WebSocketGateway(OPTIONS)', true],
    ["@WebSocketGateway({ path: '/ws' })", false],
    ['@WebSocketGateway(3002)', false],
  ])('are kept when asked for, once: %s', async (decorator, isOnOurPath) => {
    vi.spyOn(logger, 'warn').mockReturnValue();
    tree.write(CHAT, gateway(decorator));
    await keep();
    const module = tree.read(MODULE, 'utf-8') ?? '';
    expect(module).toContain("import { ChatGateway } from '../chat/chat.gateway';\n");
    expect(module).toMatch(
      /\n {6}\/\/ As they were.*\n {6}keepGateways: \[ChatGateway\],\n {4}\}\),/,
    );
    const moved = [
      tree.read('apps/api-gateway/.env.local', 'utf-8')?.includes('REALTIME_PATH=/realtime\n'),
      tree.read('apps/api-gateway/.env.example', 'utf-8')?.includes('REALTIME_PATH=/realtime\n'),
      tree.read(CLIENT, 'utf-8')?.includes("createRealtime({\n  path: '/realtime',\n"),
    ];
    expect(moved).toEqual(moved.map(() => isOnOurPath));
    expect(existingGateways(tree, APP).map(({ isKept }) => isKept)).toEqual([true]);
    const before = snapshot(tree);
    await keep();
    await syncGenerator(tree);
    expect(snapshot(tree)).toEqual(before);
  });

  it('are named as lost where the module cannot name them', async () => {
    const warn = vi.spyOn(logger, 'warn').mockReturnValue();
    tree.write(CHAT, gateway('@WebSocketGateway({ cors: true })').replace('export ', ''));
    await keep();
    expect(tree.read(MODULE, 'utf-8')).not.toContain('keepGateways');
    expect(warn.mock.calls.flat().join('\n')).toMatch(
      /chat\.gateway\.ts:3 {2}ChatGateway has no namespace/,
    );
  });
});
