import { installBuilt, pathsOutside } from './support/built';
import { createHost, installPlugin, type Host } from './support/host';
import { freePort } from './support/ports';
import type { Running } from './support/processes';
import { Recorder, until } from './support/recorder';
import {
  choosePorts,
  eventually,
  JWT_SECRET,
  startApiEmbedded,
  urlsOf,
  type Ports,
} from './support/stack';

/** Not by npx, which prints what npm has to say. */
const BIN = 'node_modules/.bin/nx-realtime';

const CONTROLLER = `import { Body, Controller, Get, Post } from '@nestjs/common';
import { RealtimePublisher } from '@nx-realtime/nest/publisher';
import type { RealtimeEvents } from '../realtime/publisher/realtime-events';

@Controller()
export class AppController {
  constructor(private readonly publisher: RealtimePublisher<RealtimeEvents>) {}

  @Get()
  isUp(): string {
    return 'up';
  }

  @Post('orders')
  async order(@Body() { id }: { id: string }): Promise<{ event: string }> {
    const payload = { id, message: 'Ordered', type: 'info' };
    const event = await this.publisher.publish('notification.created', { tenantId: 't1', payload });
    return { event };
  }
}
`;

/** Another Nest app of the workspace publishes, and the command line beside it. */
describe('a workspace with a second Nest app', () => {
  let host: Host;
  let ports: Ports;
  let orders: number;
  const running: Running[] = [];

  beforeAll(async () => {
    host = await createHost('ts', 'publisher');
    [ports, orders] = await Promise.all([choosePorts(), freePort()]);
    await installPlugin(host);
    await host.run(
      'npx nx g @nx/nest:application apps/orders --linter=eslint --unitTestRunner=vitest --e2eTestRunner=none',
    );
    await host.run('npx nx g realtime-domain Notification --app=api-gateway --web=none');
    await host.run('npx nx sync');
    host.commit('A domain, and an app without one');
  });

  afterAll(() => Promise.all(running.map((server) => server.stop())));

  it('gets a publisher, once, in that app and nowhere else', async () => {
    await host.run('npx nx g realtime-publisher orders');
    await host.run('npx nx sync');
    const elsewhere = host
      .status()
      .map((line) => line.slice(3))
      .filter((path) => !/^(apps\/orders\/|\.nx-realtime\/|package(-lock)?\.json$)/.test(path));
    expect(elsewhere).toEqual([]);
    expect(host.read('apps/orders/.env.local')).toContain('REALTIME_TCP_PORT_API_GATEWAY=4333');
    host.commit('A publisher');
    await host.run('npx nx g realtime-publisher orders');
    await host.run('npx nx sync:check');
    expect(host.status()).toEqual([]);
  });

  it('tests, type-checks, lints and builds as generated', async () => {
    const output = await host.run(
      'npx nx run-many -t test typecheck lint build -p @acme-ts/orders @acme-ts/api-gateway --output-style=static',
    );
    expect(output).toContain('realtime-publisher.spec.ts');
  });

  it('says what is missing when it boots without its variables', async () => {
    host.write('apps/orders/src/app/app.controller.ts', CONTROLLER);
    await host.run('npx nx build @acme-ts/orders');
    const main = 'apps/orders/dist/main.js';
    const { code, output } = await host.tryRun(`node ${main}`, { NODE_ENV: 'production' });
    expect(code).not.toBe(0);
    expect(output).toContain('RABBITMQ_URL is missing');
  });

  it('is installed by itself, elsewhere, with what was pruned for it', async () => {
    for (const file of ['package.json', 'package-lock.json', 'apps/orders/package.json']) {
      expect([file, pathsOutside(host, file)]).toEqual([file, []]);
    }
    await host.run('npx nx run @acme-ts/orders:prune');
    const built = await installBuilt(host, 'apps/orders/dist');
    expect(built.read('node_modules/@nx-realtime/nest/package.json')).toContain('"version"');
    const { code, output } = await built.tryRun('node main.js', { NODE_ENV: 'production' });
    expect(code).not.toBe(0);
    expect(output).toContain('RABBITMQ_URL is missing');
  });

  it('publishes to the clients of the app that serves the domain', async () => {
    running.push(
      await startApiEmbedded(host, ports),
      await host.start(
        'orders',
        'exec node apps/orders/dist/main.js',
        { http: `http://localhost:${orders}/api` },
        {
          PORT: String(orders),
          REALTIME_TRANSPORT: 'tcp',
          REALTIME_TCP_PORT_API_GATEWAY: String(ports.tcp),
        },
      ),
    );
    const token = (await cli('token --user=u1 --tenant=t1')).trim();
    const { api } = urlsOf(ports);
    const recorder = await Recorder.connect('u1', api, '/notifications', { token });
    const response = await fetch(`http://localhost:${orders}/api/orders`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ id: 'from-orders' }),
    });
    expect(await response.json()).toEqual({ event: expect.stringMatching(/^[\da-f-]{36}$/) });
    await cli('emit notification.created --tenant=t1 --id=from-cli --message=hi --type=info');
    await until(
      () => recorder.count('from-cli') === 1 && recorder.count('from-orders') === 1,
      () => JSON.stringify(recorder.received),
    );
    recorder.close();
  });

  it('shows on the command line what a user receives, until Ctrl-C', async () => {
    const listening = await host.start(
      'listen',
      `exec ${BIN} listen --json --user=u1 --tenant=t1`,
      { log: /connected to \/notifications/ },
      cliEnv(),
    );
    await cli('emit notification.created --tenant=t2 --id=foreign --message=hi --type=info');
    await cli('emit notification.created --tenant=t1 --id=mine --message=hi --type=info');
    await eventually(() =>
      listening.output().includes('"mine"') ? Promise.resolve() : Promise.reject(new Error('none')),
    );
    expect(listening.output()).not.toContain('foreign');
    process.kill(listening.pid, 'SIGINT');
    expect(await listening.exited).toBe(0);
  });

  it('refuses a mistake on the command line with one line and a code', async () => {
    const { code, output } = await host.tryRun(`${BIN} emit notification.created --id=1`, cliEnv());
    expect(code).toBe(1);
    expect(output).toMatch(/^RT034 .*\n {2}message: /m);
    expect(output).not.toMatch(/^\s+at /m);
  });

  const cliEnv = (): NodeJS.ProcessEnv => ({
    REALTIME_JWT_SECRET: JWT_SECRET,
    PORT: String(ports.api),
    REALTIME_ORIGINS: urlsOf(ports).web,
    REALTIME_TRANSPORT: 'tcp',
    REALTIME_TCP_PORT: String(ports.tcp),
  });

  const cli = (command: string): Promise<string> => host.run(`${BIN} ${command}`, cliEnv());
});
