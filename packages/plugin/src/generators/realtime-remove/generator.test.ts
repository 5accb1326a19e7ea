import type { Tree } from '@nx/devkit';
import { beforeEach, describe, expect, it } from 'vitest';
import { addNext, copies, hostTree, snapshot } from '../../../test/support/host-tree.js';
import initGenerator from '../init/generator.js';
import realtimeDomainGenerator from '../realtime-domain/generator.js';
import type { RealtimeDomainSchema } from '../realtime-domain/schema.js';
import realtimePublisherGenerator from '../realtime-publisher/generator.js';
import syncGenerator from '../sync/generator.js';
import realtimeRemoveGenerator from './generator.js';

const REALTIME = 'apps/api-gateway/src/realtime';
const SERVICE = `${REALTIME}/notifications/notifications.service.ts`;
const PAGE = 'apps/web/src/app/page.tsx';

const generate = (tree: Tree, options: Partial<RealtimeDomainSchema> = {}) =>
  realtimeDomainGenerator(tree, {
    name: 'Notification',
    clientEvents: ['markRead{notificationId}'],
    ...options,
  });
const remove = (tree: Tree, options: { domain?: string; force?: boolean } = {}) =>
  realtimeRemoveGenerator(tree, { domain: 'notifications', ...options });

/** Every file; package.json as data, for Nx sorts what it writes. */
function files(tree: Tree): Record<string, unknown> {
  const entries = [...snapshot(tree)].map(([path, text]) => [
    path,
    path.endsWith('.json') ? (JSON.parse(text) as unknown) : text,
  ]);
  return Object.fromEntries(entries) as Record<string, unknown>;
}

/** A fresh host after `init`, as the domain will find it. */
async function initialised(
  layout: 'integrated' | 'solution',
  prepare: (tree: Tree) => void,
): Promise<Tree> {
  const tree = hostTree(layout);
  tree.write(
    'nx.json',
    JSON.stringify({ namedInputs: { default: ['sharedGlobals'], sharedGlobals: [] } }, null, 2),
  );
  prepare(tree);
  await initGenerator(tree);
  return tree;
}

const toPagesRouter = (tree: Tree): void => {
  tree.delete('apps/web/src/app/layout.tsx');
  tree.write('apps/web/src/pages/index.tsx', 'export default () => null;\n');
};

const PLAIN = () => undefined;

const SHAPES: [string, Partial<RealtimeDomainSchema>, (tree: Tree) => void][] = [
  ['by default', {}, PLAIN],
  ['server only', { web: 'none' }, PLAIN],
  ['with rooms resource', { rooms: 'resource' }, PLAIN],
  ['with rooms custom', { rooms: 'custom' }, PLAIN],
  ['without tests', { skipTests: true }, PLAIN],
  ['not mounted', { skipMount: true }, PLAIN],
  ['with a namespace of its own', { namespace: '/n/x' }, PLAIN],
  ['with a contract library of its own', { contracts: 'shared-events' }, PLAIN],
  ['in a pages router', {}, toPagesRouter],
  [
    'in an app whose env files hold other things',
    {},
    (tree) => {
      tree.write('apps/api-gateway/.env.example', 'LOG_LEVEL=info\n');
      tree.write('apps/api-gateway/.env.local', 'LOG_LEVEL=debug\n');
    },
  ],
  [
    'in an app that has zod and its own secret',
    {},
    (tree) => {
      tree.write(
        'apps/api-gateway/src/auth.ts',
        "import { z } from 'zod';\nexport const secret = z.string().parse(process.env.JWT_SECRET);\n",
      );
      tree.write('apps/api-gateway/.env.example', 'JWT_SECRET=\n');
      tree.write('apps/api-gateway/.env.local', 'JWT_SECRET=mine\n');
    },
  ],
];

describe.each(['integrated', 'solution'] as const)('in an %s workspace', (layout) => {
  it.each(SHAPES)(
    'leaves the workspace as init left it: a domain %s',
    async (name, options, prepare) => {
      const tree = await initialised(layout, prepare);
      const before = files(tree);
      await generate(tree, options);
      expect(files(tree)).not.toEqual(before);
      await remove(tree);
      const after = files(tree);
      if (name.includes('zod')) {
        // Imported by the app itself, so it stays.
        const { dependencies } = after['package.json'] as { dependencies: object };
        expect(dependencies).toHaveProperty('zod');
        for (const path of ['package.json', 'apps/api-gateway/package.json']) {
          delete before[path];
          delete after[path];
        }
        // A secret that was added beside what is there would be no longer ignored.
        expect(tree.read('apps/api-gateway/.env.local', 'utf-8')).toBe('JWT_SECRET=mine\n');
      }
      if (tree.exists('apps/api-gateway/.env.local')) {
        expect(after['.gitignore']).toContain('.env.local');
        delete before['.gitignore'];
        delete after['.gitignore'];
      }
      expect(after).toEqual(before);
      expect(await syncGenerator(tree)).toEqual({});
    },
  );

  it('leaves the other domain as it would be without the one removed', async () => {
    const tree = await initialised(layout, PLAIN);
    await generate(tree, { name: 'Chat' });
    const before = files(tree);
    await generate(tree);
    await remove(tree);
    expect(files(tree)).toEqual(before);
  });

  it('leaves what the other web app needs', async () => {
    const tree = await initialised(layout, (host) => addNext(host, 'shop', layout));
    await generate(tree, { name: 'Chat' });
    const before = files(tree);
    await generate(tree, { web: 'shop' });
    await remove(tree);
    const after = files(tree);
    // The origin of a second web app stays allowed: only its owner knows what else is there.
    for (const all of [before, after]) {
      delete all['apps/api-gateway/.env.example'];
      delete all['apps/api-gateway/.env.local'];
    }
    expect(after).toEqual(before);
  });
});

describe('refusing', () => {
  let tree: Tree;

  const generated = copies(async () => {
    const made = await initialised('integrated', PLAIN);
    await generate(made);
    return made;
  });

  beforeEach(async () => {
    tree = await generated();
  });

  it('names the lines of other code that imports the domain', async () => {
    tree.write(
      PAGE,
      "'use client';\n\nimport { useNotificationsStore } from '../features/notifications/realtime/use-notifications-store';\nexport const X = useNotificationsStore;\n",
    );
    tree.write(
      'apps/api-gateway/src/cron.ts',
      "export const load = () => import('./realtime/notifications/notifications.service');\n",
    );
    tree.write(
      'apps/web/src/other.ts',
      `export * from '${/'(@\w+\/realtime-contracts\/notifications)'/.exec(tree.read(SERVICE, 'utf-8') ?? '')?.[1]}';\n`,
    );
    const error = await remove(tree).catch((reason: Error) => reason.message);
    expect(error).toMatch(/^RT055 /);
    expect(error).toContain(`${PAGE}:3 `);
    expect(error).toContain('apps/api-gateway/src/cron.ts:1 ');
    expect(error).toContain('apps/web/src/other.ts:1 ');
  });

  it('lists the files that its owner has edited', async () => {
    tree.write(SERVICE, `${tree.read(SERVICE, 'utf-8')}// mine\n`);
    await expect(remove(tree)).rejects.toThrow(/^RT053 .*\n {2}apps.*notifications\.service\.ts\n/);
  });

  it('is overruled by force', async () => {
    tree.write(SERVICE, `${tree.read(SERVICE, 'utf-8')}// mine\n`);
    tree.write(
      PAGE,
      "export * from '../features/notifications/realtime/use-notifications-store';\n",
    );
    await remove(tree, { force: true });
    expect(tree.exists(SERVICE)).toBe(false);
    expect(tree.exists('.nx-realtime/manifest.json')).toBe(false);
    expect(tree.exists(PAGE)).toBe(true);
  });

  it('is not for what wiring added', async () => {
    const layout = 'apps/web/src/app/layout.tsx';
    tree.write(
      layout,
      (tree.read(layout, 'utf-8') ?? '').replace('{children}', '<b>{children}</b>'),
    );
    await remove(tree);
    expect(tree.read(layout, 'utf-8')).not.toContain('Notifications');
    expect(tree.read(layout, 'utf-8')).toContain('<b>{children}</b>');
  });

  it('keeps an auth store that its owner has edited, and one that is imported', async () => {
    const store = 'apps/web/src/stores/auth.store.ts';
    tree.write(PAGE, "export { useAuthStore } from '../stores/auth.store';\n");
    await remove(tree);
    expect(tree.exists(store)).toBe(true);
    expect(await syncGenerator(tree)).toEqual({});
  });

  it('names a domain that is not there', async () => {
    await expect(remove(tree, { domain: 'Order' })).rejects.toThrow(/^RT050 /);
  });

  it('is for the last domain of an app that publishes', async () => {
    await realtimePublisherGenerator(tree, { app: 'api-gateway' });
    await expect(remove(tree, { force: true })).rejects.toThrow(/^RT055 .*publish/);
  });
});

describe('removing the domain file by hand', () => {
  it('is followed by sync: untouched code and its wiring go, edited code stays', async () => {
    const tree = await initialised('integrated', PLAIN);
    await generate(tree);
    await generate(tree, { name: 'Chat' });
    tree.write(SERVICE, `${tree.read(SERVICE, 'utf-8')}// mine\n`);
    tree.delete(`${REALTIME}/notifications/notifications.domain.json`);
    await syncGenerator(tree);
    expect(tree.exists(SERVICE)).toBe(true);
    expect(tree.exists(`${REALTIME}/notifications/notifications.gateway.ts`)).toBe(false);
    expect(tree.read('apps/web/src/app/layout.tsx', 'utf-8')).not.toContain('Notifications');
    expect(tree.read('apps/web/src/app/layout.tsx', 'utf-8')).toContain('<ChatsProvider />');
    expect(await syncGenerator(tree)).toEqual({});
  });
});
