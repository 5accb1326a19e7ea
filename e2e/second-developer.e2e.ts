import { dirname, join } from 'node:path';
import { openBrowser, openPage } from './support/browser';
import { installBuilt, pathsOutside } from './support/built';
import { createHost, Host, installPlugin } from './support/host';
import { completeLockfile } from './support/lockfile';
import { assertPortFree, freePort } from './support/ports';
import { answers, type Running } from './support/processes';
import { tcpPublisher } from './support/publish';
import { artifact } from './support/repo';
import { addPage, eventually, JWT_SECRET, readDevEnv } from './support/stack';
import { mintToken } from './support/token';

describe('a second developer with a fresh clone', () => {
  let clone: Host;
  const servers: Running[] = [];

  beforeAll(async () => {
    // The ports that the development env files state: nobody sets a variable in this story.
    await assertPortFree(3333);
    await assertPortFree(3000);
    const first = await createHost('integrated', 'second-developer');
    await installPlugin(first);
    await first.run(
      `npx nx g realtime-domain Notification --clientEvents='markRead{notificationId}'`,
    );
    await first.run('npx nx g realtime-domain Chat');
    addPage(first);
    completeLockfile(first.root);
    first.commit('Generate Notification and Chat');
    for (const file of ['package.json', 'package-lock.json']) {
      expect([file, pathsOutside(first, file)]).toEqual([file, []]);
    }
    const root = join(dirname(first.root), 'clone');
    first.git('clone', '--quiet', first.root, root);
    clone = new Host(root, artifact('second-developer-clone.log'));
  });

  afterAll(() => Promise.all(servers.map((server) => server.stop())));

  it('is told what is missing when a server starts without its env file', async () => {
    await clone.run('npm ci');
    await clone.run('npx nx build api-gateway');
    const { code, output } = await clone.tryRun('node dist/apps/api-gateway/main.js');
    expect(code).not.toBe(0);
    expect(output).toMatch(/JWT_SECRET is missing/);
    expect(output).toContain('npx nx-realtime env');
  });

  it('builds a server that is installed by itself, elsewhere', async () => {
    const built = await installBuilt(clone, 'dist/apps/api-gateway');
    expect(built.read('node_modules/@nx-realtime/nest/package.json')).toContain('"version"');
    const port = await freePort();
    const url = `http://127.0.0.1:${port}`;
    const server = await built.start(
      'server',
      'exec node main.js',
      { http: `${url}/api` },
      {
        PORT: String(port),
        JWT_SECRET,
        FRONTEND_URL: 'http://localhost:3000',
        REALTIME_TRANSPORT: 'tcp',
        REALTIME_TCP_PORT: String(await freePort()),
      },
    );
    const polling = await fetch(`${url}/socket.io/?EIO=4&transport=polling`);
    expect([polling.status, await polling.text()]).toEqual([200, expect.stringContaining('"sid"')]);
    await server.stop();
  });

  it('creates the env files, once', async () => {
    await clone.run('npx nx-realtime env');
    const api = readDevEnv(clone, 'api-gateway');
    expect(api).toMatchObject({ PORT: '3333', REALTIME_TRANSPORT: 'tcp' });
    expect(Buffer.byteLength(api['JWT_SECRET'] ?? '')).toBeGreaterThanOrEqual(32);
    expect(readDevEnv(clone, 'web')).toEqual({ NEXT_PUBLIC_API_URL: 'http://localhost:3333' });
    expect(clone.status()).toEqual([]);
    await clone.run('npx nx-realtime env');
    expect(readDevEnv(clone, 'api-gateway')).toEqual(api);
  });

  it('serves both apps on the default ports, and an event shows in the page', async () => {
    servers.push(
      await clone.start('api', 'exec npx nx serve api-gateway', {
        http: 'http://localhost:3333/api',
      }),
      await clone.start('web', 'exec npx nx dev web', { http: 'http://localhost:3000' }),
    );
    // Compiled on first use: not within the time that the page has.
    expect(await answers('http://localhost:3000/inbox')).toBe(true);
    const { JWT_SECRET = '', REALTIME_TCP_PORT } = readDevEnv(clone, 'api-gateway');
    const publisher = await eventually(() => tcpPublisher(Number(REALTIME_TCP_PORT)));
    const browser = await openBrowser();
    try {
      const { page, problems } = await openPage(browser);
      const token = mintToken(JWT_SECRET, { tenantId: 't1', sub: 'u1' });
      await page.goto(`http://localhost:3000/inbox#${token}`);
      await eventually(async () => {
        await publisher.publish('notification.created', 't1', {
          id: 'n1',
          message: 'Seen in development',
          type: 'info',
        });
        await page.getByText('Seen in development').waitFor({ timeout: 1_000 });
      });
      // React's strict mode mounts twice in development: still one of each.
      expect(await page.locator('#notifications li').allTextContents()).toEqual([
        'Seen in development',
      ]);
      await page.screenshot({ path: artifact('second-developer-browser.png') });
      expect(problems).toEqual([]);
    } finally {
      await browser.close();
      await publisher.close();
    }
  });
});
