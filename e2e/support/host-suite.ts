import { describeAttacks } from './attacks';
import { openBrowser, openPage } from './browser';
import { describeBrowserLife } from './browser-life';
import { pathsOutside } from './built';
import { startRabbit, startRedis, type Broker } from './brokers';
import { createHost, installPlugin, type Host, type HostKind } from './host';
import { addLifePage } from './life-page';
import { freePort } from './ports';
import type { Running } from './processes';
import { amqpPublisher, tcpPublisher, type Publisher } from './publish';
import type { Recorder } from './recorder';
import { recipientsOf } from './recorder';
import { artifact } from './repo';
import {
  addPage,
  choosePorts,
  connectUsers,
  eventually,
  JWT_SECRET,
  startApiEmbedded,
  startApiOnBrokers,
  startWeb,
  urlsOf,
  type Ports,
} from './stack';
import { mintToken } from './token';

export interface HostSuite {
  readonly kind: Exclude<HostKind, 'empty' | 'webs'>;
  /** Command lines that type-check everything that the plugin generates. */
  readonly typecheck: readonly string[];
  /** Folder of the contract library. */
  readonly contracts: string;
  /** What Next.js writes itself when it builds; `next-env.d.ts` where it is not given. */
  readonly nextWrites?: readonly string[];
}

const GENERATE = [
  `npx nx g realtime-domain Notification --clientEvents='markRead{notificationId}'`,
  `npx nx g realtime-domain Chat --clientEvents='typing{chatId,active:boolean}'`,
];

/** All that a user does with the plugin in one real workspace, in this order. */
export function describeHost({
  kind,
  typecheck,
  contracts,
  nextWrites = ['apps/web/next-env.d.ts'],
}: HostSuite): void {
  describe(`a workspace of the ${kind} preset`, () => {
    /** The other preset stays without. */
    const observed = kind === 'integrated';
    let host: Host;
    let ports: Ports;
    let api: string;

    beforeAll(async () => {
      host = await createHost(kind, `host-${kind}`);
      ports = await choosePorts();
      api = urlsOf(ports).api;
    });

    describe('generating', () => {
      it('is installed by nx add, which touches workspace files only', async () => {
        await installPlugin(host);
        const touched = host.status().map(pathOf);
        expect(touched).toEqual(expect.arrayContaining(['nx.json', 'package.json']));
        expect(touched.filter((path) => path.startsWith('apps/'))).toEqual([]);
        const kept = touched.filter((path) => path.startsWith('.nx-realtime/packages/'));
        expect(kept).toHaveLength(3);
        expect(touched.length - kept.length).toBeLessThanOrEqual(8);
        for (const file of ['package.json', 'package-lock.json']) {
          expect([file, pathsOutside(host, file)]).toEqual([file, []]);
        }
        host.commit('Add the plugin');
      });

      it('needs nothing but a name and its events', async () => {
        for (const command of GENERATE) await host.run(command);
        const touched = host.status();
        expect(touched.map(pathOf).filter((path) => !isExpected(path, contracts))).toEqual([]);
        expect(touched.filter((line) => !/^( M|\?\?)/.test(line))).toEqual([]);
        expect(touched.map(pathOf)).toEqual(
          expect.arrayContaining([
            'apps/api-gateway/src/realtime/notifications/notifications.domain.json',
            'apps/api-gateway/src/realtime/chats/chats.domain.json',
            `${contracts}/src/notifications.contract.ts`,
            'apps/web/src/features/chats/realtime/use-chats-store.ts',
            'apps/web/src/stores/auth.store.ts',
          ]),
        );
        expect(host.git('diff', 'apps/api-gateway/src/main.ts')).toContain(
          '+  await setupRealtime(app);',
        );
        host.commit('Generate Notification and Chat');
      });

      it('changes nothing when it is run again', async () => {
        for (const command of GENERATE) await host.run(command);
        expect(host.status()).toEqual([]);
      });

      if (observed) {
        it('adds metrics, tracing and a dashboard later, when it is run again', async () => {
          await host.run('npx nx g realtime-domain Notification --observability');
          expect(host.status().map(pathOf)).toEqual(
            expect.arrayContaining([
              'apps/api-gateway/src/realtime/realtime.module.ts',
              'realtime.dashboard.json',
            ]),
          );
          host.commit('Observe the API');
          for (const command of GENERATE) await host.run(command);
          expect(host.status()).toEqual([]);
        });
      }

      it('is in sync, and says when it is not', async () => {
        await host.run('npx nx sync:check');
        const file = 'apps/api-gateway/src/realtime/chats/chats.domain.json';
        const domain = JSON.parse(host.read(file)) as { clientEvents: Record<string, object> };
        domain.clientEvents['chat.leave'] = { payload: { chatId: 'string' } };
        host.write(file, `${JSON.stringify(domain, null, 2)}\n`);
        expect((await host.tryRun('npx nx sync:check')).code).not.toBe(0);
        await host.run('npx nx sync');
        await host.run('npx nx sync:check');
        expect(host.read(`${contracts}/src/chats.contract.ts`)).toContain("'chat.leave'");
        host.git('reset', '--hard', '--quiet');
        expect(host.status()).toEqual([]);
      });

      it('keeps an edit in every generated file, also when an event is added beside it', async () => {
        const files = generatedSources(host);
        expect(files.length).toBeGreaterThan(20);
        expect(files.sort()).toEqual(recordedSources(host));
        for (const file of files) {
          host.write(file, `// The owner's first line.\n${host.read(file)}// The owner's last.\n`);
        }
        host.commit('Edit every generated file');
        for (const command of GENERATE) await host.run(command);
        expect(host.status()).toEqual([]);

        await host.run(`npx nx g realtime-domain Notification --clientEvents='archive{reason?}'`);
        const service = 'apps/api-gateway/src/realtime/notifications/notifications.service.ts';
        expect(host.read(service)).toMatch(/async archive\(/);
        for (const file of files) {
          expect([file, host.read(file).split('\n')[0]]).toEqual([
            file,
            "// The owner's first line.",
          ]);
          expect([file, host.read(file).trimEnd().split('\n').pop()]).toEqual([
            file,
            "// The owner's last.",
          ]);
        }
        host.git('reset', '--hard', '--quiet', 'HEAD~1');
        expect(host.status()).toEqual([]);
      });
    });

    describe('the code as generated', () => {
      it('builds, both apps', async () => {
        addPage(host);
        addLifePage(host);
        host.commit('Pages that show what arrives');
        // By address: to a server that is called localhost nobody is ever offline.
        const url = api.replace('localhost', '127.0.0.1');
        await host.run('npx nx run-many -t build', { NEXT_PUBLIC_REALTIME_URL: url });
      });

      it('type-checks', async () => {
        for (const command of typecheck) await host.run(command);
      });

      it('has no lint finding', async () => {
        // ESLint may find something in what Next.js writes itself: next-env.d.ts of Next.js 15.
        const { output } = await host.tryRun('npx nx run-many -t lint');
        expect(output).toMatch(/Running target lint for \d+ projects/);
        expect(findingsIn(output).filter((path) => path.includes('realtime'))).toEqual([]);
      });

      it('passes its own tests in the runner of the workspace', async () => {
        const output = await host.run('npx nx run-many -t test --output-style=static');
        for (const spec of generatedSources(host).filter((file) => /\.spec\.tsx?$/.test(file))) {
          const name = spec.slice(spec.lastIndexOf('/') + 1);
          expect([name, output.includes(name)]).toEqual([name, true]);
        }
      });

      it('left the working tree as it was', () => {
        expect(host.status().filter((line) => !nextWrites.includes(pathOf(line)))).toEqual([]);
      });
    });

    describe('on the embedded transport: no broker, no Redis', () => {
      let metrics: string;
      let server: Running;
      let publisher: Publisher;
      let recorders: Recorder[] = [];

      beforeAll(async () => {
        metrics = `127.0.0.1:${await freePort()}`;
        server = await startApiEmbedded(host, ports, { REALTIME_METRICS_ADDRESS: metrics });
        publisher = await eventually(() => tcpPublisher(ports.tcp));
        recorders = await connectUsers(() => api, '/notifications');
      });

      afterAll(async () => {
        recorders.forEach((recorder) => recorder.close());
        await publisher?.close();
        await server?.stop();
      });

      describeDelivery(
        () => publisher,
        () => recorders,
      );
      describeAttacks(() => ports, ['/notifications', '/chats']);

      it('shows an event in the browser', async () => {
        const web = await startWeb(host, ports);
        const browser = await openBrowser();
        try {
          const { page, problems } = await openPage(browser);
          const token = mintToken(JWT_SECRET, { tenantId: 't1', sub: 'u1' });
          await page.goto(`${urlsOf(ports).web}/inbox#${token}`);
          // The provider connects some time after the page: events are not replayed, so send until one shows.
          await eventually(async () => {
            await publisher.publish('notification.created', 't1', {
              ...notification('n-browser'),
              message: 'Hello, tenant',
            });
            await page.getByText('Hello, tenant').waitFor({ timeout: 1_000 });
          });
          const order: Record<string, string> = {
            'for-u1': 'Only for u1',
            'for-u2': 'Only for u2',
            last: 'The last one',
          };
          for (const [id, message] of Object.entries(order)) {
            const userId = id.startsWith('for-') ? { userId: id.slice(4) } : {};
            await publisher.publish('notification.created', 't1', {
              ...notification(id),
              ...userId,
              message,
            });
          }
          await publisher.publish('chat.created', 't1', {
            id: 'c1',
            message: 'A chat',
            type: 'new',
          });
          await page.getByText('The last one').waitFor({ timeout: 10_000 });
          await page.getByText('A chat').waitFor({ timeout: 10_000 });
          // Newest first, the duplicate once, what is another user's not at all.
          expect(await page.locator('#notifications li').allTextContents()).toEqual([
            'The last one',
            'Only for u1',
            'Hello, tenant',
          ]);
          await page.screenshot({ path: artifact(`host-${kind}-browser.png`) });
          expect(problems).toEqual([]);
        } finally {
          await browser.close();
          await web.stop();
        }
      });

      it(`${observed ? 'tells' : 'has no'} metrics, on an address of their own`, async () => {
        expect((await fetch(`${api}/metrics`)).status).toBe(404);
        const text = await fetch(`http://${metrics}/metrics`).then(
          (response) => response.text(),
          () => 'nothing',
        );
        expect(text).toMatch(observed ? /^realtime_emits_total{.*} \d/m : /^nothing$/);
      });

      it('ends at once when it is told to', async () => {
        const started = Date.now();
        await server.stop(10_000);
        expect(Date.now() - started).toBeLessThan(8_000);
        expect(await server.exited).toBe(0);
      });
    });

    if (kind === 'integrated') {
      describeBrowserLife(
        () => host,
        () => ports,
      );
    }

    describe('on RabbitMQ and Redis, two replicas in production', () => {
      let brokers: { rabbitmq: Broker; redis: Broker };
      let replicas: Running[] = [];
      let publisher: Publisher;
      let recorders: Recorder[] = [];

      beforeAll(async () => {
        const [rabbitmq, redis, second] = await Promise.all([
          startRabbit(),
          startRedis(),
          freePort(),
        ]);
        brokers = { rabbitmq, redis };
        const urls = { rabbitmq: rabbitmq.url, redis: redis.url };
        replicas = await Promise.all(
          [ports.api, second].map((port) => startApiOnBrokers(host, port, ports, urls)),
        );
        publisher = await amqpPublisher(rabbitmq.url);
        // Each tenant has a user on either replica.
        recorders = await connectUsers(
          (index) => `http://localhost:${index % 2 === 0 ? ports.api : second}`,
          '/notifications',
        );
        await eventually(() =>
          publisher.publish('notification.created', 't0', notification('is-anyone-there')),
        );
      });

      it('is alive and ready, below no prefix', async () => {
        for (const path of ['/health/live', '/health/ready']) {
          await eventually(async () => expect((await fetch(api + path)).status).toBe(200));
        }
      });

      afterAll(async () => {
        recorders.forEach((recorder) => recorder.close());
        await publisher?.close();
        await Promise.all(replicas.map((replica) => replica.stop()));
        await Promise.all([brokers?.rabbitmq.stop(), brokers?.redis.stop()]);
      });

      describeDelivery(
        () => publisher,
        () => recorders,
      );
      describeAttacks(() => ports, ['/notifications', '/chats']);
    });
  });
}

/** Who receives an event, and who does not. */
function describeDelivery(publisherOf: () => Publisher, recordersOf: () => Recorder[]): void {
  const recipients = async (
    id: string,
    expected: readonly string[],
    tenantId: string,
    userId?: string,
  ): Promise<string[]> => {
    const publish = (tenant: string, payload: object): Promise<void> =>
      publisherOf().publish('notification.created', tenant, payload);
    await publish(tenantId, { ...notification(id), ...(userId && { userId }) });
    return recipientsOf(id, expected, recordersOf(), async (barrier) => {
      for (const tenant of ['t1', 't2']) await publish(tenant, notification(barrier));
    });
  };

  it('delivers an event of a tenant to its users, once each, and to nobody else', async () => {
    const expected = ['t1/u1', 't1/u2'];
    expect(await recipients('to-tenant', expected, 't1')).toEqual(expected);
  });

  it('delivers an event of a user to that user of that tenant alone', async () => {
    expect(await recipients('to-t1-u1', ['t1/u1'], 't1', 'u1')).toEqual(['t1/u1']);
    expect(await recipients('to-t2-u2', ['t2/u2'], 't2', 'u2')).toEqual(['t2/u2']);
  });

  it('delivers an event of an absent user to nobody', async () => {
    expect(await recipients('to-t1-u9', [], 't1', 'u9')).toEqual([]);
  });

  it('drops an event that does not fit its contract, and goes on', async () => {
    await publisherOf().publish('notification.created', 't1', { id: 'misfit', message: 7 });
    expect(await recipients('after-misfit', ['t2/u1', 't2/u2'], 't2')).toEqual(['t2/u1', 't2/u2']);
    expect(recordersOf().map(({ count }) => count('misfit'))).toEqual([0, 0, 0, 0]);
  });

  it('sends the payload with its id and time', async () => {
    await recipients('with-meta', ['t1/u1'], 't1', 'u1');
    const event = recordersOf()[0]?.received.find(({ payload }) => payload.id === 'with-meta');
    expect(event).toEqual({
      event: 'notification.created',
      payload: { ...notification('with-meta'), userId: 'u1' },
      meta: { id: expect.any(String), at: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/) },
    });
  });

  it('acknowledges a client event', async () => {
    const ack = await emit(recordersOf(), 'notification.markRead', { notificationId: 'n1' });
    expect(ack).toMatchObject({ ok: true });
  });

  it.each([
    ['a missing field', {}],
    ['an unknown field', { notificationId: 'n1', tenantId: 't2' }],
    ['a wrong type', { notificationId: 7 }],
    ['an array', ['n1']],
    ['nothing', null],
  ])('refuses a client event with %s', async (_case, payload) => {
    const ack = await emit(recordersOf(), 'notification.markRead', payload);
    expect(ack).toMatchObject({ ok: false, error: { code: 'VALIDATION' } });
  });
}

function notification(id: string): { id: string; message: string; type: string } {
  return { id, message: `message of ${id}`, type: 'info' };
}

function emit(recorders: readonly Recorder[], event: string, payload: unknown): Promise<unknown> {
  const [recorder] = recorders;
  if (!recorder) throw new Error('Nobody is connected');
  return recorder.socket.timeout(5_000).emitWithAck(event, payload) as Promise<unknown>;
}

function pathOf(statusLine: string): string {
  return statusLine.slice(3);
}

/** Where generating may change something: a user reviews all of it. */
function isExpected(path: string, contracts: string): boolean {
  return [
    /^apps\/api-gateway\/(src\/realtime\/|src\/main\.ts$|src\/app\/app\.module\.ts$)/,
    /^apps\/web\/src\/(features\/(notifications|chats)\/realtime\/|lib\/realtime\/|stores\/auth\.store\.ts$|app\/layout\.tsx$)/,
    /^apps\/(api-gateway|web)\/(\.env\.example|package\.json|project\.json|tsconfig(\.\w+)?\.json)$/,
    // Copies the kernel's tarball into what is built.
    /^apps\/api-gateway\/webpack\.config\.js$/,
    /^\.nx-realtime\//,
    /^(package\.json|package-lock\.json|tsconfig(\.base)?\.json|nx\.json|\.gitignore|\.gitattributes|docker-compose\.realtime\.yml)$/,
  ].some((pattern) => pattern.test(path) || path.startsWith(`${contracts}/`));
}

/** TypeScript files of which the plugin keeps a record. */
function recordedSources(host: Host): string[] {
  const { files } = JSON.parse(host.read('.nx-realtime/manifest.json')) as { files: object };
  return Object.keys(files)
    .filter((path) => /\.tsx?$/.test(path))
    .sort();
}

/** TypeScript files that generation wrote, from git: all that the commit added. */
function generatedSources(host: Host): string[] {
  const commit = host.git('log', '--format=%H', '--grep=Generate Notification').trim();
  return host
    .git('show', '--diff-filter=A', '--name-only', '--format=', commit)
    .split('\n')
    .filter((path) => /\.tsx?$/.test(path));
}

/** Paths that ESLint's output names. */
function findingsIn(output: string): string[] {
  return output.split('\n').filter((line) => /^\/.*\.(tsx?|json)$/.test(line.trim()));
}
