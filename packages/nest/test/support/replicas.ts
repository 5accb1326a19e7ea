import { transformSync } from '@swc/core';
import { connect, type ChannelModel, type ConfirmChannel } from 'amqplib';
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { io, type Socket } from 'socket.io-client';
import { PACKAGE, TMP } from './aliases.js';
import { mutated } from '../../../plugin/test/support/vite-plugins.js';
import { ORIGIN, sign } from './stack.js';

const REALTIME = 'apps/api-gateway/src/realtime';

const MAIN = `
const { NestFactory } = require('@nestjs/core');
const { RealtimeModule } = require('./realtime.module');
const { setupRealtime } = require('@nx-realtime/nest');
const { RealtimeBroker } = require('@nx-realtime/nest/src/broker/broker');
const { Replicas } = require('@nx-realtime/nest/src/replicas/replicas');

NestFactory.create(RealtimeModule, { logger: ['log', 'warn', 'error', 'fatal'] }).then(async (app) => {
  await setupRealtime(app);
  await app.listen(Number(process.env.PORT), '127.0.0.1');
  const broker = app.get(RealtimeBroker);
  process.on('message', (command) => {
    if (command === 'break-channel') broker.channel.ack({ fields: { deliveryTag: 999999 } });
    if (command === 'health') {
      process.send({ health: [broker.health(), app.get(Replicas).health()] });
    }
  });
  process.send({ port: app.getHttpServer().address().port });
});
`;

/** The kernel and its host as JavaScript, for processes of their own. Returns what to run. */
export function compileKernel(): string {
  const host = join(TMP, process.env['KERNEL_HOST'] ?? 'kernel');
  const target = join(TMP, `${process.env['KERNEL_HOST'] ?? 'kernel'}-replicas-${process.pid}`);
  rmSync(target, { recursive: true, force: true });
  for (const folder of [REALTIME, 'libs/realtime-contracts/src']) {
    for (const path of sourcesIn(join(host, folder))) {
      const file = join(folder, path);
      const contracts = relative(dirname(file), 'libs/realtime-contracts/src');
      const code = compile(join(host, file));
      write(
        join(target, file.replace(/\.ts$/, '.js')),
        code.replaceAll(
          /"@acme\/realtime-contracts\/([^"]+)"/g,
          (_text, name: string) => `"${contracts}/${name}.contract"`,
        ),
      );
    }
  }
  const kernel = join(target, 'node_modules/@nx-realtime/nest');
  for (const path of sourcesIn(join(PACKAGE, 'src'))) {
    const code = compile(join(PACKAGE, 'src', path));
    write(join(kernel, 'src', path.replace(/\.ts$/, '.js')), code);
  }
  write(join(kernel, 'package.json'), '{ "type": "commonjs", "main": "src/index.js" }');
  write(join(kernel, 'observability.js'), "module.exports = require('./src/observability');");
  write(join(target, 'package.json'), '{ "type": "commonjs" }');
  write(join(target, REALTIME, 'main.js'), MAIN);
  return join(target, REALTIME, 'main.js');
}

/** Relative paths of the sources in a folder. */
function sourcesIn(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter(
    (path) => path.endsWith('.ts') && !path.includes('.spec.'),
  );
}

function compile(file: string): string {
  return transformSync(mutated(file, readFileSync(file, 'utf8')), {
    filename: file,
    module: { type: 'commonjs', ignoreDynamic: true },
    jsc: {
      target: 'es2022',
      parser: { syntax: 'typescript', decorators: true },
      transform: { legacyDecorator: true, decoratorMetadata: true },
    },
  }).code;
}

/** One replica of the app, in a process of its own, and its clients. */
export class ReplicaProcess {
  readonly clients: RecordingClient[] = [];
  readonly output: string[] = [];
  private child: ChildProcess | undefined;
  private port = 0;

  constructor(
    readonly name: string,
    private readonly main: string,
    private readonly env: Readonly<Record<string, string>>,
  ) {}

  async start(): Promise<void> {
    const child = fork(this.main, {
      env: { PATH: process.env['PATH'], ...this.env, PORT: String(this.port) },
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    this.child = child;
    for (const stream of [child.stdout, child.stderr]) {
      stream?.on('data', (chunk: Buffer) => this.output.push(chunk.toString()));
    }
    ({ port: this.port } = await this.answer<{ port: number }>());
  }

  /** Of its links to RabbitMQ and to Redis. */
  async health(): Promise<readonly { ok: boolean; detail: string }[]> {
    const answer = this.answer<{ health: { ok: boolean; detail: string }[] }>();
    this.child?.send('health');
    return (await answer).health;
  }

  async untilHealthy(): Promise<void> {
    for (const end = Date.now() + 60_000; ; await delay(50)) {
      if ((await this.health()).every(({ ok }) => ok)) return;
      if (Date.now() > end)
        throw new Error(`${this.name} is not healthy:\n${this.output.join('')}`);
    }
  }

  breakChannel(): void {
    this.child?.send('break-channel');
  }

  get pid(): number | undefined {
    return this.child?.pid;
  }

  /** Resolves with the exit code, or null after SIGKILL. */
  async end(signal: 'SIGTERM' | 'SIGKILL'): Promise<number | null> {
    const { child } = this;
    if (!child || child.exitCode !== null || child.signalCode !== null) return null;
    const exited = once(child, 'exit') as Promise<[number | null]>;
    child.kill(signal);
    return (await exited)[0];
  }

  async connect(tenantId: string): Promise<RecordingClient> {
    const client = new RecordingClient(`http://127.0.0.1:${this.port}`, tenantId);
    this.clients.push(client);
    await client.connected();
    return client;
  }

  /** Ends it without a word. */
  async stop(): Promise<void> {
    this.clients.splice(0).forEach((client) => client.socket.disconnect());
    await this.end('SIGKILL');
  }

  private async answer<T>(): Promise<T> {
    const { child } = this;
    if (!child) throw new Error(`${this.name} does not run`);
    const done = new AbortController();
    const { signal } = done;
    const gone = once(child, 'exit', { signal }).then(() => {
      throw new Error(`${this.name} ended:\n${this.output.join('')}`);
    });
    try {
      const [message] = (await Promise.race([once(child, 'message', { signal }), gone])) as [T];
      return message;
    } finally {
      gone.catch(() => undefined);
      done.abort();
    }
  }
}

/** What one browser of a tenant gets, in its order. */
export class RecordingClient {
  readonly received: { id: string; at: number }[] = [];
  disconnects = 0;
  readonly socket: Socket;

  constructor(
    url: string,
    readonly tenantId: string,
  ) {
    this.socket = io(`${url}/notifications`, {
      transports: ['websocket'],
      forceNew: true,
      reconnectionDelay: 50,
      reconnectionDelayMax: 200,
      auth: (give) => give({ token: sign({ tenantId }, { expiresIn: 600 }) }),
      extraHeaders: { origin: ORIGIN },
    });
    this.socket.on('notification.created', (_payload: unknown, { id }: { id: string }) => {
      this.received.push({ id, at: performance.now() });
    });
    this.socket.on('disconnect', () => (this.disconnects += 1));
  }

  async connected(): Promise<void> {
    if (!this.socket.connected) {
      await new Promise<void>((resolve) => this.socket.once('connect', resolve));
    }
  }

  get ids(): string[] {
    return this.received.map(({ id }) => id);
  }
}

/** A publisher as it should be: confirmed, mandatory, and again with the same id until it is taken. */
export class Load {
  readonly published = new Map<string, string[]>();
  private connection: Promise<{ model: ChannelModel; channel: ConfirmChannel }> | undefined;
  private readonly returned = new Set<string>();
  private running: Promise<unknown> | undefined;
  private stopping = false;

  constructor(
    private readonly url: string,
    private readonly tenants: readonly string[],
    /** Between two events of a tenant. */
    private readonly pauseMs = 4,
  ) {}

  start(): void {
    this.stopping = false;
    this.running = Promise.all(this.tenants.map((tenant) => this.run(tenant)));
  }

  async stop(): Promise<void> {
    this.stopping = true;
    await this.running;
  }

  async close(): Promise<void> {
    await this.stop();
    const { model } = (await this.connection?.catch(() => undefined)) ?? {};
    await model?.close().catch(() => undefined);
  }

  private async run(tenantId: string): Promise<void> {
    const published = this.published.get(tenantId) ?? [];
    this.published.set(tenantId, published);
    while (!this.stopping) {
      const id = `${tenantId}-${published.length}`;
      published.push(id);
      while (!(await this.publish(tenantId, id).catch(() => false))) await delay(50);
      await delay(this.pauseMs);
    }
  }

  private async publish(tenantId: string, id: string): Promise<boolean> {
    const { channel } = await (this.connection ??= this.open());
    const notification = { id, message: 'hi', type: 'info' };
    const body = { pattern: 'notification.created', data: { tenantId, notification } };
    this.returned.delete(id);
    await new Promise<void>((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error('unconfirmed')), 20_000);
      channel.publish(
        'realtime.events',
        'notification.created',
        Buffer.from(JSON.stringify(body)),
        { messageId: id, persistent: true, mandatory: true },
        (error: unknown) => {
          clearTimeout(timer);
          if (error) reject(error as Error);
          else resolve();
        },
      );
    });
    return !this.returned.has(id);
  }

  private async open(): Promise<{ model: ChannelModel; channel: ConfirmChannel }> {
    try {
      const model = await connect(this.url);
      const forget = () => (this.connection = undefined);
      model.on('error', () => undefined).on('close', forget);
      const channel = await model.createConfirmChannel();
      channel.on('error', () => undefined).on('close', forget);
      channel.on('return', ({ properties }: { properties: { messageId?: string } }) =>
        this.returned.add(properties.messageId ?? ''),
      );
      return { model, channel };
    } catch (error) {
      this.connection = undefined;
      throw error;
    }
  }
}

function write(path: string, content: string): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, content);
}
