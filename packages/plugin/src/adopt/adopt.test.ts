import type { Tree } from '@nx/devkit';
import { describe, expect, it } from 'vitest';
import realtimeDomainGenerator from '../generators/realtime-domain/generator.js';
import type { RealtimeDomainSchema } from '../generators/realtime-domain/schema.js';
import syncGenerator from '../generators/sync/generator.js';
import { HostProjects, detectApp } from '../host/index.js';
import type { WebFacts } from '../host/index.js';
import { otherCode, deriveAdopted, moveGuardChecks, replaceHandWritten } from './index.js';
import { hostTree, MAIN, snapshot } from '../../test/support/host-tree.js';
import { ASKING, BOTH, GATEWAY, guarded, guardOf, TOKEN } from '../../test/support/guarded.js';
import { RECIPES, recipeTree } from '../../test/support/recipes.js';

const APP = 'apps/api-gateway/src';

const adopt = (tree: Tree, name: string, options: Partial<RealtimeDomainSchema> = {}) =>
  realtimeDomainGenerator(tree, { name, adopt: true, skipFormat: true, ...options });

function domainFile(tree: Tree, plural: string): Record<string, unknown> {
  const text = tree.read(`${APP}/realtime/${plural}/${plural}.domain.json`, 'utf-8');
  return JSON.parse(text ?? 'null') as Record<string, unknown>;
}

/** Occurrences of each line in a text. */
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
    return otherCode(tree, derived!, web).map(({ path, line, what }) => `${path}:${line} ${what}`);
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

describe('what becomes of a guard', () => {
  const GUARD = `${APP}/realtime/guards/ws-auth.guard.ts`;
  const CLIENT = 'apps/web/src/lib/realtime/realtime-client.ts';

  /** Moves what the guard of a gateway asks into a workspace that has the domain. */
  const moved = (tree: Tree, name: string) => {
    const projects = new HostProjects(tree);
    const derived = deriveAdopted(tree, projects, { name })!;
    const app = detectApp(tree, projects.find('api-gateway')!);
    const target = { app, path: GUARD, kind: 'guard' } as const;
    return moveGuardChecks(tree, derived, derived.classes, target, CLIENT).map(
      ({ path, line, what }) => `${path.split('/').at(-1)}:${line} ${what}`,
    );
  };

  const hostOf = (guard: string, gateway = GATEWAY): Tree => recipeTree(guarded(guard, gateway));

  const adopted = async (guard: string, gateway = GATEWAY) => {
    const tree = hostOf(guard, gateway);
    await realtimeDomainGenerator(tree, { name: 'Chat', skipFormat: true });
    const told = moved(tree, 'Chat').map((line) => line.replace('team.guard.ts:', ''));
    return {
      tree,
      told,
      guard: tree.read(GUARD, 'utf-8') ?? '',
      client: tree.read(CLIENT, 'utf-8') ?? '',
      module: tree.read(`${APP}/realtime/realtime.module.ts`, 'utf-8') ?? '',
    };
  };

  it('says whose token it is in identify, and the browser follows', async () => {
    const { guard, client, told } = await adopted(
      guardOf(`${TOKEN}    const payload = await this.jwt.verifyAsync(token);
    client.data.user = { userId: payload.uid, tenantId: payload.org_id };
    return true;`),
    );
    expect(guard).toContain("return { userId: claims['uid'], tenantId: claims['org_id'] };");
    expect(guard).not.toContain('check(');
    expect(client).toContain("claims: { user: 'uid', tenant: 'org_id' },");
    expect(told).toEqual([]);
  });

  it('asks in check what it asked, with what it needs', async () => {
    const { guard, module, told, tree } = await adopted(guardOf(ASKING, BOTH));
    expect(guard).toContain('identify(payload: TokenClaims & Claims) {');
    expect(guard).toContain('return { userId: payload.sub, tenantId: payload.org.id };');
    expect(guard).toMatch(
      /override async check\(_identity: RealtimeIdentity, payload: TokenClaims & Claims\) \{\s+\/\/ mine: not on Sundays\s+if \(await this\.users\.isBlocked\(payload\.sub\)\) \{\s+throw new RealtimeException\('FORBIDDEN', 'Blocked'\);\s+\}\s+if \(!payload\.roles\.includes\('chat'\)\) \{/,
    );
    expect(guard).toMatch(
      /constructor\(\s+private readonly users: UsersService,\s+\) \{\s+super\(\);/,
    );
    expect(guard).toContain("import { Claims } from '../../auth/claims';");
    expect(guard).toMatch(
      /HandshakeGuard, type TokenClaims, RealtimeException, type RealtimeIdentity/,
    );
    expect(module).toMatch(/\}\),\s+UsersModule,?\s+\]/);
    expect(told).toEqual([
      expect.stringMatching(/TeamGuard reads other claims .* as its option claims/),
    ]);
    const before = snapshot(tree);
    expect(moved(tree, 'Chat')).toEqual([]);
    expect(snapshot(tree)).toEqual(before);
  });

  it('is moved with the rest of what is adopted', async () => {
    const tree = hostOf(
      guardOf(`${TOKEN}    const payload = await this.jwt.verifyAsync(token);
    client.data.tenantId = payload.org_id;
    return true;`),
    );
    await adopt(tree, 'Chat');
    expect(tree.read(GUARD, 'utf-8')).toContain("tenantId: claims['org_id'] }");
  });

  it('compares claims whose type it does not state, and asks for the user by the identity', async () => {
    const { guard, told } = await adopted(
      guardOf(
        `${TOKEN}    const payload = this.jwt.verify(token);
    if (payload.kind !== 'access') return false;
    if (await this.users.isBlocked(payload.sub)) return false;
    if (payload.level < 3) return false;
    client.data.tenantId = payload.tenantId;
    return true;`,
        BOTH,
      ),
    );
    expect(guard).toContain("if (payload['kind'] !== 'access') throw new RealtimeException(");
    expect(guard).toContain('this.users.isBlocked(identity.userId)');
    expect(guard).not.toContain('level');
    expect(told).toEqual([
      expect.stringMatching(/^18 TeamGuard was not moved .* it uses a claim whose type/),
    ]);
  });

  it.each([
    [
      'what it asks of the socket',
      `${TOKEN}    const ip = client.handshake.address;
    if (ip !== '10.0.0.1') return false;
    const payload = await this.jwt.verifyAsync(token);
    client.data.tenantId = payload.tenantId;
    client.join('all');
    return true;`,
      [/^16 TeamGuard asks the socket/, /^19 TeamGuard uses the socket/],
    ],
    [
      'who it lets in without a token',
      `    const client = context.switchToWs().getClient();
    if (client.handshake.query.guest) return true;
    const payload = await this.jwt.verifyAsync(client.handshake.auth.token);
    client.data.tenantId = payload.tenantId;
    return true;`,
      [/^13 TeamGuard lets in who has no valid token/],
    ],
    [
      'how it verifies',
      `${TOKEN}    const payload = await this.jwt.verifyAsync(token, { secret: 'x', issuer: 'acme', maxAge: '1h' });
    client.data.tenantId = payload.tenantId;
    return true;`,
      [/^15 TeamGuard asks for the issuer .* JWT_ISSUER/, /^15 TeamGuard .* option maxAge/],
    ],
    [
      'who else verifies',
      `${TOKEN}    const user = await this.auth.verifyToken(token);
    if (user.blocked) return false;
    return true;`,
      [/^15 TeamGuard verifies the token by this\.auth\.verifyToken\(\)/, /^16 TeamGuard /],
    ],
    [
      'what has no tenant, and what a service of its own is asked',
      `${TOKEN}    const payload = await this.jwt.verifyAsync(token);
    if (await this.cache.get(payload.sub)) return false;
    client.data.userId = payload.sub;
    return true;`,
      [/^16 TeamGuard was not moved .* this\.cache/, /^8 TeamGuard names no tenant/],
    ],
  ])('is told, with its line: %s', async (_, body, expected) => {
    const { told, guard } = await adopted(guardOf(body));
    expect(told).toEqual(expected.map((pattern) => expect.stringMatching(pattern)));
    expect(guard).not.toContain('check(');
  });

  it('leaves a guard that its owner has filled in, and says what is not in it', async () => {
    const { tree } = await adopted(
      guardOf(`${TOKEN}    const payload = this.jwt.verify(token);
    if (payload.kind !== 'access') return false;
    client.data.tenantId = payload.tenantId;
    return true;`),
    );
    const before = tree.read(GUARD, 'utf-8');
    tree.write(
      `${APP}/auth/vote.guard.ts`,
      guardOf(`${TOKEN}    const payload = this.jwt.verify(token);
    if (payload.kind === 'bot') return false;
    client.data.tenantId = payload.tenantId;
    return true;`).replaceAll('TeamGuard', 'VoteGuard'),
    );
    tree.write(
      `${APP}/votes/votes.gateway.ts`,
      GATEWAY.replace("'chat'", "'votes'")
        .replace('ChatGateway', 'VotesGateway')
        .replaceAll('TeamGuard', 'VoteGuard')
        .replace('team.guard', 'vote.guard'),
    );
    expect(moved(tree, 'Vote')).toEqual([
      expect.stringMatching(
        /^vote\.guard\.ts:16 VoteGuard was not moved to WsAuthGuard: that has a check\(\) already/,
      ),
    ]);
    expect(tree.read(GUARD, 'utf-8')).toBe(before);
  });

  it('says what the guard of a package leaves undone', async () => {
    const { told } = await adopted('', GATEWAY.replace("'../auth/team.guard'", "'@acme/auth'"));
    expect(told).toEqual([
      expect.stringMatching(/^chat\.gateway\.ts:6 TeamGuard is not asked any more/),
    ]);
  });
});
