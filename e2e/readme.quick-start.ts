import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import type { Browser } from 'playwright-core';
import { faultsToTheEye } from './support/accessibility';
import { openBrowser, openPage, signInToExample } from './support/browser';
import { installBuilt, pathsOutside } from './support/built';
import { Host } from './support/host';
import { completeLockfile } from './support/lockfile';
import { assertPortFree, freePort } from './support/ports';
import { answers, removeAtExit, type Running } from './support/processes';
import { tcpPublisher } from './support/publish';
import { commandsIn, sectionOf } from './support/readme';
import { recipientsOf } from './support/recorder';
import { artifact } from './support/repo';
import {
  choosePorts,
  connectUsers,
  eventually,
  JWT_SECRET,
  readDevEnv,
  startApiEmbedded,
  urlsOf,
} from './support/stack';
import { packedTarball } from './support/tarballs';

const QUICK_START = sectionOf('README.md', 'Quick start');
const COMMANDS = commandsIn(QUICK_START);
/** To make the workspace; to serve it and to see an event there. */
const MAKING = COMMANDS.slice(0, -3);
const [SERVE = '', TOKEN = '', EMIT = ''] = COMMANDS.slice(-3);
const GENERATE = MAKING.at(-1) ?? '';
const PAGE = /<(http:[^>]+)>/.exec(QUICK_START)?.[1] ?? '';
/** Built after the page is served. */
const API = 'http://localhost:3333/api';
const INSTALL = 'npx nx add @nx-realtime/plugin';

/** By README alone, on the ports that its env files state; then the same workspace elsewhere. */
describe('the quick start of the README', () => {
  let cwd: string;
  let browser: Browser;
  let host: Host;
  let clone: Host;
  let server: Running | undefined;

  beforeAll(async () => {
    await assertPortFree(3333);
    await assertPortFree(3000);
    cwd = mkdtempSync(join(tmpdir(), 'nx-realtime-quick-start-'));
    if (!process.env['NX_REALTIME_KEEP']) removeAtExit(cwd);
    browser = await openBrowser();
  });

  afterAll(async () => {
    await browser?.close();
    await server?.stop();
  });

  const hostIn = (root: string): Host => new Host(root, artifact('quick-start.log'));

  /** The commands that follow once the workspace is made: serve it, and see an event in the page. */
  const seeEvent = async (at: Host): Promise<void> => {
    const served = await at.start('serve', `exec ${SERVE}`, { http: PAGE }, {}, 300_000);
    server = served;
    try {
      // Whose page is open before connects when it can, and the browser tells of each attempt.
      await eventually(async () => expect(await answers(API)).toBe(true), 300_000);
      await seeEventIn(at);
    } finally {
      await served.stop();
    }
  };

  const seeEventIn = async (at: Host): Promise<void> => {
    const { page, problems } = await openPage(browser);
    await page.goto(PAGE);
    await signInToExample(page, await at.run(TOKEN));
    await page.getByText('Connected', { exact: true }).waitFor({ timeout: 60_000 });
    await at.run(EMIT);
    const shown = page.getByRole('log', { name: 'Received' }).getByRole('listitem');
    await shown.waitFor({ timeout: 30_000 });
    // React's strict mode mounts twice in development: still one of each.
    expect(await shown.count()).toBe(1);
    expect(await shown.innerText()).toContain('Hello');
    expect(await faultsToTheEye(page, 'quick-start')).toEqual([]);

    await page.reload();
    await page.getByText('Connected', { exact: true }).waitFor({ timeout: 60_000 });
    expect(problems).toEqual([]);
    await page.close();
  };

  it('is the same in both READMEs, and has seven commands', () => {
    expect(sectionOf('packages/plugin/README.md', 'Quick start')).toBe(QUICK_START);
    expect(COMMANDS).toHaveLength(7);
    expect(COMMANDS.filter((line) => line.includes('@nx-realtime/'))).toEqual([INSTALL]);
  });

  it.each(MAKING)('%s', async (command) => {
    if (command.startsWith('cd ')) cwd = resolve(cwd, command.slice(3));
    // No version is published: in the one command that installs it, the plugin's name is that of the packed one.
    else
      await hostIn(cwd).run(
        command === INSTALL ? `${INSTALL}@file:${packedTarball('plugin')}` : command,
      );
  });

  it('then serves both apps, and shows in the page what the last command publishes', async () => {
    host = hostIn(cwd);
    await seeEvent(host);
  });

  it('changes nothing when it generates again', async () => {
    if (!host.has('.git')) host.git('init', '--quiet', '--initial-branch=main');
    completeLockfile(host.root);
    for (const file of ['package.json', 'package-lock.json']) {
      expect([file, pathsOutside(host, file)]).toEqual([file, []]);
    }
    host.commit('Generate the stack');
    await host.run(GENERATE);
    expect(host.status()).toEqual([]);
  });

  it('makes apps that build, boot and deliver', async () => {
    const ports = await choosePorts();
    const { api } = urlsOf(ports);
    await host.run('npx nx run-many -t build', { NEXT_PUBLIC_REALTIME_URL: api });
    server = await startApiEmbedded(host, ports);
    const publisher = await eventually(() => tcpPublisher(ports.tcp));
    const recorders = await connectUsers(() => api, '/notifications');
    const publish = (tenantId: string, id: string): Promise<void> =>
      publisher.publish('notification.created', tenantId, { id, message: id, type: 'info' });
    await publish('t1', 'n1');
    const expected = ['t1/u1', 't1/u2'];
    const received = await recipientsOf('n1', expected, recorders, async (barrier) => {
      for (const tenant of ['t1', 't2']) await publish(tenant, barrier);
    });
    expect(received).toEqual(expected);
    recorders.forEach((recorder) => recorder.close());
    await publisher.close();
    await server.stop();
  });

  describe('and a second developer with a fresh clone', () => {
    it('is told what is missing when a server starts without its env file', async () => {
      const root = join(dirname(host.root), 'clone');
      host.git('clone', '--quiet', host.root, root);
      clone = new Host(root, artifact('second-developer.log'));
      await clone.run('npm ci');
      await clone.run('npx nx build api-gateway');
      const { code, output } = await clone.tryRun('node dist/apps/api-gateway/main.js');
      expect(code).not.toBe(0);
      expect(output).toMatch(/REALTIME_JWT_SECRET is missing/);
      expect(output).toContain('npx nx-realtime env');
    });

    it('builds a server that is installed by itself, elsewhere, and boots', async () => {
      const built = await installBuilt(clone, 'dist/apps/api-gateway');
      expect(built.read('node_modules/@nx-realtime/nest/package.json')).toContain('"version"');
      const [port, tcp] = await Promise.all([freePort(), freePort()]);
      const url = `http://127.0.0.1:${port}`;
      server = await built.start(
        'server',
        'exec node main.js',
        { http: `${url}/api` },
        {
          PORT: String(port),
          REALTIME_JWT_SECRET: JWT_SECRET,
          REALTIME_ORIGINS: 'http://localhost:3000',
          REALTIME_TRANSPORT: 'tcp',
          REALTIME_TCP_PORT: String(tcp),
        },
      );
      expect((await fetch(`${url}/health/ready`)).status).toBe(200);
      const polled = await fetch(`${url}/socket.io/?EIO=4&transport=polling`);
      expect([polled.status, await polled.text()]).toEqual([
        400,
        expect.stringContaining('takes websockets only'),
      ]);
      await server.stop();
    });

    it('creates the env files, once', async () => {
      await clone.run('npx nx-realtime env');
      const api = readDevEnv(clone, 'api-gateway');
      expect(api).toMatchObject({ PORT: '3333', REALTIME_TRANSPORT: 'tcp' });
      expect(Buffer.byteLength(api['REALTIME_JWT_SECRET'] ?? '')).toBeGreaterThanOrEqual(32);
      expect(readDevEnv(clone, 'web')).toEqual({
        NEXT_PUBLIC_REALTIME_URL: 'http://localhost:3333',
      });
      expect(clone.status()).toEqual([]);
      await clone.run('npx nx-realtime env');
      expect(readDevEnv(clone, 'api-gateway')).toEqual(api);
    });

    it('serves both apps on the default ports, and an event shows in the page', async () => {
      await seeEvent(clone);
    });
  });
});
