import type { Tree } from '@nx/devkit';
import { describe, expect, it } from 'vitest';
import realtimeDomainGenerator from '../generators/realtime-domain/generator.js';
import type { RealtimeDomainSchema } from '../generators/realtime-domain/schema.js';
import syncGenerator from '../generators/sync/generator.js';
import { HostProjects } from '../host/index.js';
import type { WebFacts } from '../host/index.js';
import { besideAdopted, deriveAdopted, replaceHandWritten } from './index.js';
import { hostTree, MAIN, snapshot } from '../../test/support/host-tree.js';
import { RECIPES, recipeTree } from '../../test/support/recipes.js';

const APP = 'apps/api-gateway/src';

const adopt = (tree: Tree, name: string, options: Partial<RealtimeDomainSchema> = {}) =>
  realtimeDomainGenerator(tree, { name, adopt: true, skipFormat: true, ...options });

function domainFile(tree: Tree, plural: string): Record<string, unknown> {
  const text = tree.read(`${APP}/realtime/${plural}/${plural}.domain.json`, 'utf-8');
  return JSON.parse(text ?? 'null') as Record<string, unknown>;
}

/** How often each line stands in a text. */
function counted(text: string): Map<string, number> {
  const counts = new Map<string, number>();
  for (const line of text.split('\n').map((one) => one.trim())) {
    if (line !== '') counts.set(line, (counts.get(line) ?? 0) + 1);
  }
  return counts;
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
      const held = counted(tree.read(path, 'utf-8') ?? '');
      return [...counted(text)].flatMap(([line, count]) =>
        (held.get(line) ?? 0) < count ? [`${path}: ${line}`] : [],
      );
    });
    // Wiring alone: what names a class that was replaced, in the file of a module.
    const wiring =
      /\.module\.ts: (?:\],|.*(?:imports|providers|controllers|exports|Gateway|Consumer))/;
    expect(lost.filter((line) => !wiring.test(line))).toEqual([]);
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

it('tells which events have a name that is not constant', () => {
  const tree = hostTree();
  const path = `${APP}/notifications.gateway.ts`;
  tree.write(
    path,
    `import { SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';
@WebSocketGateway({ namespace: '/notifications' })
export class NotificationsGateway {
  @SubscribeMessage('notification.seen')
  seen(): void {}
  @SubscribeMessage(process.env['EVENT'])
  other(): void {}
}
`,
  );
  const derived = deriveAdopted(tree, new HostProjects(tree), {
    name: 'Notification',
  });
  expect(derived?.handlers.map(({ event }) => event)).toEqual(['notification.seen']);
  const what = expect.stringMatching(/name is not constant/) as unknown;
  expect(derived?.findings).toContainEqual({ path, line: 6, what });
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

describe('what becomes of a handler', () => {
  const carried = async (title: string, name: string, plural: string) => {
    const { files } = RECIPES.find((recipe) => recipe.title.startsWith(title))!;
    const tree = recipeTree(files);
    await adopt(tree, name);
    return {
      tree,
      service: tree.read(`${APP}/realtime/${plural}/${plural}.service.ts`, 'utf-8') ?? '',
      module: tree.read(`${APP}/realtime/realtime.module.ts`, 'utf-8') ?? '',
    };
  };

  it('moves its body into the service, with what it needs', async () => {
    const { tree, service, module } = await carried('a handler with', 'Comment', 'comments');
    expect(service).toContain(
      "import { CommentsService as HostCommentsService } from '../../comments/comments.service';",
    );
    expect(service).toContain("import { trim } from '../../comments/trim';");
    expect(service).toContain('private readonly comments: HostCommentsService,');
    expect(service).toContain('{ postId, text }: CommentCreate,');
    expect(service).toContain('// mine: trimmed before it is kept');
    expect(module).toContain("import { CommentsModule } from '../comments/comments.module';");
    expect(module).toMatch(/^ {2}imports: \[\n[^]*^ {4}CommentsModule,\n {2}\],$/m);
    expect(tree.read(`${APP}/comments/comments.module.ts`, 'utf-8')).toContain(
      'exports: [CommentsService]',
    );
  });

  it('leaves one that uses the socket where it is', async () => {
    const { service } = await carried('a handler with', 'Comment', 'comments');
    expect(service).not.toContain('broadcast');
  });

  it('never moves one away from a guard that is not about who asks', async () => {
    const { service } = await carried('CRLF', 'ActivityFeed', 'activity-feeds');
    expect(service).not.toContain('cleared');
  });

  it('leaves a gateway wired that other code injects', async () => {
    const { tree } = await carried('zod', 'Order', 'orders');
    expect(tree.read(`${APP}/orders/orders.module.ts`, 'utf-8')).toContain('OrderGateway,');
  });

  it('takes a gateway and a consumer out of their module', async () => {
    const { tree } = await carried('a gateway with', 'Notification', 'notifications');
    expect(tree.read(`${APP}/notifications/notifications.module.ts`, 'utf-8')).not.toMatch(
      /Gateway|Consumer/,
    );
  });

  it('is told of one that nothing calls any more', () => {
    const { files, name } = RECIPES.find(({ title }) => title.startsWith('a gateway with'))!;
    const tree = recipeTree(files);
    const derived = deriveAdopted(tree, new HostProjects(tree), { name });
    const told = replaceHandWritten(tree, derived!).findings.map(({ what }) => what);
    expect(told).toContainEqual(
      expect.stringMatching(/^\w+\.handleConnection is not called any more/),
    );
  });
});

describe('what stays beside an adopted domain and works otherwise now', () => {
  const WEB = 'apps/web/src';
  const GATEWAY = `import { SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';
@WebSocketGateway({ namespace: 'chat' })
export class ChatGateway {
  @SubscribeMessage('say') say() {}
}
`;

  const beside = (files: Record<string, string>): string[] => {
    const tree = recipeTree({ 'chat/chat.gateway.ts': GATEWAY });
    for (const [path, text] of Object.entries(files)) tree.write(path, text);
    const derived = deriveAdopted(tree, new HostProjects(tree), { name: 'Chat' });
    const web = { sourceRoot: WEB } as WebFacts;
    return besideAdopted(tree, derived!, web).map(
      ({ path, line, what }) => `${path}:${line} ${what}`,
    );
  };

  it('is nothing where there is nothing', () => expect(beside({})).toEqual([]));

  it('is the adapter that the app installs', () => {
    const main = MAIN.replace(
      '  await app.listen',
      '  app.useWebSocketAdapter(new RedisIoAdapter(app));\n  await app.listen',
    );
    expect(beside({ [`${APP}/main.ts`]: main })).toEqual([
      expect.stringMatching(
        /^apps\/api-gateway\/src\/main\.ts:6 installs an adapter that setupRealtime\(\) replaces/,
      ),
    ]);
  });

  it('is each other gateway of the app', () => {
    const other = GATEWAY.replace("'chat'", "'votes'").replace('Chat', 'Votes');
    const files = { [`${APP}/votes/votes.gateway.ts`]: other };
    // One that no module lists was adopted before.
    expect(beside(files)).toEqual([]);
    const module = `import { Module } from '@nestjs/common';
import { VotesGateway } from './votes.gateway';
@Module({ providers: [VotesGateway] })
export class VotesModule {}
`;
    expect(beside({ ...files, [`${APP}/votes/votes.module.ts`]: module })).toEqual([
      expect.stringMatching(/votes\.gateway\.ts:3 VotesGateway stays, .* token in "auth"/),
    ]);
  });

  it.each([
    ["import { io } from 'socket.io-client';\nio('/chat');", true],
    ["import io from 'socket.io-client';\nio('https://api.example.com/chat?v=1');", true],
    ["import { io as open } from 'socket.io-client';\nopen(`${url}/chat`);", true],
    ["import { connect } from 'socket.io-client';\nconnect(url + '/chat/');", true],
    ["import { io } from 'socket.io-client';\nio('/votes');", false],
    ["import { io } from 'socket.io-client';\nio(url);", false],
    ["import { io } from './mine';\nio('/chat'); // socket.io-client", false],
    ["import { io } from 'socket.io-client';\nio('https://chat');", false],
  ])('is a page that opens a connection of its own: %s (%s)', (text, isFound) => {
    const found = beside({ [`${WEB}/hooks/use-chat.tsx`]: text });
    expect(found).toEqual(
      isFound
        ? [
            expect.stringMatching(
              /^apps\/web\/src\/hooks\/use-chat\.tsx:2 .* use useChatsSocket\(\) of apps\/web\/src\/features\/chats\/realtime /,
            ),
          ]
        : [],
    );
  });

  it.each([
    ['use-chat.ts', 'export const socket = <ChatSocket>open;'],
    ['use-chat.js', 'export const page = <p onClick={() => open} />;'],
  ])('is found in a file that holds what only its extension allows: %s', (name, text) => {
    const opened = "import { io } from 'socket.io-client';\nconst open = io('/chat');\n";
    expect(beside({ [`${WEB}/hooks/${name}`]: `${opened}${text}\n` })).toEqual([
      expect.stringContaining(`${WEB}/hooks/${name}:2 opens a connection of its own`),
    ]);
  });
});
