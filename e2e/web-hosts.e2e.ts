import type { Page } from 'playwright-core';
import { faultsToTheEye } from './support/accessibility';
import { openBrowser, openPage, signInToExample } from './support/browser';
import { createHost, installPlugin, type Host } from './support/host';
import { freePort } from './support/ports';
import type { Running } from './support/processes';
import { tcpPublisher, type Publisher } from './support/publish';
import { choosePorts, eventually, JWT_SECRET, startApiEmbedded, type Ports } from './support/stack';
import { mintToken } from './support/token';

const GENERATE = [
  `npx nx g realtime-domain Notification --web=spa --example --clientEvents='markRead{notificationId}'`,
  `npx nx g realtime-domain Chat --web=site --example --clientEvents='say{text,loud?:boolean}'`,
];

/** A React app on Vite, and a Next.js app with a pages router and no src folder. */
describe('a workspace with web apps of other kinds', () => {
  let host: Host;
  let ports: Ports;
  let spaPort: number;
  let api: string;
  const urls = { spa: '', site: '' };

  beforeAll(async () => {
    host = await createHost('webs', 'web-hosts');
    ports = await choosePorts();
    spaPort = await freePort();
    api = `http://localhost:${ports.api}`;
    urls.spa = `http://localhost:${spaPort}`;
    urls.site = `http://localhost:${ports.web}`;
    await installPlugin(host);
    host.commit('Add the plugin');
  });

  it('is generated into, once', async () => {
    for (const command of GENERATE) await host.run(command);
    expect(host.read('apps/spa/.env.local')).toBe('VITE_REALTIME_URL=http://localhost:3333\n');
    expect(host.read('apps/site/.env.local')).toBe(
      'NEXT_PUBLIC_REALTIME_URL=http://localhost:3333\n',
    );
    expect(host.read('apps/api-gateway/.env.local')).toMatch(
      /^REALTIME_ORIGINS=http:\/\/localhost:3000,http:\/\/localhost:4200$/m,
    );
    host.commit('Generate Notification and Chat');
    for (const command of GENERATE) await host.run(command);
    await host.run('npx nx sync:check');
    expect(host.status()).toEqual([]);
  });

  it('builds, type-checks and lints', async () => {
    // What the generator prints for an app without routes that files make.
    host.write(
      'apps/spa/src/app/app.tsx',
      `import { NotificationsExample } from '../features/notifications/example/notifications-example';

export function App() {
  return <NotificationsExample />;
}

export default App;
`,
    );
    // Which language pages are in is for their owner to say: Nx states none.
    host.write(
      'apps/site/pages/_document.tsx',
      `import { Head, Html, Main, NextScript } from 'next/document';

export default function Document() {
  return (
    <Html lang="en">
      <Head />
      <body>
        <Main />
        <NextScript />
      </body>
    </Html>
  );
}
`,
    );
    await host.run('npx nx run-many -t build -p spa,site,api-gateway', {
      VITE_REALTIME_URL: api,
      NEXT_PUBLIC_REALTIME_URL: api,
    });
    await host.run('npx tsc --noEmit -p apps/spa/tsconfig.app.json');
    const output = await host.run('npx nx run-many -t lint -p spa,site --output-style=static');
    expect(output).not.toMatch(/\bwarning\b|\berror\b/);
  });

  it('builds by webpack, with what the generator says of it', async () => {
    const change = (file: string, text: string, more: string): void => {
      const path = `apps/site/${file}`;
      host.write(path, host.read(path).replace(text, `${text} ${more}`));
    };
    const build = '"build": { "options": { "args": "--webpack" } }';
    change('project.json', '"targets": {', build);
    const told = await host.run(GENERATE[1] ?? '');
    const snippets = [
      /"baseUrl": "\.\.\/\.\.",\s+"ignoreDeprecations": "6\.0",/,
      /experimental: { externalDir: true },/,
    ];
    const [options = '', config = ''] = snippets.map((snippet) => snippet.exec(told)?.[0]);
    change('tsconfig.json', '"compilerOptions": {', options);
    change('next.config.js', 'const nextConfig = {', config);
    const output = await host.run('npx nx build site', { NEXT_PUBLIC_REALTIME_URL: api });
    expect(output).toContain('(webpack)');
    host.git('checkout', '--quiet', '--', 'apps/site');
  });

  it('passes its own tests, in Vitest and in Jest', async () => {
    const specs = 'notifications-realtime chats-realtime';
    const [notifications = '', chats = ''] = specs.split(' ');
    expect(await host.run(`npx nx test spa --run ${notifications}`)).toMatch(
      /4 passed|[5-9] passed/,
    );
    expect(await host.run(`npx nx test site -- ${chats}`)).toMatch(/Tests:.* passed/);
  });

  describe('in a browser', () => {
    const running: Running[] = [];
    let publisher: Publisher;

    beforeAll(async () => {
      const origins = `${urls.site},${urls.spa}`;
      running.push(
        await startApiEmbedded(host, ports, { REALTIME_ORIGINS: origins }),
        await host.start(
          'site',
          `exec npx next start apps/site --port ${ports.web}`,
          { http: urls.site },
          { NODE_ENV: 'production' },
        ),
        await startSpa(),
      );
      publisher = await eventually(() => tcpPublisher(ports.tcp));
    });

    afterAll(async () => {
      await publisher?.close();
      await Promise.all(running.map((server) => server.stop()));
    });

    const startSpa = (): Promise<Running> =>
      host.start('spa', `cd apps/spa && exec npx vite preview --port ${spaPort} --strictPort`, {
        http: urls.spa,
      });

    it.each([
      { app: 'spa', path: '', event: 'notification.created', form: 'notification.markRead' },
      {
        app: 'site',
        path: '/realtime-example/chats',
        event: 'chat.created',
        form: 'chat.say',
      },
    ] as const)('$app shows what arrives and sends', async ({ app, path, event, form }) => {
      await inPage(`${urls[app]}${path}`, async (page, problems) => {
        await signInToExample(page, 'no token of this server');
        await page.getByText('UNAUTHORIZED').waitFor({ timeout: 20_000 });
        // Nothing of it stays in a production build, where any script could read it.
        expect(await page.evaluate(() => sessionStorage.length)).toBe(0);
        expect(await page.getByLabel('Access token').evaluate(isFocused)).toBe(true);
        expect(await faultsToTheEye(page, `example-${app}-refused`)).toEqual([]);

        await signInToExample(page, mintToken(JWT_SECRET, { tenantId: 't1', sub: 'u1' }));
        await page.getByText('Connected', { exact: true }).waitFor({ timeout: 20_000 });
        expect(await page.getByRole('heading', { level: 1 }).evaluate(isFocused)).toBe(true);
        const publish = (tenantId: string, id: string): Promise<void> =>
          publisher.publish(event, tenantId, { id, message: `For ${tenantId}`, type: 'info' });
        await publish('t2', 'foreign');
        await publish('t1', 'own');
        await page.getByText('For t1').waitFor({ timeout: 10_000 });
        expect(await page.getByRole('listitem').count()).toBe(1);

        const sending = page.getByRole('form', { name: form });
        await sending.getByRole('textbox').fill('n1');
        await sending.getByRole('button', { name: 'Send' }).click();
        await sending.getByText('Acknowledged').waitFor({ timeout: 10_000 });
        expect(await faultsToTheEye(page, `example-${app}`)).toEqual([]);
        expect(problems).toEqual([]);
      });
    });

    it('says that the URL of the API is missing, and connects nowhere', async () => {
      await running.pop()?.stop();
      // The build for the right URL is in the cache of Nx; another URL is another build.
      await host.run('npx nx build spa', { VITE_REALTIME_URL: '/api' });
      running.push(await startSpa());
      await inPage(urls.spa, async (page, problems) => {
        const sockets: string[] = [];
        page.on('websocket', (socket) => sockets.push(socket.url()));
        await signInToExample(page, mintToken(JWT_SECRET, { tenantId: 't1', sub: 'u1' }));
        await page.getByText('CONFIGURATION: VITE_REALTIME_URL').waitFor({ timeout: 10_000 });
        expect(problems.join('\n')).toContain('VITE_REALTIME_URL is not an absolute http(s) URL');
        expect(sockets).toEqual([]);
      });
    });
  });
});

const isFocused = (element: Element): boolean => element === document.activeElement;

async function inPage(
  url: string,
  look: (page: Page, problems: readonly string[]) => Promise<void>,
): Promise<void> {
  const browser = await openBrowser();
  try {
    const { page, problems } = await openPage(browser);
    await page.goto(url);
    await look(page, problems);
  } finally {
    await browser.close();
  }
}
