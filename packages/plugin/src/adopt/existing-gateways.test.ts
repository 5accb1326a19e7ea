import { logger } from '@nx/devkit';
import type { Tree } from '@nx/devkit';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { hostTree } from '../../test/support/host-tree.js';
import realtimeDomainGenerator from '../generators/realtime-domain/generator.js';
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
});
