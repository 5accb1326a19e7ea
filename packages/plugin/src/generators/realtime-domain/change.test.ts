import type { Tree } from '@nx/devkit';
import { beforeEach, describe, expect, it } from 'vitest';
import { addNest, addNext, copies, hostTree, snapshot } from '../../../test/support/host-tree.js';
import { checkWorkspace } from '../../check/index.js';
import syncGenerator from '../sync/generator.js';
import realtimeDomainGenerator from './generator.js';
import type { RealtimeDomainSchema } from './schema.js';

const REALTIME = 'apps/api-gateway/src/realtime';
const LAYOUT = 'apps/web/src/app/layout.tsx';
const PAGE = 'apps/web/src/app/page.tsx';
const OWN = '    await this.own(payload, identity);\n';

let tree: Tree;

const generate = (options: Partial<RealtimeDomainSchema> = {}) =>
  realtimeDomainGenerator(tree, { name: 'Notification', ...options });
const read = (path: string): string => tree.read(path, 'utf-8') ?? '';

function replace(path: string, from: string | RegExp, to: string): void {
  expect(read(path)).toMatch(from);
  tree.write(path, read(path).replace(from, to));
}

/** Code and state, without what a rename has no part in. */
const code = (of: Tree) =>
  [...snapshot(of)].filter(([path]) => !path.endsWith('.env.local') && path !== 'package.json');

const generated = copies(async () => {
  tree = hostTree();
  await generate({ clientEvents: ['markRead{id}'] });
  return tree;
});

beforeEach(async () => {
  tree = await generated();
});

describe('another name', () => {
  const generatedAs = async (name: string) => {
    const other = hostTree();
    await realtimeDomainGenerator(other, { name, clientEvents: ['markRead{id}'] });
    return code(other).sort();
  };

  it.each(['Alert', 'activity-feed', 'News'])(
    '%s gives the same as generating it',
    async (name) => {
      await generate({ rename: name });
      expect(code(tree).sort()).toEqual(await generatedAs(name));
      expect(await syncGenerator(tree)).toEqual({});
    },
  );

  it('takes edits along, in every file', async () => {
    replace(`${REALTIME}/notifications/notifications.service.ts`, / {4}\/\/ In place[^]*?;\n/, OWN);
    const files = [...snapshot(tree).keys()].filter((path) =>
      /^(?:apps|libs)\/.*notifications.*\.tsx?$/.test(path),
    );
    for (const path of files) tree.write(path, `${read(path)}// Mine: ${path}\n`);
    await generate({ rename: 'Alert' });
    const after = snapshot(tree);
    for (const path of files) {
      const moved = path.replaceAll('notifications', 'alerts');
      expect(after.has(path), path).toBe(false);
      expect(after.get(moved)?.trimEnd().split('\n').at(-1), moved).toMatch(/^\/\/ Mine: /);
      expect(after.get(moved)?.replace(/\/\/ Mine.*/, ''), moved).not.toMatch(/<{7}|notification/i);
    }
    expect(after.get(`${REALTIME}/alerts/alerts.service.ts`)).toContain(OWN);
    expect([...after.keys()].filter((path) => path.includes('notification'))).toEqual([]);
  });

  it('is followed by what its owner does with the members that a file declares, and by no other', async () => {
    const store = (plural: string) =>
      `apps/web/src/features/${plural}/realtime/use-${plural}-store.ts`;
    const own = (plural: string) => `
export const count = (state: State): number => state.${plural}.length;
export const mine = (config: { notifications: object }): object => config.notifications;
`;
    tree.write(store('notifications'), read(store('notifications')) + own('notifications'));
    await generate({ rename: 'Alert' });
    expect(read(store('alerts'))).toContain('state.alerts.length');
    expect(read(store('alerts'))).toContain('=> config.notifications;');
  });

  it('is followed by code that imports the domain', async () => {
    const page = (plural: string, one: string) => `'use client';
import { use${plural}Store } from '../features/${plural.toLowerCase()}/realtime/use-${plural.toLowerCase()}-store';
import { use${plural}Socket } from '@/features/${plural.toLowerCase()}/realtime/use-${plural.toLowerCase()}-socket';
import type { ${one}Created } from '@acme/realtime-contracts/${plural.toLowerCase()}';

export function Page() {
  const show = (event: ${one}Created) => alert(event.id);
  use${plural}Socket({ on${one}Created: show });
  return <p>{String(use${plural}Store)}</p>;
}
`;
    tree.write(PAGE, page('Notifications', 'Notification'));
    await generate({ rename: 'Alert' });
    expect(read(PAGE)).toBe(page('Alerts', 'Alert'));
    expect(read(LAYOUT)).toContain('<AlertsProvider />');
    expect(read(LAYOUT)).not.toContain('Notification');
  });

  it('in the domain file is brought into the code by sync, which moves the file', async () => {
    const path = `${REALTIME}/notifications/notifications.domain.json`;
    replace(`${REALTIME}/notifications/notifications.service.ts`, / {4}\/\/ In place[^]*?;\n/, OWN);
    replace(path, '"name": "Notification"', '"name": "Alert"');
    const { outOfSyncDetails } = await syncGenerator(tree);
    expect(outOfSyncDetails).toContain('renamed Notification to Alert');
    expect(tree.exists(path)).toBe(false);
    // Events and namespace are as the file says.
    const file = JSON.parse(read(`${REALTIME}/alerts/alerts.domain.json`)) as Record<
      string,
      object
    >;
    expect(file).toMatchObject({ name: 'Alert', namespace: '/notifications' });
    expect(Object.keys(file['clientEvents'] ?? {})).toEqual(['notification.markRead']);
    expect(read(`${REALTIME}/alerts/alerts.service.ts`)).toContain(OWN);
    expect(read(LAYOUT)).toContain('<AlertsProvider />');
    expect(await syncGenerator(tree)).toEqual({});
  });

  it('is refused for a domain that is not there, and for one that is taken', async () => {
    await generate({ name: 'Chat' });
    const before = snapshot(tree);
    await expect(generate({ name: 'Order', rename: 'Alert' })).rejects.toThrow(/^RT050 /);
    await expect(generate({ rename: 'Chat' })).rejects.toThrow(/^RT0\d\d /);
    expect(snapshot(tree)).toEqual(before);
  });
});

describe('other flags on a domain that exists', () => {
  it('change its namespace, and nothing that its owner wrote', async () => {
    replace(`${REALTIME}/notifications/notifications.service.ts`, / {4}\/\/ In place[^]*?;\n/, OWN);
    await generate({ namespace: '/inbox' });
    expect(read('libs/realtime-contracts/src/notifications.contract.ts')).toContain("'/inbox'");
    expect(read(`${REALTIME}/notifications/notifications.service.ts`)).toContain(OWN);
    expect(await syncGenerator(tree)).toEqual({});
  });

  it('change its rooms, and audiences that were the default with them', async () => {
    await generate({ rooms: 'user' });
    const file = read(`${REALTIME}/notifications/notifications.domain.json`);
    expect(JSON.parse(file)).toMatchObject({
      rooms: 'user',
      serverEvents: { 'notification.created': { audience: { to: 'user', field: 'userId' } } },
    });
    await generate({ rooms: 'tenant' });
    await expect(generate({ rooms: 'resource', serverEvents: ['created{id}'] })).rejects.toThrow(
      /^RT007 /,
    );
  });

  it('move it to another web app, with the edits in its files', async () => {
    addNext(tree, 'shop');
    const hook = 'features/notifications/realtime/use-notifications-socket.ts';
    tree.write(`apps/web/src/${hook}`, `${read(`apps/web/src/${hook}`)}// Mine.\n`);
    await generate({ web: 'shop', move: true });
    expect(read(`apps/shop/src/${hook}`)).toContain('// Mine.');
    expect(tree.exists(`apps/web/src/${hook}`)).toBe(false);
    expect(tree.exists('apps/web/src/lib/realtime/realtime-client.ts')).toBe(false);
    expect(read(LAYOUT)).not.toContain('Notifications');
    expect(read('apps/shop/src/app/layout.tsx')).toContain('<NotificationsProvider />');
    expect(await syncGenerator(tree)).toEqual({});
  });

  it.each([
    [{ app: 'backend' }, 'from api-gateway to backend'],
    [{ web: 'shop' }, 'from web to shop'],
    [{ app: 'backend', web: 'shop' }, 'from api-gateway to backend and from web to shop'],
  ])('move it nowhere for %j alone: a second one may be meant', async (options, moves) => {
    addNest(tree, 'backend');
    addNext(tree, 'shop');
    const before = snapshot(tree);
    await expect(generate(options)).rejects.toThrow(`Notification moves ${moves}, with your edits`);
    expect(snapshot(tree)).toEqual(before);
  });

  it('move it to another app', async () => {
    addNest(tree, 'backend');
    replace(`${REALTIME}/notifications/notifications.service.ts`, / {4}\/\/ In place[^]*?;\n/, OWN);
    await generate({ app: 'backend', move: true });
    const moved = 'apps/backend/src/realtime/notifications/notifications.service.ts';
    expect(read(moved)).toContain(OWN);
    expect([...snapshot(tree, REALTIME).keys()]).toEqual([]);
    expect(read('apps/api-gateway/src/main.ts')).not.toContain('setupRealtime');
    expect(read('apps/backend/src/main.ts')).toContain('setupRealtime');
    expect(await syncGenerator(tree)).toEqual({});
  });

  it('leave a queue in RabbitMQ, as the report says', async () => {
    tree.delete(`${REALTIME}/notifications/notifications.domain.json`);
    const { outOfSyncDetails } = await syncGenerator(tree);
    expect(outOfSyncDetails).toContain(
      'left in RabbitMQ: the queue of api-gateway stays bound, and fills: delete it once no old replica runs; where another app takes its place, REALTIME_FORMER_NAMES=api-gateway has that say so at boot',
    );
  });

  it('make it server only', async () => {
    await generate({ web: 'none' });
    expect(
      [...snapshot(tree, 'apps/web').keys()].filter((path) => path.includes('realtime')),
    ).toEqual([]);
    expect(read(LAYOUT)).not.toContain('Notifications');
  });
});

it('a domain file with a byte order mark keeps it', async () => {
  const path = `${REALTIME}/notifications/notifications.domain.json`;
  tree.write(path, `\uFEFF${read(path)}`);
  expect(await syncGenerator(tree)).toEqual({});
  await generate({ serverEvents: ['archived{id}'] });
  expect(read(path)).toMatch(/^\uFEFF\{[^]*"notification\.archived"/);
  expect(await syncGenerator(tree)).toEqual({});
});

describe('two files of one domain, as two branches leave them', () => {
  const FILE = `${REALTIME}/notifications/notifications.domain.json`;
  const OTHER = 'apps/backend/src/realtime/notifications/notifications.domain.json';

  beforeEach(() => {
    addNest(tree, 'backend');
    tree.write(OTHER, read(FILE).replace('"api-gateway"', '"backend"'));
  });

  it('are both named by sync and by the check, and nothing is written', async () => {
    expect(read(OTHER)).toContain('"backend"');
    const before = snapshot(tree);
    await expect(syncGenerator(tree)).rejects.toThrow(
      /^RT054 Two files state the domain Notification.* in web and realtime-contracts:\n {2}apps\/api-gateway.*\n {2}apps\/backend/,
    );
    expect(snapshot(tree)).toEqual(before);
    const { findings } = await checkWorkspace(tree);
    expect(findings.map(({ class: name, message }) => [name, message.slice(0, 5)])).toEqual([
      ['invalid', 'RT054'],
    ]);
  });

  it('are told by each way out', async () => {
    tree.delete(OTHER);
    expect(await syncGenerator(tree)).toEqual({});
    tree.write(
      OTHER,
      read(FILE)
        .replace('"api-gateway"', '"backend"')
        .replace('"Notification"', '"Alert"')
        .replaceAll('"notification.', '"alert.'),
    );
    await syncGenerator(tree);
    expect(read('libs/realtime-contracts/src/alerts.contract.ts')).toContain('alert.');
    expect(await syncGenerator(tree)).toEqual({});
  });
});
