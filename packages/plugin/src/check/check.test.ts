import type { Tree } from '@nx/devkit';
import { beforeEach, describe, expect, it } from 'vitest';
import { age, ageManifest, baseOf, edit as editIn } from '../../test/support/aged.js';
import { copies, hostTree, snapshot } from '../../test/support/host-tree.js';
import realtimeDomainGenerator from '../generators/realtime-domain/generator.js';
import type { RealtimeDomainSchema } from '../generators/realtime-domain/schema.js';
import syncGenerator from '../generators/sync/generator.js';
import { checkWorkspace } from './index.js';
import type { Finding } from './index.js';

const REALTIME = 'apps/api-gateway/src/realtime';
const DOMAIN = `${REALTIME}/notifications/notifications.domain.json`;
const GATEWAY = `${REALTIME}/notifications/notifications.gateway.ts`;
const SERVICE = `${REALTIME}/notifications/notifications.service.ts`;
const GUARD = `${REALTIME}/guards/ws-auth.guard.ts`;
const MANIFEST = '.nx-realtime/manifest.json';

let tree: Tree;

const generate = (options: Partial<RealtimeDomainSchema> = {}) =>
  realtimeDomainGenerator(tree, { name: 'Notification', skipFormat: true, ...options });
const read = (path: string): string => tree.read(path, 'utf-8') ?? '';
const edit = (path: string, from: string | RegExp, to: string): void =>
  editIn(tree, path, from, to);
const editDomain = (change: (file: { serverEvents: Record<string, object> }) => void): void => {
  const file = JSON.parse(read(DOMAIN));
  change(file);
  tree.write(DOMAIN, JSON.stringify(file, null, 2));
};

/** Checks a copy, as the executor checks the disk. */
async function check(): Promise<Finding[]> {
  const before = snapshot(tree);
  const { findings, ok } = await checkWorkspace(tree);
  expect(ok).toBe(findings.every(({ level }) => level === 'info'));
  for (const path of snapshot(tree).keys()) if (!before.has(path)) tree.delete(path);
  for (const [path, text] of before) if (read(path) !== text) tree.write(path, text);
  return [...findings];
}

const brief = (findings: readonly Finding[]): string[] =>
  findings.map((finding) => `${finding.class} ${finding.path}`);

describe.each(['integrated', 'solution'] as const)('in an %s workspace', (layout) => {
  const project = `apps/api-gateway/${layout === 'solution' ? 'package' : 'project'}.json`;

  const generated = copies(async () => {
    tree = hostTree(layout);
    await generate({ clientEvents: ['markRead{notificationId}'] });
    return tree;
  });

  beforeEach(async () => {
    tree = await generated();
  });

  it('names gateways from before that are not served, and notes those that are kept', async () => {
    const chat = 'apps/api-gateway/src/chat/chat.gateway.ts';
    const decorated = (options: string): string =>
      `import { WebSocketGateway } from '@nestjs/websockets';\n\n@WebSocketGateway(${options})\nexport class ChatGateway {}\n`;
    const levels = async (): Promise<string[]> =>
      (await check()).map(
        (finding) => `${finding.class} ${finding.level} ${finding.path}:${finding.line}`,
      );
    tree.write(chat, decorated('{ cors: true }'));
    // Its class was taken out of its module, as --adopt does.
    expect(await levels()).toEqual([]);
    tree.write(
      'apps/api-gateway/src/chat/chat.module.ts',
      "import { Module } from '@nestjs/common';\nimport { ChatGateway } from './chat.gateway';\n\n@Module({ providers: [ChatGateway] })\nexport class ChatModule {}\n",
    );
    expect(await levels()).toEqual([`gateway-unserved error ${chat}:3`]);
    tree.write(chat, decorated("{ namespace: '/chat', cors: true }"));
    expect(await levels()).toEqual([`gateway-unserved info ${chat}:3`]);
    tree.write(chat, decorated('3002'));
    expect(await levels()).toEqual([`gateway-unserved error ${chat}:3`]);
    const module = `${REALTIME}/realtime.module.ts`;
    edit(module, /^/, "import { ChatGateway } from '../chat/chat.gateway';\n");
    edit(module, 'guard: WsAuthGuard,', 'guard: WsAuthGuard,\n      keepGateways: [ChatGateway],');
    expect(await levels()).toEqual([`gateway-kept info ${chat}:3`]);
  });

  it('has a target of its own, which is not cached and keeps what its owner changed', async () => {
    const json = JSON.parse(read(project));
    const { targets } = layout === 'solution' ? json.nx : json;
    expect(targets['realtime-check']).toEqual({
      executor: '@nx-realtime/plugin:realtime-check',
      cache: false,
    });
    edit(project, '"cache": false', '"cache": false, "options": { "against": "origin/main" }');
    const mine = read(project);
    await generate({ serverEvents: ['removed{id}'] });
    expect(read(project)).toBe(mine);
  });

  it('finds nothing right after generating', async () => {
    expect(await check()).toEqual([]);
  });

  it('finds nothing in what its owner edited', async () => {
    for (const path of snapshot(tree).keys()) {
      if (!/^(?:apps|libs|packages)\/.*\.tsx?$/.test(path)) continue;
      const text = read(path);
      const reformatted = text
        .replaceAll("'", '"')
        .replaceAll(/^ +/gm, '\t')
        .replaceAll('\n', '\r\n');
      const uncommented = reformatted.replaceAll(/^\s*\/\*\*.*\*\/\r\n/gm, '');
      tree.write(path, `// mine\r\n${uncommented}`);
    }
    edit(DOMAIN, '"name"', '"name"  ');
    expect(await check()).toEqual([]);
  });

  it('tells a domain file that changed, and what sync will make of it', async () => {
    editDomain(({ serverEvents }) => {
      serverEvents['notification.removed'] = { payload: { id: 'string' } };
    });
    const findings = await check();
    expect(new Set(findings.map((finding) => finding.class))).toEqual(new Set(['domain-changed']));
    expect(findings.find(({ path }) => path === DOMAIN)).toMatchObject({
      message: 'The code does not follow this file yet. "notification.removed" is new.',
      fix: 'nx sync',
    });
    const contract = findings.find(({ path }) => path.endsWith('notifications.contract.ts'));
    expect(contract?.diff).toMatch(/^--- a\/.*\n\+\+\+ b\/.*\n@@ -\d+,\d+ \+\d+,\d+ @@\n/);
    expect(contract?.diff).toMatch(/^\+ {2}'notification\.removed': \($/m);
    await syncGenerator(tree);
    expect(await check()).toEqual([]);
  });

  it('tells a domain file that is new', async () => {
    const path = `${REALTIME}/chats/chats.domain.json`;
    tree.write(path, '{ "name": "Chat", "serverEvents": { "chat.posted": { "payload": {} } } }');
    const findings = await check();
    expect(new Set(findings.map((finding) => finding.class))).toEqual(new Set(['domain-changed']));
    expect(findings.map((finding) => finding.path)).toEqual(
      expect.arrayContaining([
        path,
        `${REALTIME}/realtime.module.ts`,
        'apps/web/src/app/layout.tsx',
      ]),
    );
  });

  it('tells templates that are newer, also beside a domain file that changed', async () => {
    age(tree, GUARD, 'export', '// as it was\nexport');
    age(tree, GATEWAY, 'export class', '// as it was\nexport class');
    const [gateway, guard, ...others] = (await check()).sort((a, b) => (a.path < b.path ? 1 : -1));
    expect(others).toEqual([]);
    expect([gateway, guard]).toMatchObject([
      { class: 'templates-newer', path: GATEWAY, fix: 'nx sync' },
      { class: 'templates-newer', path: GUARD, diff: expect.stringContaining('-// as it was\n') },
    ]);
    editDomain(({ serverEvents }) => {
      serverEvents['notification.removed'] = { payload: { id: 'string' } };
    });
    const classes = new Map((await check()).map((finding) => [finding.path, finding.class]));
    expect(classes.get(GUARD)).toBe('templates-newer');
    expect(classes.get(`${REALTIME}/notifications/notifications-ws.consumer.ts`)).toBe(
      'domain-changed',
    );
    await syncGenerator(tree);
    expect(await check()).toEqual([]);
  });

  it('says that newer templates will meet edits', async () => {
    age(tree, GUARD, 'export', '// as it was\nexport');
    edit(GUARD, '// as it was', '// as I want it');
    const [finding] = await check();
    expect(finding).toMatchObject({ class: 'templates-newer', path: GUARD });
    expect(finding?.message).toMatch(/meets your edits in 1 place/);
    expect(finding?.diff).toContain('+<<<<<<< yours');
  });

  it('goes by the versions where it is not known what the domains were', async () => {
    tree.delete(baseOf(DOMAIN));
    age(tree, GUARD, 'export', '// as it was\nexport');
    ageManifest(tree, '0.0.1');
    const [finding] = await check();
    expect(finding).toMatchObject({ class: 'templates-newer', path: GUARD });
    expect(finding?.message).toContain('than 0.0.1');
  });

  it('tells that it is not known what the domains were', async () => {
    tree.delete(baseOf(DOMAIN));
    expect(brief(await check())).toEqual([`base-mismatch ${MANIFEST}`]);
    await syncGenerator(tree);
    expect(await check()).toEqual([]);
  });

  it('tells a plugin that is older than the code', async () => {
    ageManifest(tree, '99.0.0');
    age(tree, GUARD, 'export', '// as it will be\nexport');
    expect(brief(await check())).toEqual([`plugin-older ${MANIFEST}`]);
  });

  it('tells a file that is missing, until its deletion is recorded', async () => {
    tree.delete(SERVICE);
    const [missing, ...others] = await check();
    expect(others).toEqual([]);
    expect(missing).toMatchObject({ class: 'file-missing', level: 'error', path: SERVICE });
    expect(missing?.fix).toContain(`realtime-domain Notification --forget=${SERVICE}`);
    await generate({ forget: [SERVICE] });
    expect(await check()).toMatchObject([
      { class: 'deletion-recorded', level: 'info', path: SERVICE },
    ]);
  });

  it('tells orphans', async () => {
    await generate({ name: 'Chat' });
    for (const path of snapshot(tree, `${REALTIME}/chats`).keys()) {
      if (path.endsWith('.domain.json')) tree.delete(path);
    }
    edit(`${REALTIME}/chats/chats.gateway.ts`, 'export class', '// mine\nexport class');
    const findings = await check();
    const orphans = findings.filter((finding) => finding.class === 'orphan');
    expect(findings.find(({ path }) => path.endsWith('chats.domain.json'))?.message).toMatch(
      /The domain Chat was removed\.$/,
    );
    const gateway = orphans.find(({ path }) => path.endsWith('chats.gateway.ts'));
    const consumer = orphans.find(({ path }) => path.endsWith('chats-ws.consumer.ts'));
    expect(gateway?.message).toContain('edits of yours');
    expect(consumer?.fix).toBe('nx sync');
  });

  it('tells a domain that was renamed in its file', async () => {
    edit(SERVICE, '{\n', '{\n  // mine\n');
    edit(DOMAIN, '"Notification"', '"Alert"');
    const findings = await check();
    expect(new Set(findings.map((finding) => finding.class))).toEqual(new Set(['domain-changed']));
    expect(findings.find(({ path }) => path === DOMAIN)?.message).toMatch(
      / is named Alert.* belongs to /,
    );
    await syncGenerator(tree);
    expect(await check()).toEqual([]);
    expect(read(`${REALTIME}/alerts/alerts.service.ts`)).toContain('// mine');
  });

  it('tells a base that is not the one that was written, and that sync finds it', async () => {
    edit(baseOf(GATEWAY), 'export class', '// merged by git\nexport class');
    expect(await check()).toMatchObject([
      { class: 'base-mismatch', path: GATEWAY, fix: 'nx sync' },
    ]);
    await syncGenerator(tree);
    expect(await check()).toEqual([]);
  });

  it('tells a base that cannot be found any more', async () => {
    age(tree, GATEWAY, 'export class', '// as it was\nexport class');
    edit(baseOf(GATEWAY), '// as it was', '// merged by git');
    expect(await check()).toMatchObject([
      { class: 'base-mismatch', path: GATEWAY, fix: 'nx g @nx-realtime/plugin:rebase' },
    ]);
  });

  it('tells a manifest that git merged with both sides in it', async () => {
    const hash = /"base": "(\w+)"/.exec(read(MANIFEST))?.[1] ?? '';
    edit(
      MANIFEST,
      /^( +)("[^"]+": )(\{ "owner": "merged", "base": ")(\w+)(.*)$/m,
      `$1$2$3${'f'.repeat(64)}$5\n$1$2$3${hash}$5`,
    );
    expect(brief(await check())).toEqual([`base-mismatch ${MANIFEST}`]);
    await syncGenerator(tree);
    expect(await check()).toEqual([]);
  });

  it('tells conflict markers that are left, with their line', async () => {
    edit(GATEWAY, 'export class', '<<<<<<< yours\nexport class');
    const line = read(GATEWAY).split('\n').indexOf('<<<<<<< yours') + 1;
    expect(await check()).toMatchObject([{ class: 'conflict-markers', path: GATEWAY, line }]);
  });

  it.each([
    ['main.ts', 'apps/api-gateway/src/main.ts', /.*setupRealtime\(app\);\n/],
    ['the module', 'apps/api-gateway/src/app/app.module.ts', 'RealtimeModule]', ']'],
    ['the layout', 'apps/web/src/app/layout.tsx', /.*<NotificationsProvider \/>.*\n/],
    ['a dependency', 'package.json', /.*"ioredis": .*\n/],
  ])('tells wiring that was lost: %s', async (_, path, from, to = '') => {
    edit(path, from, to);
    const [lost, ...others] = await check();
    expect(others).toEqual([]);
    expect(lost).toMatchObject({ class: 'wiring-lost', path });
    expect(lost?.diff).toMatch(/^\+/m);
    await syncGenerator(tree);
    expect(await check()).toEqual([]);
  });

  it('tells wiring that was lost in a file that cannot be edited, and what to paste', async () => {
    const path = 'apps/api-gateway/src/main.ts';
    edit(path, /.*setupRealtime\(app\);\n/, '');
    edit(path, /^import \{ setupRealtime.*\n/m, '');
    edit(path, 'const app = await', 'const app: never = await boot(');
    const [lost, ...others] = await check();
    expect(others).toEqual([]);
    expect(lost).toMatchObject({ class: 'wiring-lost', path });
    expect(lost?.fix).toContain('await setupRealtime(app);');
  });

  it('finds wiring that its owner moved where it cannot be edited', async () => {
    const path = 'apps/api-gateway/src/main.ts';
    edit(path, /.*setupRealtime\(app\);\n/, '');
    edit(path, /^import \{ setupRealtime.*\n/m, '');
    edit(path, 'const app = await', 'const app: never = await boot(');
    tree.write(
      'apps/api-gateway/src/boot.ts',
      'export const boot = (app) => setupRealtime(app);\n',
    );
    expect(await check()).toEqual([]);
  });

  it('tells a sync generator that is not registered', async () => {
    tree.write('nx.json', '{}\n');
    expect(await check()).toMatchObject([
      { class: 'sync-not-registered', path: 'nx.json', fix: 'nx g @nx-realtime/plugin:init' },
    ]);
  });

  it('tells a domain file that is wrong', async () => {
    edit(DOMAIN, '"string"', '"strin"');
    const [finding] = await check();
    expect(finding).toMatchObject({ class: 'invalid', path: DOMAIN });
    expect(finding?.message).toMatch(/^RT003 /);
  });

  it('tells what is in the way', async () => {
    tree.write(`${REALTIME}/chats/chats.domain.json`, '{ "name": "Chat" }');
    tree.write(`${REALTIME}/chats/chats.gateway.ts`, 'export class Mine {}\n');
    const [finding] = await check();
    expect(finding).toMatchObject({ class: 'invalid', path: `${REALTIME}/chats/chats.gateway.ts` });
    expect(finding?.message).toMatch(/^RT020 /);
  });
});

it('has nothing to say about a workspace without domains', async () => {
  tree = hostTree();
  expect(await checkWorkspace(tree)).toMatchObject({ ok: true, domains: 0, findings: [] });
});
