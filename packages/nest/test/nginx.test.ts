import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once as emitted } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { io, type Socket } from 'socket.io-client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Broadcaster } from '../src/events/broadcaster';
import { clientAddress } from '../src/handshake/security-log';
import { startOwnRedis } from './support/brokers.js';
import { makeCertificate } from './support/certificate.js';
import { connected, once, ORIGIN, sign, Stack, wait } from './support/stack.js';

const PAGE = resolve(import.meta.dirname, '../../../docs/proxy.md');
const [CUT = '', KEPT = ''] = [
  ...readFileSync(PAGE, 'utf8').matchAll(/^```nginx\n([\s\S]*?)^```$/gm),
].map(([, text]) => text);

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await emitted(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await emitted(server, 'close');
  return port;
}

function isOpen(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  return new Promise((done) => {
    socket.once('connect', () => done(true)).once('error', () => done(false));
  }).finally(() => socket.destroy()) as Promise<boolean>;
}

/** What the page says, at addresses of this machine. */
class Nginx {
  private child: ChildProcess | undefined;
  readonly cert: string;
  private readonly folder = mkdtempSync(join(tmpdir(), 'nginx-'));
  port = 0;

  constructor(private readonly text: string) {
    this.cert = makeCertificate(this.folder).cert;
  }

  async start(replicas: readonly number[]): Promise<void> {
    const { folder } = this;
    this.port = await freePort();
    const servers = replicas.map((port) => `server 127.0.0.1:${port};`);
    const site = this.text
      .replace('listen 443 ssl;', `listen 127.0.0.1:${this.port} ssl;`)
      .replace('server 10.0.0.1:3333;', servers[0] ?? '')
      .replace('server 10.0.0.2:3333;', servers[1] ?? '')
      .replaceAll('/etc/nginx/', `${folder}/`);
    const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
      .map((name) => `${name}_temp_path ${folder}/${name};`)
      .join(' ');
    const user = process.getuid?.() === 0 ? 'user root;' : '';
    const config = `${user} daemon off; worker_processes 1; pid ${folder}/pid; error_log ${folder}/log;
      events { worker_connections 256; }
      http { access_log off; ${temporary} ${site} }`;
    const file = join(folder, 'nginx.conf');
    writeFileSync(file, config);
    // Debian keeps it where users' PATH does not look.
    const env = { ...process.env, PATH: `${process.env['PATH']}:/usr/sbin` };
    const args = ['-p', folder, '-c', file, '-e', join(folder, 'log')];
    execFileSync('nginx', [...args, '-t'], { env, stdio: 'pipe' });
    this.child = spawn('nginx', args, { env, stdio: 'ignore' });
    for (const end = Date.now() + 10_000; !(await isOpen(this.port)); await wait(20)) {
      if (Date.now() > end) throw new Error(readFileSync(join(folder, 'log'), 'utf8'));
    }
  }

  client(namespace: string, path: string, headers: Readonly<Record<string, string>> = {}): Socket {
    return io(`https://127.0.0.1:${this.port}${namespace}`, {
      path,
      ca: readFileSync(this.cert, 'utf8'),
      transports: ['websocket'],
      forceNew: true,
      reconnection: false,
      autoConnect: false,
      auth: { token: sign() },
      extraHeaders: { origin: ORIGIN, ...headers },
    });
  }

  async stop(): Promise<void> {
    const { child } = this;
    if (child && child.exitCode === null) {
      const exited = emitted(child, 'exit');
      child.kill('SIGTERM');
      await exited;
    }
    rmSync(this.folder, { recursive: true, force: true });
  }
}

describe.each([
  ['cut', CUT, undefined],
  ['kept', KEPT, '/api/socket.io'],
] as const)('behind nginx with TLS, its path %s', (_way, text, REALTIME_PATH) => {
  const stacks: Stack[] = [];
  const clients: Socket[] = [];
  const nginx = new Nginx(text);
  let redis: Awaited<ReturnType<typeof startOwnRedis>>;

  const client = (path: string, headers = {}): Socket => {
    const made = nginx.client('/notifications', path, headers);
    clients.push(made);
    return made;
  };
  const replicaOf = ({ id = '' }: Socket): number =>
    stacks.findIndex(({ app }) => socketsOf(app).has(id));

  beforeAll(async () => {
    redis = await startOwnRedis({ durable: true });
    const env = { REDIS_URL: redis.url, REALTIME_TRUST_PROXY: '1', REALTIME_PATH };
    for (let i = 0; i < 2; i++) stacks.push(await Stack.start({ env, app: 'shop' }));
    await nginx.start(stacks.map(({ port }) => port));
  }, 60_000);
  afterAll(async () => {
    clients.forEach((one) => one.disconnect());
    await nginx.stop();
    await Promise.all(stacks.map((stack) => stack.close()));
    await redis?.stop();
  });

  it('pages are with both replicas without stickiness, and all get each event once', async () => {
    const pages = Array.from({ length: 4 }, () => client('/api/socket.io'));
    for (const page of pages) await connected(page);
    expect(new Set(pages.map(replicaOf))).toEqual(new Set([0, 1]));

    const arrived = pages.map((page) => once(page, 'notification.created'));
    const meta = { id: 'e1', at: '2026-01-01T00:00:00.000Z' };
    stacks[0]?.app
      .get(Broadcaster)
      .namespace<Record<string, (payload: object) => void>>('/notifications')
      .toTenant('t1', 'notification.created', { id: 'n1' }, meta);
    expect(await Promise.all(arrived)).toEqual(pages.map(() => [{ id: 'n1' }, meta]));
  });

  it('a page that names another path is not let in', async () => {
    await expect(connected(client('/socket.io'))).rejects.toThrow();
  });

  it('knows a client by the address that nginx has seen, whatever it claims', async () => {
    const page = client('/api/socket.io', { 'x-forwarded-for': '203.0.113.9' });
    await connected(page);
    const { app } = stacks[replicaOf(page)] as Stack;
    const request = socketsOf(app).get(page.id ?? '')?.request;
    expect(clientAddress(request as never, 1)).toBe('127.0.0.1');
  });

  it('waits longer than a living connection is ever silent', async () => {
    const page = client('/api/socket.io');
    await connected(page);
    const { _pingInterval, _pingTimeout } = page.io.engine as unknown as Record<string, number>;
    const silence = Number(_pingInterval) + Number(_pingTimeout);
    expect(silence).toBeGreaterThan(10_000);
    for (const name of ['read', 'send']) {
      const [, seconds] = new RegExp(`proxy_${name}_timeout (\\d+)s;`).exec(text) ?? [];
      expect(Number(seconds) * 1_000).toBeGreaterThan(silence);
    }
  });
});

function socketsOf(app: Stack['app']): Map<string, { readonly request: unknown }> {
  const { config } = app as unknown as {
    config: {
      getIoAdapter(): {
        createIOServer(): {
          of(name: string): { sockets: Map<string, { readonly request: unknown }> };
        };
      };
    };
  };
  return config.getIoAdapter().createIOServer().of('/notifications').sockets;
}
