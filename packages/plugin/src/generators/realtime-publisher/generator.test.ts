import type { Tree } from '@nx/devkit';
import { beforeEach, describe, expect, it } from 'vitest';
import {
  MAIN,
  MODULE,
  addNest,
  copies,
  hostTree,
  snapshot,
} from '../../../test/support/host-tree.js';
import realtimeDomainGenerator from '../realtime-domain/generator.js';
import realtimeRemoveGenerator from '../realtime-remove/generator.js';
import syncGenerator from '../sync/generator.js';
import realtimePublisherGenerator from './generator.js';
import type { RealtimePublisherSchema } from './schema.js';

const FOLDER = 'apps/orders/src/realtime/publisher';
const FILE = `${FOLDER}/realtime.publisher.json`;
const EVENTS = `${FOLDER}/realtime-events.ts`;

const domain = (tree: Tree, name: string, app = 'api-gateway') =>
  realtimeDomainGenerator(tree, { name, app, skipFormat: true });
const publish = (tree: Tree, options: Partial<RealtimePublisherSchema> = {}) =>
  realtimePublisherGenerator(tree, { app: 'orders', skipFormat: true, ...options });

async function refuses(tree: Tree, code: string, options: Partial<RealtimePublisherSchema>) {
  const before = snapshot(tree);
  await expect(publish(tree, options)).rejects.toThrow(new RegExp(`^${code} `));
  expect(snapshot(tree)).toEqual(before);
}

describe.each(['integrated', 'solution'] as const)('in an %s workspace', (layout) => {
  let tree: Tree;
  const text = (path: string): string => tree.read(path, 'utf-8') ?? '';
  const json = (path: string) => JSON.parse(text(path));

  const generated = copies(async () => {
    const made = hostTree(layout);
    addNest(made, 'orders', layout);
    await domain(made, 'Notification');
    await publish(made);
    return made;
  });

  beforeEach(async () => {
    tree = await generated();
  });

  it('emits the publisher and records the choice', () => {
    expect(tree.children(FOLDER).sort()).toEqual([
      'realtime-events.ts',
      'realtime-publisher.spec.ts',
      'realtime.publisher.json',
    ]);
    expect(json(FILE)).toEqual({ app: 'orders' });
    expect(text(EVENTS)).toContain("'notification.created': {");
  });

  it('wires the module and the shutdown hooks', () => {
    const module = text('apps/orders/src/app/app.module.ts');
    expect(module).toContain('imports: [RealtimeEventsModule],');
    expect(module).toContain("from '../realtime/publisher/realtime-events';");
    expect(text('apps/orders/src/main.ts')).toBe(
      MAIN.replace('  await app.listen', '  app.enableShutdownHooks();\n  await app.listen'),
    );
  });

  it('points development at the embedded transport of the app that serves the domain', () => {
    expect(text('apps/orders/.env.local')).toBe(
      'REALTIME_TRANSPORT=tcp\nREALTIME_TCP_PORT_API_GATEWAY=4333\n',
    );
    expect(text('apps/orders/.env.example')).toContain('RABBITMQ_URL=');
    expect(text('apps/orders/.env.example')).not.toContain('JWT_SECRET');
  });

  it('makes the contracts and the packages available to the app', () => {
    if (layout === 'integrated')
      return expect(json('package.json').dependencies).toHaveProperty('amqplib');
    expect(Object.keys(json('apps/orders/package.json').dependencies)).toEqual([
      '@acme/realtime-contracts',
      '@nestjs/microservices',
      '@nx-realtime/nest',
      'amqp-connection-manager',
      'amqplib',
      'zod',
    ]);
    expect(text('apps/orders/tsconfig.app.json')).toContain('realtime-contracts/tsconfig.lib.json');
  });

  it('changes nothing the second time, by sync or from another domain', async () => {
    const before = snapshot(tree);
    await publish(tree);
    expect(snapshot(tree)).toEqual(before);
    expect(await syncGenerator(tree)).toEqual({});
    await domain(tree, 'Notification');
    expect(snapshot(tree)).toEqual(before);
  });

  it('keeps an edit of every file, and merges a new domain into edited ones', async () => {
    const paths = tree.children(FOLDER).filter((name) => name.endsWith('.ts'));
    for (const name of paths) {
      const path = `${FOLDER}/${name}`;
      tree.write(path, `// mine above\n${text(path)}\nexport const mine = true;\n`);
    }
    const before = snapshot(tree);
    await publish(tree);
    expect(snapshot(tree)).toEqual(before);
    await domain(tree, 'Chat');
    expect(text(EVENTS)).toContain("'chat.created': {");
    expect(text(EVENTS)).toContain('// mine above');
    expect(text(EVENTS)).not.toContain('<<<<<<<');
  });

  it('learns of an event and of a domain by sync', async () => {
    const path = 'apps/api-gateway/src/realtime/notifications/notifications.domain.json';
    const file = json(path);
    file.serverEvents['notification.removed'] = { payload: { id: 'string' } };
    tree.write(path, JSON.stringify(file, null, 2));
    const chats = 'apps/api-gateway/src/realtime/chats/chats.domain.json';
    tree.write(
      chats,
      JSON.stringify({ name: 'Chat', serverEvents: { 'chat.said': { payload: {} } } }),
    );
    const { outOfSyncDetails } = await syncGenerator(tree);
    expect(outOfSyncDetails).toContain(`updated ${EVENTS}`);
    expect(text(EVENTS)).toContain("'notification.removed': {");
    expect(text(EVENTS)).toContain("'chat.said': {");
    expect(await syncGenerator(tree)).toEqual({});
  });

  it('comes up in a fresh clone by sync alone, from its file', async () => {
    for (const name of ['orders/src/app/app.module.ts', 'orders/src/main.ts']) {
      tree.write(`apps/${name}`, name.endsWith('main.ts') ? MAIN : MODULE);
    }
    await syncGenerator(tree);
    expect(text('apps/orders/src/app/app.module.ts')).toContain('RealtimeEventsModule');
    expect(text('apps/orders/src/main.ts')).toContain('app.enableShutdownHooks();');
  });

  it('routes by event to the app that serves its domain', async () => {
    addNest(tree, 'backend', layout);
    await domain(tree, 'Invoice', 'backend');
    const spec = (name: string) => text(EVENTS).split(`'${name}': {`)[1]?.split('}')[0];
    expect(spec('notification.created')).toContain('REALTIME_TCP_PORT_API_GATEWAY');
    expect(spec('invoice.created')).toContain('REALTIME_TCP_PORT_BACKEND');
    expect(text('apps/orders/.env.local')).toContain('REALTIME_TCP_PORT_BACKEND=4334');
    await publish(tree, { app: 'backend' });
    const own = text('apps/backend/src/realtime/publisher/realtime-events.ts');
    expect([...own.matchAll(/tcpPort: '(\w+)'/g)].map(([, name]) => name).sort()).toEqual([
      'REALTIME_TCP_PORT',
      'REALTIME_TCP_PORT_API_GATEWAY',
    ]);
    expect(text('apps/backend/src/main.ts')).not.toContain('enableShutdownHooks');
    expect(text('apps/backend/src/app/app.module.ts')).toMatch(
      /RealtimeModule, RealtimeEventsModule/,
    );
  });

  it('emits no test where none is wanted, also by sync', async () => {
    addNest(tree, 'billing', layout);
    await publish(tree, { app: 'billing', skipTests: true });
    await syncGenerator(tree);
    await publish(tree, { app: 'billing' });
    const names = tree.children('apps/billing/src/realtime/publisher');
    expect(names.filter((name) => name.includes('.spec.'))).toEqual([]);
    expect(json('apps/billing/src/realtime/publisher/realtime.publisher.json')).toEqual({
      app: 'billing',
      skipTests: true,
    });
  });

  it('goes by sync when its file is deleted, and nothing of it stays wired', async () => {
    tree.delete(FILE);
    const { outOfSyncDetails } = await syncGenerator(tree);
    expect(outOfSyncDetails).toContain('wired apps/orders/src/app/app.module.ts');
    expect(tree.exists(FOLDER)).toBe(false);
    expect(text('apps/orders/src/app/app.module.ts')).toBe(MODULE);
    expect(await syncGenerator(tree)).toEqual({});
  });

  it('knows a domain no more that is removed', async () => {
    await domain(tree, 'Chat');
    await realtimeRemoveGenerator(tree, { domain: 'Chat' });
    expect(text(EVENTS)).not.toContain('chat');
    expect(text(EVENTS)).toContain("'notification.created': {");
    expect(await syncGenerator(tree)).toEqual({});
  });

  it('does not create again what its owner deleted', async () => {
    tree.delete(`${FOLDER}/realtime-publisher.spec.ts`);
    await publish(tree);
    expect(tree.exists(`${FOLDER}/realtime-publisher.spec.ts`)).toBe(false);
    await publish(tree, { restore: true });
    expect(tree.exists(`${FOLDER}/realtime-publisher.spec.ts`)).toBe(true);
  });
});

describe('a mistake', () => {
  const withOrders = async (): Promise<Tree> => {
    const tree = hostTree();
    addNest(tree, 'orders');
    await domain(tree, 'Notification');
    return tree;
  };

  it.each([
    ['RT010', { app: 'nope' }],
    ['RT010', { app: 'web' }],
  ])('is refused with %s and writes nothing: %j', async (code, options) => {
    const tree = await withOrders();
    await refuses(tree, code, options);
    await expect(publish(tree, options)).rejects.toThrow(/Found: api-gateway, orders\./);
    await expect(publish(tree, options)).rejects.not.toThrow(/standalone/);
  });

  it('is a publisher without a domain', async () => {
    const tree = hostTree();
    addNest(tree, 'orders');
    await refuses(tree, 'RT030', {});
  });

  it('is a file in the way', async () => {
    const tree = await withOrders();
    tree.write(EVENTS, 'export class Mine {}\n');
    await expect(publish(tree)).rejects.toThrow(/^RT020 /);
  });

  it.each([
    ['no JSON object', 'nonsense'],
    ['an unknown member', '{ "app": "orders", "events": [] }'],
    ['another app', '{ "app": "api-gateway" }'],
  ])('is a publisher file with %s, named by sync', async (_what, content) => {
    const tree = await withOrders();
    tree.write(FILE, content);
    await expect(syncGenerator(tree)).rejects.toThrow(new RegExp(`^RT006 ${FILE}`));
  });

  it('is an event of two apps, which a publisher cannot tell apart', async () => {
    const tree = await withOrders();
    await publish(tree);
    addNest(tree, 'backend');
    await expect(
      realtimeDomainGenerator(tree, {
        name: 'Alert',
        app: 'backend',
        serverEvents: ['notification.created{id}'],
      }),
    ).rejects.toThrow(/^RT004 .*notification\.created.*api-gateway.*backend/);
  });

  it('is a main.ts of another shape: it is left as it is', async () => {
    const tree = await withOrders();
    tree.write('apps/orders/src/main.ts', "import '@nestjs/core';\nboot();\n");
    await publish(tree);
    expect(tree.read('apps/orders/src/main.ts', 'utf-8')).toBe("import '@nestjs/core';\nboot();\n");
    expect(tree.exists(EVENTS)).toBe(true);
  });
});
