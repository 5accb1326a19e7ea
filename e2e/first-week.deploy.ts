import { execFileSync } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { startRabbit, startRedis, type Broker } from './support/brokers';
import { buildImage, type Image } from './support/dockerfile';
import { createHost, installPlugin, type Host } from './support/host';
import { freePort } from './support/ports';
import type { Running } from './support/processes';
import { amqpPublisher, type Publisher } from './support/publish';
import { recipientsOf, type Recorder } from './support/recorder';
import { REPO } from './support/repo';
import {
  choosePorts,
  connectUsers,
  eventually,
  JWT_SECRET,
  urlsOf,
  type Ports,
} from './support/stack';
import { mintToken } from './support/token';

const PAGE = readFileSync(join(REPO, 'docs/first-week.md'), 'utf8');

/** Blocks of code in a language whose first line says this much, without that line. */
const blocks = (language: string, first: RegExp): [title: string, code: string][] =>
  [...PAGE.matchAll(new RegExp(`^\`\`\`${language}\\n([^\\n]*)\\n([\\s\\S]*?)^\`\`\`$`, 'gm'))]
    .filter(([, title]) => first.test(title ?? ''))
    .map(([, title, code]) => [title ?? '', code ?? '']);

const block = (language: string, first: RegExp): string => {
  const [found] = blocks(language, first);
  if (!found) throw new Error(`docs/first-week.md has no ${language} of ${first.source}`);
  return found[1];
};

const APP = 'apps/api-gateway/src';

/** A user follows docs/first-week.md to its end, in a workspace of the TypeScript preset. */
describe('the first week', () => {
  let host: Host;
  let ports: Ports;

  beforeAll(async () => {
    host = await createHost('ts', 'deploy');
    ports = await choosePorts();
    await installPlugin(host);
  });

  it('begins with its commands and its files', async () => {
    const [[first, rest] = ['', '']] = blocks('sh', /^nx g realtime-domain/);
    const commands = `${first}\n${rest}`.replaceAll('\\\n', ' ').trim().split('\n');
    expect(commands).toHaveLength(2);
    for (const command of commands) await host.run(`npx ${command.trim()}`);
    const files = blocks('tsx?', /^\/\/ apps\//);
    expect(files.length).toBeGreaterThan(9);
    for (const [title, code] of files) {
      host.write(title.slice('// '.length), code.replaceAll('@acme/', '@acme-ts/'));
    }
    edit(`${APP}/realtime/realtime.module.ts`, (text) =>
      withImport(
        text,
        'NotificationsDataModule',
        '../notifications/notifications-data.module',
      ).replace(/RealtimeEventsModule(?=[,\]])/, '$&, NotificationsDataModule'),
    );
    edit(`${APP}/app/app.module.ts`, (text) =>
      withImport(text, 'NotificationsModule', '../notifications/notifications.module').replace(
        'imports: [',
        'imports: [NotificationsModule, ',
      ),
    );
    const cors = block('ts', /^\/\/ in .*main\.ts/);
    edit(`${APP}/main.ts`, (text) =>
      text.replace('  await app.listen', `  ${cors}  await app.listen`),
    );
    const config = block('js', /^\/\/ in .*next\.config\.js/);
    edit('apps/web/next.config.js', (text) =>
      text.replace(/const nextConfig = \{[\s\S]*?^\};\n/m, config),
    );
    host.write(
      'apps/web/src/app/page.tsx',
      "import { NotificationList } from '../features/notifications/notification-list';\n\nexport default function Index() {\n  return <NotificationList />;\n}\n",
    );
    await host.run('npx nx sync');
    host.commit('The first week');
  });

  it('passes the generated tests and its own', async () => {
    const output = await host.run('npx nx test @acme-ts/api-gateway --output-style=static');
    for (const spec of ['notifications.gateway.spec.ts', 'notifications.spec.ts']) {
      expect(output).toContain(spec);
    }
  });

  describe('the API', () => {
    let image: Image;
    let brokers: Broker[] = [];
    let replicas: Running[] = [];
    let publisher: Publisher;
    let recorders: Recorder[] = [];
    let urls: string[] = [];

    beforeAll(async () => {
      image = await buildImage(host, block('dockerfile', /^# apps\/api-gateway\/Dockerfile/));
      const [rabbitmq, redis, second] = await Promise.all([
        startRabbit(),
        startRedis(),
        freePort(),
      ]);
      brokers = [rabbitmq, redis];
      urls = [ports.api, second].map((port) => `http://localhost:${port}`);
      replicas = await Promise.all(
        [ports.api, second].map((port) =>
          image.start(
            `api-${port}`,
            { http: `http://localhost:${port}/health/ready` },
            {
              PORT: String(port),
              REALTIME_JWT_SECRET: JWT_SECRET,
              REALTIME_ORIGINS: urlsOf(ports).web,
              RABBITMQ_URL: rabbitmq.url,
              REDIS_URL: redis.url,
            },
          ),
        ),
      );
      publisher = await amqpPublisher(rabbitmq.url);
      recorders = await connectUsers((index) => urls[index % 2] ?? '', '/notifications');
    });

    afterAll(async () => {
      recorders.forEach((recorder) => recorder.close());
      await publisher?.close();
      await Promise.all(replicas.map((replica) => replica.stop()));
      await Promise.all(brokers.map((broker) => broker.stop()));
    });

    it('is a folder of about 50 MB', () => {
      const [megabytes] = execFileSync('du', ['-sm', image.folder], { encoding: 'utf8' }).split(
        '\t',
      );
      expect(Number(megabytes)).toBeGreaterThan(20);
      expect(Number(megabytes)).toBeLessThan(70);
    });

    it('delivers an event to its user, on whichever replica', async () => {
      const send = (id: string, tenantId: string, userId: string): Promise<void> =>
        publisher.publish('notification.created', tenantId, {
          id,
          message: 'hi',
          type: 'info',
          userId,
        });
      const barriers = async (id: string): Promise<void> => {
        for (const tenant of ['t1', 't2'])
          for (const user of ['u1', 'u2']) await send(id, tenant, user);
      };
      await eventually(() => send('is-anyone-there', 't0', 'u0'));
      for (const [tenant, user] of [
        ['t1', 'u1'],
        ['t1', 'u2'],
      ] as const) {
        const name = `${tenant}/${user}`;
        await send(`to-${user}`, tenant, user);
        expect(await recipientsOf(`to-${user}`, [name], recorders, barriers)).toEqual([name]);
      }
    });

    it('answers the list to who has a token, and marks nothing that is not there', async () => {
      const url = `${urls[0]}/api/notifications`;
      expect((await fetch(url)).status).toBe(401);
      const authorization = `Bearer ${mintToken(JWT_SECRET, { tenantId: 't1', sub: 'u1' })}`;
      const origin = urlsOf(ports).web;
      const response = await fetch(url, { headers: { authorization, origin } });
      expect(response.headers.get('access-control-allow-origin')).toBe(origin);
      expect(await response.json()).toEqual({ notifications: [], unread: 0 });
      const ack: unknown = await recorders[0]?.socket
        .timeout(5_000)
        .emitWithAck('notification.markRead', { notificationId: 'none' });
      expect(ack).toMatchObject({ ok: false, error: { code: 'NOT_FOUND' } });
    });

    it('ends in order', async () => {
      const [, second] = replicas;
      process.kill(second?.pid ?? 0, 'SIGTERM');
      expect(await second?.exited).toBe(0);
    });
  });

  it('the web app serves its page, with the URL of the API in it', async () => {
    const { api, web } = urlsOf(ports);
    const dockerfile = block('dockerfile', /^# apps\/web\/Dockerfile/);
    const image = await buildImage(host, dockerfile, { NEXT_PUBLIC_REALTIME_URL: api });
    const server = await image.start('web', { http: web }, { PORT: String(ports.web) });
    try {
      const html = await (await fetch(web)).text();
      expect(html).toMatch(/Notifications/);
      const scripts = join(image.folder, 'apps/web/.next/static/chunks');
      const code = readdirSync(scripts)
        .filter((file) => file.endsWith('.js'))
        .map((file) => readFileSync(join(scripts, file), 'utf8'));
      expect(code.some((text) => text.includes(api))).toBe(true);
      const script = /src="(\/_next\/static\/[^"]+\.js)"/.exec(html)?.[1] ?? '';
      expect((await fetch(web + script)).status).toBe(200);
    } finally {
      await server.stop();
    }
  });

  const edit = (path: string, change: (text: string) => string): void => {
    const before = host.read(path);
    const after = change(before);
    expect([path, after === before]).toEqual([path, false]);
    host.write(path, after);
  };

  const withImport = (text: string, name: string, from: string): string =>
    `import { ${name} } from '${from}';\n${text}`;
});

/** Where no app has a package.json, the build alone writes what is deployed. */
describe('a workspace of the integrated preset', () => {
  it('is deployed by the two other lines', async () => {
    const host = await createHost('integrated', 'deploy-integrated');
    const ports = await choosePorts();
    await installPlugin(host);
    await host.run('npx nx g realtime-domain Notification --web=none');
    host.commit('A domain');
    const [build = '', copy = ''] =
      /^```dockerfile\n(RUN .*)\n(COPY .*)\n```$/m.exec(PAGE)?.slice(1) ?? [];
    const dockerfile = block('dockerfile', /^# apps\/api-gateway\/Dockerfile/)
      .replace(/^RUN npx nx prune .*$/m, build)
      .replace(/^COPY --from.*$/m, copy);
    const image = await buildImage(host, dockerfile);
    const rabbitmq = await startRabbit();
    const api = urlsOf(ports).api;
    const server = await image.start(
      'api',
      { http: `${api}/health/ready` },
      {
        PORT: String(ports.api),
        REALTIME_JWT_SECRET: JWT_SECRET,
        REALTIME_ORIGINS: urlsOf(ports).web,
        RABBITMQ_URL: rabbitmq.url,
      },
    );
    const publisher = await amqpPublisher(rabbitmq.url);
    const recorders = await connectUsers(() => api, '/notifications');
    const send = (id: string, tenantId: string): Promise<void> =>
      publisher.publish('notification.created', tenantId, { id, message: 'hi', type: 'info' });
    try {
      await eventually(() => send('is-anyone-there', 't0'));
      await send('deployed', 't1');
      const names = ['t1/u1', 't1/u2'];
      const barriers = async (id: string): Promise<void> => {
        for (const tenant of ['t1', 't2']) await send(id, tenant);
      };
      expect(await recipientsOf('deployed', names, recorders, barriers)).toEqual(names);
    } finally {
      recorders.forEach((recorder) => recorder.close());
      await publisher.close();
      await server.stop();
      await rabbitmq.stop();
    }
  });
});
