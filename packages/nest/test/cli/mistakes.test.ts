import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { CliHost } from './cli-host.js';

const FIELDS = ['--id=1', '--message=hi', '--type=info'];
const CHAT = {
  name: 'Chat',
  serverEvents: {
    'chat.posted': { payload: { id: 'string' } },
    'chat.created': { payload: { id: 'string' } },
  },
  clientEvents: { 'chat.say': { payload: { text: 'string' } } },
};

describe('a mistake on the command line of nx-realtime', () => {
  let host: CliHost;

  beforeEach(() => {
    host = new CliHost();
  });

  afterEach(() => host.remove());

  it.each([
    ['RT033', 'Did you mean notification.created?', ['emit', 'notification.creatd', '--id=1']],
    ['RT033', 'mean chat.created or notification.created?', ['emit', 'creatd', '--id=1']],
    ['RT033', 'notification.typed count on', ['emit', 'nothing.like.it', '--id=1']],
    ['RT033', 'event that clients send', ['emit', 'chat.say', '--text=hi']],
    ['RT033', 'chat.created, notification.created', ['emit', 'created', ...FIELDS]],
    [
      'RT038',
      'There are: --id --message --type --userId',
      ['emit', 'notification.created', '--foo'],
    ],
    ['RT038', 'Did you mean --message?', ['emit', 'notification.created', '--mesage=hi']],
    ['RT038', 'Did you mean --ttl? There are: --app --user', ['token', '--expires=1h']],
    ['RT038', '"--expire"', ['token', '--expire=1h']],
    ['RT038', 'Unexpected "u7"', ['token', 'u7']],
    ['RT038', '"--nope"', ['env', '--nope']],
    ['RT038', 'Unexpected "api-gateway"', ['env', 'api-gateway']],
    ['RT031', 'Found: api-gateway', ['env', '--app=nope']],
    ['RT038', 'Did you mean emit?', ['emti']],
  ])('is %s, and says %s: %j', async (code, said, args) => {
    host.addDomain('api-gateway', CHAT);
    const failure = host.run(args);
    await expect(failure).rejects.toThrow(new RegExp(`^${code} `));
    await expect(failure).rejects.toThrow(said);
  });

  it('is none where a bare name means one event', async () => {
    host.addDomain('api-gateway', CHAT);
    const payload = host.run(['emit', 'posted', '--id=1', '--id=2', '--text=x']);
    await expect(payload).rejects.toThrow(/^RT038 .*"--text"/);
  });

  it('is none where the version is asked for', async () => {
    const { version } = JSON.parse(
      readFileSync(join(import.meta.dirname, '../../../plugin/package.json'), 'utf-8'),
    ) as { version: string };
    expect((await host.run(['--version'])).out).toEqual([version]);
  });
});

describe('nx-realtime env', () => {
  it('makes the files of one app alone where one is named', async () => {
    const host = new CliHost();
    try {
      host.addApp('orders');
      host.addDomain('orders', CHAT);
      const { out } = await host.run(['env', '--app=orders']);
      const lines = out.flatMap((text) => text.split('\n'));
      const paths = lines.filter((line) => /^[A-Z]/.test(line)).map((line) => line.split(' ')[1]);
      expect(paths).toEqual(['apps/orders/.env.example', 'apps/orders/.env.local', '.gitignore']);
    } finally {
      host.remove();
    }
  });
});

describe('nx-realtime emit says', () => {
  let host: CliHost;
  /** Takes what is sent on the embedded transport. */
  const app = createServer();

  beforeAll(async () => {
    host = new CliHost();
    app.on('connection', (socket) => socket.resume());
    await new Promise<void>((resolve) => app.listen(0, '127.0.0.1', resolve));
  });

  afterAll(() => {
    host.remove();
    app.close();
  });

  const emit = (args: string[], env: NodeJS.ProcessEnv = {}) => {
    const REALTIME_TCP_PORT = String((app.address() as AddressInfo).port);
    return host.run(['emit', ...args], {
      env: { REALTIME_TRANSPORT: 'tcp', REALTIME_TCP_PORT, ...env },
    });
  };

  it.each([
    [['notification.created', ...FIELDS], 'tenant t1'],
    [['created', ...FIELDS, '--userId=u7', '--tenant=t2'], 'user u7 of tenant t2'],
    [['direct', '--userId=u9'], 'user u9 of tenant t1'],
  ])('whom %j is for, and where it went', async (args, whom) => {
    const { notes } = await emit(args);
    expect(notes).toEqual([
      expect.stringMatching(
        new RegExp(`^Sent notification\\.\\w+ for ${whom} to api-gateway on its .*127.0.0.1:\\d+`),
      ),
    ]);
  });

  it.each([
    ['# TYPE realtime_connections gauge\n', 'Nobody is connected to /notifications'],
    [
      '# TYPE realtime_connections gauge\nrealtime_connections{namespace="/chats"} 9\nrealtime_connections{namespace="/notifications"} 3\n',
      'in all tenants: 3',
    ],
  ])('who is connected, where metrics tell: %j', async (text, said) => {
    const metrics = createServer((_, response) => response.end(text));
    await new Promise<void>((resolve) => metrics.listen(0, '127.0.0.1', resolve));
    const { port } = metrics.address() as AddressInfo;
    try {
      const { notes } = await emit(['created', ...FIELDS], {
        REALTIME_METRICS_ADDRESS: `127.0.0.1:${port}`,
      });
      expect(notes[1]).toContain(said);
    } finally {
      metrics.close();
    }
  });
});
