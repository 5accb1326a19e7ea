import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { connect } from 'amqplib';
import type { ChannelModel, ConfirmChannel } from 'amqplib';
import jwt from 'jsonwebtoken';
import { Manager } from 'socket.io-client';
import type { Socket } from 'socket.io-client';
import ts from 'typescript';
import { startRabbit } from '../../../e2e/support/brokers.js';
import type { Broker } from '../../../e2e/support/brokers.js';
import { freePort } from '../../../e2e/support/ports.js';
import { ruleInfo } from '../src/index.js';
import { announced } from './support/announced.js';
import { applySuggestions, lintFolder, sorted } from './support/lint.js';

const SEED = resolve(import.meta.dirname, 'seed');
const SECRET = 'a-secret-of-the-host-with-32-bytes-or-more';
const USERS = ['t1/u1', 't1/u2', 't2/u1'] as const;

/**
 * What the review gives for each fault: the repairs of `--fix`, the suggestion that it words, or the code that it
 * prints, put where it says.
 */
const CORRECTIONS = {
  'no-guard-on-connection': (app: string) => {
    addPrinted(app, 'no-guard-on-connection', 'authenticated.adapter.ts');
    edit(
      app,
      'main.ts',
      'await app.listen',
      `${line('no-guard-on-connection', 'useWebSocketAdapter')}\n  await app.listen`,
    );
    edit(app, 'main.ts', /^/, `import { AuthenticatedAdapter } from './authenticated.adapter';\n`);
    // What the adapter has set takes the place of what the guard sets too late; the guard goes, and its token.
    edit(app, 'orders.gateway.ts', /.*(?:UseGuards|WsJwtGuard).*\n/g, '');
    edit(
      app,
      'orders.gateway.ts',
      'const { tenantId, userId } = client.data;',
      'const { tenantId, sub: userId } = client.data.user;',
    );
    edit(app, 'orders.gateway.ts', 'client.data.tenantId', 'client.data.user.tenantId');
    rmSync(join(app, 'src/ws-jwt.guard.ts'));
  },
  'consumer-in-controllers': (app: string) => lintFolder(app, { config: 'recommended', fix: true }),
  'no-broadcast-without-room': (app: string) =>
    edit(
      app,
      'orders.gateway.ts',
      `this.server.emit('order.placed', order);`,
      line('no-broadcast-without-room', 'this.server.to('),
    ),
  'no-broadcast-without-room: except': (app: string) =>
    applySuggestions(app, 'no-broadcast-without-room', 'inverted'),
  'require-ack': (app: string) => {
    addPrinted(app, 'require-ack', 'ack.interceptor.ts');
    addPrinted(app, 'require-ack', 'nack.filter.ts');
    const file = 'invoices.consumer.ts';
    const decorators = /@Controller\(\)\n(?:@Use.*\n)+/.exec(printed('require-ack').join('\n'));
    edit(app, file, '@Controller()\n', decorators?.[0] ?? '');
    edit(app, file, '{ Controller }', '{ Controller, UseFilters, UseInterceptors }');
    edit(app, file, /.*(?:channel|getChannelRef).*\n/g, '');
    edit(app, file, ', @Ctx() context: RmqContext', '');
    edit(app, file, '{ Ctx, EventPattern, Payload, RmqContext }', '{ EventPattern, Payload }');
    edit(
      app,
      file,
      /^/,
      `import { AckInterceptor } from './ack.interceptor';\nimport { NackFilter } from './nack.filter';\n`,
    );
  },
} satisfies Record<string, (app: string) => unknown>;
type Fault = keyof typeof CORRECTIONS;
const FAULTS = Object.keys(CORRECTIONS) as Fault[];

describe('the seed recipe', () => {
  let rabbit: Broker;
  let connection: ChannelModel;
  let channel: ConfirmChannel;
  let queue: string;
  let folder: string;
  let server: ChildProcess | undefined;
  let url: string;
  let sockets: Socket[] = [];
  const queues: string[] = [];

  vi.setConfig({ testTimeout: 60_000, hookTimeout: 90_000 });

  beforeAll(async () => {
    rabbit = await startRabbit();
    connection = await connect(rabbit.url);
    channel = await connection.createConfirmChannel();
  });

  afterAll(async () => {
    await connection?.close();
    await rabbit?.stop();
  });

  beforeEach(() => {
    folder = realpathSync(mkdtempSync(join(tmpdir(), 'nx-realtime-seed-')));
    symlinkSync(
      resolve(import.meta.dirname, '../../../node_modules'),
      join(folder, 'node_modules'),
    );
    cpSync(join(SEED, 'tsconfig.json'), join(folder, 'tsconfig.json'));
    cpSync(join(SEED, 'src'), join(folder, 'src'), { recursive: true });
  });

  afterEach(async () => {
    for (const socket of sockets) socket.disconnect();
    sockets = [];
    await stop('SIGKILL');
    for (const name of queues.splice(0)) await channel.deleteQueue(name);
    rmSync(folder, { recursive: true, force: true });
  });

  /** Starts what is in the folder, with a queue of its own. */
  async function start(): Promise<void> {
    emit(folder);
    queue = `seed-${basename(folder)}`;
    queues.push(queue, `${queue}.dead`);
    await channel.assertQueue(`${queue}.dead`, { durable: true });
    const port = await freePort();
    url = `http://127.0.0.1:${port}`;
    server = spawn(process.execPath, ['dist/main.js'], {
      cwd: folder,
      env: {
        ...process.env,
        PORT: String(port),
        QUEUE: queue,
        RABBITMQ_URL: rabbit.url,
        JWT_SECRET: SECRET,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    for (const stream of [server.stdout, server.stderr]) {
      stream?.on('data', (chunk: Buffer) => (output += chunk.toString()));
    }
    await until(
      () => output.includes('Nest microservice successfully started'),
      () => `it does not start: ${output}`,
    );
  }

  async function stop(signal: NodeJS.Signals): Promise<void> {
    const running = server;
    server = undefined;
    if (!running || running.exitCode !== null) return;
    const exit = once(running, 'exit');
    running.kill(signal);
    await exit;
  }

  function open(namespace: string, options: Auth): Socket {
    const manager = new Manager(url, {
      transports: ['websocket'],
      reconnection: false,
      ...(options.query !== undefined && { query: { token: options.query } }),
    });
    const socket = manager.socket(namespace, {
      auth: options.token === undefined ? {} : { token: options.token },
    });
    sockets.push(socket);
    return socket;
  }

  /** `in`, or the reason why not. */
  async function knock(namespace: string, options: Auth): Promise<string> {
    const socket = open(namespace, options);
    return new Promise((settle) => {
      socket.on('connect', () => settle('in'));
      socket.on('connect_error', ({ message }) => settle(message));
    });
  }

  /** A socket of each user, with the token in both places, and what each hears. */
  async function everybody(): Promise<Map<string, string[]>> {
    const heard = new Map<string, string[]>();
    for (const user of USERS) {
      const token = tokenOf(user);
      const socket = open('/orders', { token, query: token });
      const texts: string[] = [];
      socket.onAny((event: string, payload: { id?: string; text?: string }) =>
        texts.push(`${event} ${payload.id ?? payload.text}`),
      );
      heard.set(user, texts);
      await once(socket as never, 'connect');
      // Rooms are joined by the time of the first answer.
      await socket.timeout(5_000).emitWithAck('whoami');
    }
    return heard;
  }

  async function publish(pattern: string, data: { id: string; tenantId: string }): Promise<void> {
    channel.sendToQueue(queue, Buffer.from(JSON.stringify({ pattern, data })), {
      persistent: true,
    });
    await channel.waitForConfirms();
  }

  const messages = async (name: string): Promise<number> =>
    (await channel.checkQueue(name)).messageCount;

  /** Who hears of an event within the time in which it is heard where it is right. */
  async function hearers(
    heard: ReadonlyMap<string, string[]>,
    text: string,
    wait = 1_500,
  ): Promise<string[]> {
    await delay(wait);
    return [...heard].filter(([, texts]) => texts.includes(text)).map(([user]) => user);
  }

  /** What a stranger does, and what is seen of it. */
  const ATTACKS = {
    'no token': () => knock('/orders', {}),
    garbage: () => knock('/orders', { token: 'garbage' }),
    'a token of another signer': () =>
      knock('/orders', {
        token: jwt.sign(claimsOf('t1/u1'), 'another-secret-of-32-bytes-or-more!!'),
      }),
    'an unsigned token': () => knock('/orders', { token: unsigned() }),
    'an expired token': () => knock('/orders', { token: tokenOf('t1/u1', -60) }),
    'a token in the URL': () => knock('/orders', { query: tokenOf('t1/u1') }),
    'the root namespace': () => knock('/', {}),
  };

  it('has each fault found, and no other', async () => {
    expect(sorted(await lintFolder(folder, { config: 'recommended' }))).toEqual(
      sorted(announced(SEED)),
    );
    const rules = new Set(announced(SEED).map(({ rule }) => rule));
    for (const fault of FAULTS) expect(rules).toContain(fault.replace(/:.*/, ''));
    expect(rules).toContain('no-token-in-query');
  });

  it('lets a stranger in as it is written', async () => {
    await start();
    for (const attack of Object.values(ATTACKS)) expect(await attack()).toBe('in');
    const late = open('/orders', { query: tokenOf('t1/u1') });
    expect(await late.timeout(5_000).emitWithAck('whoami')).toEqual({ tenantId: 't1' });
  });

  it('lets no stranger in, and serves its users, with the corrections of the review', async () => {
    await correct(folder);
    await start();
    expect(typeErrors(folder)).toEqual([]);
    expect(await lintFolder(folder, { config: 'recommended' })).toEqual([]);
    for (const attack of Object.values(ATTACKS)) expect(await attack()).toBe('Unauthorized');
    expect(await knock('/orders', { token: tokenOf('t2/u1') })).toBe('in');
    const early = open('/orders', {});
    early.on('connect_error', () => undefined);
    await expect(early.timeout(1_000).emitWithAck('whoami')).rejects.toThrow();

    const heard = await everybody();
    await publish('order.placed', { id: 'one', tenantId: 't1' });
    expect(await hearers(heard, 'order.placed one')).toEqual(['t1/u1', 't1/u2']);
    await publish('invoice.created', { id: 'two', tenantId: 't1' });
    expect(await hearers(heard, 'notice Invoice of two')).toEqual(['t1/u1']);
    for (const id of ['poison-1', 'poison-2', 'poison-3', 'three']) {
      await publish('invoice.created', { id, tenantId: 't1' });
    }
    expect(await hearers(heard, 'notice Invoice of three')).toEqual(['t1/u1']);
    expect([await messages(queue), await messages(`${queue}.dead`)]).toEqual([0, 3]);
    await stop('SIGTERM');
    await delay(500);
    // What was not settled is in the queue again.
    expect(await messages(queue)).toBe(0);
  });

  it.each([
    [
      'consumer-in-controllers',
      'the event is not handled',
      async (heard: Map<string, string[]>) => {
        await publish('order.placed', { id: 'one', tenantId: 't1' });
        expect(await hearers(heard, 'order.placed one')).toEqual([]);
      },
    ],
    [
      'no-broadcast-without-room',
      'another tenant hears of an order',
      async (heard: Map<string, string[]>) => {
        await publish('order.placed', { id: 'one', tenantId: 't1' });
        expect(await hearers(heard, 'order.placed one')).toEqual([...USERS]);
      },
    ],
    [
      'no-broadcast-without-room: except',
      'all but the receiver hear of an invoice',
      async (heard: Map<string, string[]>) => {
        await publish('invoice.created', { id: 'two', tenantId: 't1' });
        expect(await hearers(heard, 'notice Invoice of two')).toEqual(['t1/u2']);
      },
    ],
    [
      'require-ack',
      'two messages that fail stop all that follow',
      async (heard: Map<string, string[]>) => {
        for (const id of ['poison-1', 'poison-2', 'poison-3', 'three']) {
          await publish('invoice.created', { id, tenantId: 't1' });
        }
        expect(await hearers(heard, 'notice Invoice of three')).toEqual([]);
        expect(await messages(`${queue}.dead`)).toBe(0);
      },
    ],
  ] as const)('falls with all but one correction: %s: %s', async (fault, _what, attack) => {
    await correct(folder, fault);
    await start();
    await attack(await everybody());
  });
});

interface Auth {
  readonly token?: string;
  readonly query?: string;
}

function claimsOf(user: string): { tenantId: string; sub: string } {
  const [tenantId = '', sub = ''] = user.split('/');
  return { tenantId, sub };
}

function tokenOf(user: string, expiresIn = 3_600): string {
  return jwt.sign(claimsOf(user), SECRET, { expiresIn });
}

function unsigned(): string {
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  return `${part({ alg: 'none' })}.${part({ ...claimsOf('t1/u1'), exp: 4_000_000_000 })}.`;
}

/** Makes the corrections of all faults, or of all but one. */
async function correct(folder: string, without?: Fault): Promise<void> {
  for (const fault of FAULTS) if (fault !== without) await CORRECTIONS[fault](folder);
}

const printed = (rule: string): readonly string[] =>
  ruleInfo.find(({ name }) => name === rule)?.right ?? [];

/** Adds a file that the review prints, under the name that it begins with. */
function addPrinted(app: string, rule: string, file: string): void {
  const code = printed(rule).find((block) => block.startsWith(`// ${file}`));
  if (code === undefined) throw new Error(`${rule} prints no ${file}`);
  writeFileSync(join(app, 'src', file), code);
}

/** The line of the printed code that has a text in it. */
function line(rule: string, text: string): string {
  const found = printed(rule)
    .join('\n')
    .split('\n')
    .find((one) => one.includes(text));
  if (found === undefined) throw new Error(`${rule} prints no ${text}`);
  return found.trim();
}

function edit(app: string, file: string, from: string | RegExp, to: string): void {
  const path = join(app, 'src', file);
  const text = readFileSync(path, 'utf8');
  const next = text.replace(from, () => to);
  if (next === text) throw new Error(`${file} has no ${from}`);
  writeFileSync(path, next);
}

function parsed(folder: string): ts.ParsedCommandLine {
  const { config } = ts.readConfigFile(join(folder, 'tsconfig.json'), (file) =>
    ts.sys.readFile(file),
  ) as { config: unknown };
  return ts.parseJsonConfigFileContent(config, ts.sys, folder);
}

/** Each file by itself: what the types say is asked once, of the corrected app. */
function emit(folder: string): void {
  const { fileNames, options } = parsed(folder);
  mkdirSync(join(folder, 'dist'));
  for (const fileName of fileNames) {
    const text = readFileSync(fileName, 'utf8');
    const { outputText } = ts.transpileModule(text, { compilerOptions: options, fileName });
    writeFileSync(join(folder, 'dist', basename(fileName).replace(/ts$/, 'js')), outputText);
  }
}

function typeErrors(folder: string): string[] {
  const { fileNames, options } = parsed(folder);
  return ts
    .getPreEmitDiagnostics(ts.createProgram(fileNames, options))
    .map(
      ({ file, messageText }) =>
        `${file?.fileName}: ${ts.flattenDiagnosticMessageText(messageText, '\n')}`,
    );
}

async function until(done: () => boolean, why: () => string): Promise<void> {
  for (let turn = 0; turn < 600; turn += 1) {
    if (done()) return;
    await delay(50);
  }
  throw new Error(why());
}
