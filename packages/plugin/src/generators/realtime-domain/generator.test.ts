import type { Tree } from '@nx/devkit';
import { beforeEach, describe, expect, it } from 'vitest';
import {
  LAYOUT,
  MAIN,
  addNest,
  addNext,
  copies,
  hostTree,
  snapshot,
  addVite,
} from '../../../test/support/host-tree.js';
import realtimeRemoveGenerator from '../realtime-remove/generator.js';
import syncGenerator from '../sync/generator.js';
import realtimeDomainGenerator from './generator.js';
import type { RealtimeDomainSchema } from './schema.js';

const REALTIME = 'apps/api-gateway/src/realtime';
const generate = (tree: Tree, options: Partial<RealtimeDomainSchema> = {}) =>
  realtimeDomainGenerator(tree, { name: 'Notification', skipFormat: true, ...options });

/** Rejects with this code, and leaves the Tree as it was. */
async function refuses(tree: Tree, code: string, options: Partial<RealtimeDomainSchema>) {
  const before = snapshot(tree);
  await expect(generate(tree, options)).rejects.toThrow(new RegExp(`^${code} `));
  expect(snapshot(tree)).toEqual(before);
}

describe.each(['integrated', 'solution'] as const)('in an %s workspace', (layout) => {
  let tree: Tree;
  const contracts = `${layout === 'solution' ? 'packages' : 'libs'}/realtime-contracts`;

  const generated = copies(async () => {
    const made = hostTree(layout);
    await generate(made, { clientEvents: ['markRead{notificationId}'] });
    return made;
  });

  beforeEach(async () => {
    tree = await generated();
  });

  it('emits the whole vertical', () => {
    for (const path of [
      `${REALTIME}/realtime.module.ts`,
      `${REALTIME}/guards/ws-auth.guard.ts`,
      `${REALTIME}/notifications/notifications.domain.json`,
      `${REALTIME}/notifications/notifications.gateway.ts`,
      `${REALTIME}/notifications/notifications.gateway.spec.ts`,
      `${REALTIME}/notifications/notifications-ws.consumer.ts`,
      `${REALTIME}/notifications/notifications-ws.consumer.spec.ts`,
      `${REALTIME}/notifications/notifications.service.ts`,
      `${contracts}/src/notifications.contract.ts`,
      'apps/web/src/features/notifications/realtime/use-notifications-socket.ts',
      'apps/web/src/features/notifications/realtime/use-notifications-store.ts',
      'apps/web/src/features/notifications/realtime/notifications-provider.tsx',
      'apps/web/src/lib/realtime/realtime-client.ts',
      'apps/web/src/stores/auth.store.ts',
      'docker-compose.realtime.yml',
    ]) {
      expect(tree.exists(path), path).toBe(true);
    }
  });

  it('wires main.ts, the module and the root layout', () => {
    const text = (path: string) => tree.read(path, 'utf-8');
    expect(text('apps/api-gateway/src/main.ts')).toBe(
      MAIN.replace(
        "'./app/app.module';",
        "'./app/app.module';\nimport { setupRealtime } from '@nx-realtime/nest';",
      ).replace('  await app.listen', '  await setupRealtime(app);\n  await app.listen'),
    );
    expect(text('apps/api-gateway/src/app/app.module.ts')).toContain('imports: [RealtimeModule],');
    expect(text('apps/web/src/app/layout.tsx')).toContain('<NotificationsProvider />');
    expect(text('nx.json')).toContain('"@nx-realtime/plugin:sync"');
  });

  it('makes env files that are ignored by git, with a random secret', async () => {
    const secret = (of: Tree) =>
      /^REALTIME_JWT_SECRET=([0-9a-f]{64})$/m.exec(
        of.read('apps/api-gateway/.env.local', 'utf-8') ?? '',
      )?.[1];
    const other = hostTree(layout);
    await generate(other);
    expect(secret(tree)).toBeDefined();
    expect(secret(tree)).not.toBe(secret(other));
    expect(tree.read('.gitignore', 'utf-8')).toMatch(/^\.env\.local$/m);
    expect(tree.read('apps/api-gateway/.env.example', 'utf-8')).not.toContain(secret(tree));
    expect(tree.read('apps/web/.env.local', 'utf-8')).toBe(
      'NEXT_PUBLIC_REALTIME_URL=http://localhost:3333\n',
    );
  });

  it('changes nothing the second time', async () => {
    const before = snapshot(tree);
    await generate(tree);
    expect(snapshot(tree)).toEqual(before);
    expect(await syncGenerator(tree)).toEqual({});
    expect(snapshot(tree)).toEqual(before);
  });

  it('keeps an edit of every file', async () => {
    const generated = [...snapshot(tree).keys()].filter(
      (path) => /^(?:apps|libs|packages)\//.test(path) && /\.tsx?$/.test(path),
    );
    for (const path of generated) {
      tree.write(path, `${tree.read(path, 'utf-8')}\nexport const mine = true;\n`);
    }
    const before = snapshot(tree);
    await generate(tree);
    expect(snapshot(tree)).toEqual(before);
  });

  it('merges a change into edited files', async () => {
    const path = `${REALTIME}/notifications/notifications.service.ts`;
    const edited = `${tree.read(path, 'utf-8')}\n// mine\n`;
    tree.write(path, edited);
    await generate(tree, { clientEvents: ['archive{notificationId}'] });
    const merged = tree.read(path, 'utf-8') ?? '';
    expect(merged).toContain('archive(');
    expect(merged).toContain('markRead(');
    expect(merged).toContain('// mine');
    expect(merged).not.toContain('<<<<<<<');
  });

  it('leaves the files of one domain as they are when another is added', async () => {
    const before = [...snapshot(tree)].filter(([path]) => path.includes('notifications'));
    await generate(tree, { name: 'Chat', clientEvents: ['say{text}'] });
    const after = snapshot(tree);
    for (const [path, text] of before) expect(after.get(path), path).toBe(text);
    expect(tree.read(`${REALTIME}/realtime.module.ts`, 'utf-8')).toContain('ChatsGateway');
    expect(tree.read('apps/web/src/app/layout.tsx', 'utf-8')).toContain('<ChatsProvider />');
  });

  it('adds an event to a domain that is named in the plural', async () => {
    await generate(tree, { name: 'notifications', serverEvents: ['removed{id}'] });
    const file = tree.read(`${REALTIME}/notifications/notifications.domain.json`, 'utf-8') ?? '';
    expect(Object.keys(JSON.parse(file).serverEvents)).toEqual([
      'notification.created',
      'notification.removed',
    ]);
  });

  it('brings an edited domain file into the code by sync', async () => {
    const path = `${REALTIME}/notifications/notifications.domain.json`;
    const file = JSON.parse(tree.read(path, 'utf-8') ?? '');
    file.serverEvents['notification.removed'] = { payload: { id: 'string' } };
    tree.write(path, JSON.stringify(file, null, 2));
    const result = await syncGenerator(tree);
    expect(result.outOfSyncMessage).toBeDefined();
    expect(tree.read(`${contracts}/src/notifications.contract.ts`, 'utf-8')).toContain(
      'notification.removed',
    );
    expect(await syncGenerator(tree)).toEqual({});
  });

  it('does not create again what its owner deleted', async () => {
    const path = `${REALTIME}/notifications/notifications.gateway.spec.ts`;
    tree.delete(path);
    await generate(tree);
    expect(tree.exists(path)).toBe(false);
    await generate(tree, { restore: true });
    expect(tree.exists(path)).toBe(true);
  });
});

describe('projects', () => {
  it('takes the only Nest and Next.js apps there are', async () => {
    const tree = hostTree();
    for (const name of ['api-gateway', 'web']) {
      for (const path of snapshot(tree, `apps/${name}`).keys()) tree.delete(path);
    }
    addNest(tree, 'backend');
    addNext(tree, 'shop');
    await generate(tree);
    expect(tree.exists('apps/backend/src/realtime/realtime.module.ts')).toBe(true);
    expect(tree.read('apps/shop/src/app/layout.tsx', 'utf-8')).toContain('NotificationsProvider');
  });

  it('gives each app its own ports', async () => {
    const tree = hostTree();
    addNest(tree, 'backend');
    await generate(tree);
    await generate(tree, { name: 'Order', app: 'backend' });
    expect(tree.read('apps/backend/.env.local', 'utf-8')).toMatch(/^PORT=3334$/m);
    expect(tree.read('apps/backend/.env.local', 'utf-8')).toMatch(/^REALTIME_TCP_PORT=4334$/m);
  });

  it('emits no browser code for a server-only domain', async () => {
    const tree = hostTree();
    await generate(tree, { web: 'none' });
    expect(
      [...snapshot(tree, 'apps/web').keys()].filter((path) => path.includes('realtime')),
    ).toEqual([]);
  });

  it('takes a React app on Vite: its variable, its port and its entry', async () => {
    const tree = hostTree();
    addVite(tree, 'spa');
    await generate(tree, { web: 'spa' });
    const text = (path: string) => tree.read(path, 'utf-8') ?? '';
    expect(text('apps/spa/.env.local')).toBe('VITE_REALTIME_URL=http://localhost:3333\n');
    expect(text('apps/api-gateway/.env.local')).toMatch(
      /^REALTIME_ORIGINS=http:\/\/localhost:4200$/m,
    );
    expect(text('apps/spa/src/main.tsx')).toContain('<App/>\n    <NotificationsProvider />\n');
    expect(text('apps/spa/src/lib/realtime/realtime-client.ts')).toContain(
      'url: import.meta.env.VITE_REALTIME_URL,\n  apiUrl: import.meta.env.VITE_API_URL,',
    );
    const ours = [...snapshot(tree, 'apps/spa')].filter(([path]) => path.includes('realtime'));
    expect(ours.filter(([, content]) => content.includes('use client'))).toEqual([]);
    const before = snapshot(tree);
    await generate(tree);
    expect(snapshot(tree)).toEqual(before);
  });

  it('allows the origins of every web app, and keeps those that its owner chose', async () => {
    const tree = hostTree();
    addVite(tree, 'spa');
    const origins = () =>
      ['.env.local', '.env.example'].map(
        (name) =>
          /^REALTIME_ORIGINS=(.*)$/m.exec(
            tree.read(`apps/api-gateway/${name}`, 'utf-8') ?? '',
          )?.[1],
      );
    await generate(tree);
    await generate(tree, { name: 'Chat', web: 'spa' });
    const both = 'http://localhost:4200,http://localhost:3000';
    expect(origins()).toEqual([both, both]);
    const env = tree.read('apps/api-gateway/.env.local', 'utf-8') ?? '';
    tree.write('apps/api-gateway/.env.local', env.replace(both, 'http://localhost:8080'));
    await generate(tree, { name: 'Order' });
    expect(origins()).toEqual(['http://localhost:8080', both]);
  });

  it('prefers the only Next.js app to a React app, and names both', async () => {
    const tree = hostTree();
    for (const path of snapshot(tree, 'apps/web').keys()) tree.delete(path);
    addVite(tree, 'spa');
    addNext(tree, 'shop');
    await generate(tree);
    expect(tree.exists('apps/shop/src/lib/realtime')).toBe(true);
    await expect(generate(tree, { web: 'nope' })).rejects.toThrow(/Found: (?=.*shop)(?=.*spa)/);
  });

  it('creates the _app that a pages router has not, and mounts it once', async () => {
    const tree = hostTree();
    for (const path of snapshot(tree, 'apps/web/src').keys()) tree.delete(path);
    tree.write('apps/web/pages/index.tsx', 'export default () => null;\n');
    await generate(tree);
    const app = tree.read('apps/web/pages/_app.tsx', 'utf-8');
    expect(app).toContain('<Component {...pageProps} />\n      <NotificationsProvider />');
    expect(tree.exists('apps/web/features/notifications/realtime')).toBe(true);
    const before = snapshot(tree);
    await generate(tree);
    expect(snapshot(tree)).toEqual(before);
  });

  it('keeps to the src folder where Nx names the root as source root', async () => {
    const tree = hostTree();
    const project = { name: 'web', projectType: 'application', sourceRoot: 'apps/web' };
    tree.write('apps/web/project.json', JSON.stringify(project));
    await generate(tree);
    expect(tree.exists('apps/web/src/lib/realtime')).toBe(true);
    expect(tree.exists('apps/web/lib')).toBe(false);
  });

  it.each([
    ['gives', '~15.5.0', '~5.9.2', {}, '../..'],
    ['leaves it to the owner to give', '~15.5.0', '~6.0.3', {}, undefined],
    ['does not give', '~16.1.0', '~5.9.2', {}, undefined],
    ['does not give', '~15.5.0', '~5.9.2', { baseUrl: '.' }, undefined],
  ])('%s a baseUrl to Next.js %s with TypeScript %s and %j', async (...facts) => {
    const [, next, typescript, options, expected] = facts;
    const tree = hostTree();
    const json = JSON.parse(tree.read('package.json', 'utf-8') ?? '');
    json.dependencies = { ...json.dependencies, next };
    json.devDependencies = { typescript };
    tree.write('package.json', JSON.stringify(json));
    tree.write(
      'tsconfig.base.json',
      JSON.stringify({ compilerOptions: { ...options, paths: {} } }),
    );
    await generate(tree);
    const config = JSON.parse(tree.read('apps/web/tsconfig.json', 'utf-8') ?? '');
    expect(config.compilerOptions?.baseUrl).toBe(expected);
    const before = snapshot(tree);
    await generate(tree);
    expect(snapshot(tree)).toEqual(before);
  });

  it.each([
    ['beside the file', {}, {}, '../../libs/realtime-contracts/src/*.contract.ts'],
    [
      'by its own baseUrl',
      {},
      { baseUrl: 'src' },
      '../../../libs/realtime-contracts/src/*.contract.ts',
    ],
    ['by the baseUrl of all', { baseUrl: '.' }, {}, './libs/realtime-contracts/src/*.contract.ts'],
  ])(
    'names the contract in an app that has paths of its own, %s, and takes it back',
    async (_, base, own, expected) => {
      const tree = hostTree();
      const name = '@acme/realtime-contracts/*';
      const path = 'apps/web/tsconfig.json';
      const before = {
        extends: '../../tsconfig.base.json',
        compilerOptions: { ...own, paths: { '@/*': ['./src/*'] } },
      };
      tree.write('tsconfig.base.json', JSON.stringify({ compilerOptions: { ...base, paths: {} } }));
      tree.write(path, JSON.stringify(before));
      await generate(tree);
      const config = JSON.parse(tree.read(path, 'utf-8') ?? '');
      expect(config.compilerOptions.paths).toEqual({ '@/*': ['./src/*'], [name]: [expected] });
      expect(config.compilerOptions.baseUrl).toBe(before.compilerOptions.baseUrl);
      await realtimeRemoveGenerator(tree, { domain: 'Notification', force: true });
      expect(JSON.parse(tree.read(path, 'utf-8') ?? '')).toEqual(before);
    },
  );

  it.each([
    [
      'a target',
      'project.json',
      { targets: { build: { command: 'next build --webpack' } } },
      '../..',
    ],
    ['a script', 'package.json', { scripts: { build: 'next build --webpack' } }, '../..'],
    [
      'an option',
      'project.json',
      { targets: { build: { options: { args: '--webpack' } } } },
      '../..',
    ],
    ['no flag', 'project.json', { targets: { build: { command: 'next build' } } }, undefined],
  ])('gives a baseUrl to Next.js 16 that %s builds by webpack', async (_, file, text, expected) => {
    const tree = hostTree();
    const json = JSON.parse(tree.read('package.json', 'utf-8') ?? '');
    json.dependencies = { ...json.dependencies, next: '~16.1.0' };
    json.devDependencies = { ...json.devDependencies, typescript: '~5.9.2' };
    tree.write('package.json', JSON.stringify(json));
    const path = `apps/web/${file}`;
    const project = JSON.parse(tree.read(path, 'utf-8') ?? '{}');
    tree.write(path, JSON.stringify({ ...project, ...text }));
    await generate(tree);
    const config = JSON.parse(tree.read('apps/web/tsconfig.json', 'utf-8') ?? '');
    expect(config.compilerOptions?.baseUrl).toBe(expected);
  });

  it('builds again when the URL of the API is another, unless the inputs are of another shape', async () => {
    const inputs = async (nx: object) => {
      const tree = hostTree();
      tree.write('nx.json', JSON.stringify(nx));
      await generate(tree);
      return JSON.parse(tree.read('nx.json', 'utf-8') ?? '').namedInputs;
    };
    expect(
      await inputs({
        namedInputs: { default: ['sharedGlobals'], sharedGlobals: ['{workspaceRoot}/ci.yml'] },
      }),
    ).toEqual({
      default: ['sharedGlobals'],
      sharedGlobals: [
        '{workspaceRoot}/ci.yml',
        { env: 'NEXT_PUBLIC_REALTIME_URL' },
        { env: 'NEXT_PUBLIC_API_URL' },
      ],
    });
    expect(await inputs({ namedInputs: { default: ['{projectRoot}/**/*'] } })).toEqual({
      default: ['{projectRoot}/**/*'],
    });
  });

  it.each<[string, string[]]>([
    ['src/app/layout.tsx', ['src/app/realtime-example/notifications/page.tsx']],
    ['app/[locale]/layout.tsx', ['app/[locale]/realtime-example/notifications/page.tsx']],
    ['pages/index.tsx', ['pages/realtime-example/notifications.tsx']],
  ])('shows an example beside %s, keeps it, and lets it go', async (entry, expected) => {
    const tree = hostTree();
    for (const path of snapshot(tree, 'apps/web/src').keys()) tree.delete(path);
    tree.write(`apps/web/${entry}`, LAYOUT);
    await generate(tree);
    const pages = () =>
      [...snapshot(tree, 'apps/web').keys()].filter((path) => path.includes('realtime-example/'));
    expect(pages()).toEqual([]);
    const without = snapshot(tree);
    await generate(tree, { example: true });
    expect(pages()).toEqual(expect.arrayContaining(expected.map((path) => `apps/web/${path}`)));
    expect(pages().filter((path) => path.includes('notifications'))).toHaveLength(1);
    const before = snapshot(tree);
    await generate(tree);
    expect(snapshot(tree)).toEqual(before);
    await generate(tree, { example: false });
    const file = tree.read(`${REALTIME}/notifications/notifications.domain.json`, 'utf-8');
    expect(file).not.toContain('example');
    expect(pages()).toEqual([]);
    expect(snapshot(tree).size).toBe(without.size);
  });

  it('adds the option, a dashboard and packages when asked to, keeps them, and lets them go', async () => {
    const tree = hostTree();
    await generate(tree);
    const before = [...snapshot(tree).keys()].filter((path) => !path.includes('.nx-realtime/'));
    const isObserved = () => [
      tree.read(`${REALTIME}/realtime.module.ts`, 'utf-8')?.includes('realtimeObservability()'),
      tree.exists('realtime.dashboard.json'),
      /"@opentelemetry\/api"[^]*"prom-client"/.test(tree.read('package.json', 'utf-8') ?? ''),
    ];
    const address = () => tree.read('apps/api-gateway/.env.local', 'utf-8')?.includes('9464');
    expect(address()).toBe(false);
    expect(tree.read('package.json', 'utf-8')).not.toMatch(/prom-client|opentelemetry/);
    await generate(tree, { observability: true });
    expect(isObserved()).toEqual([true, true, true]);
    expect(address()).toBe(true);
    const observed = snapshot(tree);
    await generate(tree);
    expect(snapshot(tree)).toEqual(observed);
    // For the whole app: another domain neither needs to ask for it nor takes it away.
    await generate(tree, { name: 'Chat' });
    expect(isObserved()).toEqual([true, true, true]);
    await generate(tree, { name: 'Chat', observability: false });
    expect(isObserved()).toEqual([true, true, true]);
    await generate(tree, { observability: false });
    expect(isObserved()).toEqual([false, false, false]);
    expect(tree.read('package.json', 'utf-8')).not.toMatch(/prom-client|opentelemetry/);
    expect(tree.read(`${REALTIME}/realtime.module.ts`, 'utf-8')).not.toContain('bservability');
    for (const path of before) expect(tree.exists(path), path).toBe(true);
  });

  it('uses an auth store that is there', async () => {
    const tree = hostTree();
    const mine = "export { useSession as useAuthStore } from '../session';\n";
    tree.write('apps/web/src/stores/auth.store.ts', mine);
    await generate(tree);
    expect(tree.read('apps/web/src/stores/auth.store.ts', 'utf-8')).toBe(mine);
  });
});

describe('a mistake', () => {
  it.each([
    ['RT001', { name: '2FA' }],
    ['RT001', { name: '../x' }],
    ['RT002', { serverEvents: ['created{id message}'] }],
    ['RT003', { serverEvents: ['created{id:strin}'] }],
    ['RT004', { serverEvents: ['created{id,id}'] }],
    ['RT004', { serverEvents: ['created', 'created'] }],
    ['RT005', { namespace: 'x' }],
    ['RT007', { web: 'none', example: true }],
    ['RT009', { from: 'nowhere.json' }],
    ['RT010', { app: 'nope' }],
    ['RT010', { app: 'web' }],
    ['RT012', { web: 'nope' }],
    ['RT012', { web: 'api-gateway' }],
  ])('is refused with %s and writes nothing: %j', async (code, options) => {
    await refuses(hostTree(), code, options);
  });

  it('names the apps found', async () => {
    await expect(generate(hostTree(), { app: 'nope' })).rejects.toThrow(/Found: api-gateway\./);
    await expect(generate(hostTree(), { web: 'nope' })).rejects.toThrow(/Found: web\./);
  });

  it('is a namespace that another domain has', async () => {
    const tree = hostTree();
    await generate(tree);
    await refuses(tree, 'RT005', { name: 'Chat', namespace: '/notifications' });
  });

  it('is a file in the way, unless it is adopted', async () => {
    const tree = hostTree();
    tree.write(`${REALTIME}/notifications/notifications.gateway.ts`, 'export class Mine {}\n');
    await refuses(tree, 'RT020', {});
    await generate(tree, { adopt: true, serverEvents: ['created{id}'] });
    expect(tree.read(`${REALTIME}/notifications/notifications.gateway.ts`, 'utf-8')).toContain(
      'export class Mine {}',
    );
  });
});

describe('a host of another shape', () => {
  it('is left as it is where it is not recognised, and all else is done', async () => {
    const tree = hostTree();
    const main = MAIN.replace('const app = await', 'const app: unknown = await boot(').replace(
      'create(AppModule);',
      'create(AppModule));',
    );
    tree.write('apps/api-gateway/src/main.ts', main);
    await generate(tree);
    expect(tree.read('apps/api-gateway/src/main.ts', 'utf-8')).toBe(main);
    expect(tree.read('apps/api-gateway/src/app/app.module.ts', 'utf-8')).toContain(
      'RealtimeModule',
    );
    expect(tree.exists(`${REALTIME}/realtime.module.ts`)).toBe(true);
  });
});
