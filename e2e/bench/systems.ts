import { randomBytes, generateKeyPairSync } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { transformSync } from '@swc/core';
import { connect } from 'amqplib';
import { sign } from 'jsonwebtoken';
import { createHost, installPlugin, type Host } from '../support/host';
import { packTarballs } from '../support/pack';
import { freePort } from '../support/ports';
import { start, type Running } from '../support/processes';
import { artifact, REPO } from '../support/repo';
import { distOf } from '../support/stack';
import { cpuSeconds, onCore, residentBytes } from './machine';
import type { Protocol } from './raw-connection';

export type SystemName = 'nx-realtime' | 'socket.io' | 'nest-recipe' | 'ws';
export type Algorithm = 'HS256' | 'RS256';

/** A server that is measured. */
export interface System {
  readonly name: SystemName;
  /** What a table calls it. */
  readonly label: string;
  readonly protocol: Protocol;
  readonly queues: readonly string[];
  /** A command line without `node`, and where it runs. */
  readonly entry: () => { readonly cwd: string; readonly args: string };
}

export interface RunningSystem {
  readonly system: System;
  readonly port: number;
  readonly pid: number;
  cpu(): number;
  /** After a full garbage collection, in bytes. */
  memory(): Promise<{ readonly rss: number; readonly heap: number }>;
  /** Profiles what happens while `work` runs. */
  profile(work: () => Promise<unknown>): Promise<readonly SelfTime[]>;
  stop(): Promise<void>;
}

/** Microseconds that a function spent itself, of a script: a path, `node:...` or nothing. */
export type SelfTime = readonly [functionName: string, script: string, micros: number];

const SECRET = randomBytes(32).toString('hex');
const RSA = generateKeyPairSync('rsa', {
  modulusLength: 2048,
  publicKeyEncoding: { type: 'spki', format: 'pem' },
  privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
});

/** Limits that the load would hit: each is a variable that an operator has too. */
export const RAISED_LIMITS = {
  REALTIME_RATE_HANDSHAKES: '1000000',
  REALTIME_RATE_HANDSHAKES_BURST: '1000000',
  REALTIME_RATE_EVENTS: '1000000',
  REALTIME_RATE_EVENTS_BURST: '1000000',
  REALTIME_RATE_USER_EVENTS: '1000000',
  REALTIME_RATE_USER_EVENTS_BURST: '1000000',
  REALTIME_MAX_BUFFERED_BYTES: '1073741824',
};

/** Builds what is generated, as a user would for production. Takes half a minute. */
export async function buildGenerated(): Promise<Host> {
  const host = await createHost('integrated', 'bench');
  await installPlugin(host, packTarballs().plugin);
  await host.run(
    `npx nx g realtime-domain Notification --clientEvents='markRead{notificationId}' --no-interactive`,
  );
  await host.run('npx nx build api-gateway --configuration=production');
  return host;
}

export function defineSystems(host: Host): Record<SystemName, System> {
  return {
    'nx-realtime': {
      name: 'nx-realtime',
      label: 'nx-realtime, as generated',
      protocol: 'socket.io',
      queues: ['realtime.api-gateway', 'realtime.api-gateway.dead'],
      entry: () => ({ cwd: host.root, args: `${distOf(host, 'api-gateway')}/main.js` }),
    },
    'socket.io': handWritten('socket.io', '(a) socket.io + amqplib', 'raw-socketio', 'bench.raw'),
    'nest-recipe': handWritten('nest-recipe', '(b) Nest recipe', 'nest-recipe', 'bench.nest'),
    ws: { ...handWritten('ws', '(c) ws + amqplib', 'raw-ws', 'bench.ws'), protocol: 'ws' },
  };
}

function handWritten(name: SystemName, label: string, file: string, queue: string): System {
  return {
    name,
    label,
    protocol: 'socket.io',
    queues: [queue],
    entry: () => ({ cwd: REPO, args: compile(file) }),
  };
}

/** To JavaScript, before it is measured: a loader would stay in the process. */
function compile(file: string): string {
  const folder = join(REPO, 'e2e/bench/tmp');
  mkdirSync(folder, { recursive: true });
  const source = readFileSync(join(REPO, 'e2e/bench/servers', `${file}.ts`), 'utf8');
  const { code } = transformSync(source, {
    filename: `${file}.ts`,
    module: { type: 'commonjs' },
    jsc: {
      target: 'es2022',
      parser: { syntax: 'typescript', decorators: true },
      transform: { legacyDecorator: true, useDefineForClassFields: true },
    },
  });
  const target = join(folder, `${file}.js`);
  writeFileSync(target, code);
  return target;
}

export async function startSystem(
  system: System,
  rabbitmq: string,
  options: { readonly algorithm?: Algorithm; readonly env?: NodeJS.ProcessEnv } = {},
): Promise<RunningSystem> {
  const port = await freePort();
  const { cwd, args } = system.entry();
  const key =
    options.algorithm === 'RS256' ? { JWT_PUBLIC_KEY: RSA.publicKey } : { JWT_SECRET: SECRET };
  const instruments = join(REPO, 'e2e/bench/servers/instruments.cjs');
  const running: Running = await start(
    `exec ${onCore('server')}${process.execPath} --expose-gc --require ${instruments} ${args}`,
    {
      cwd,
      env: {
        PATH: process.env['PATH'],
        NODE_ENV: 'production',
        PORT: String(port),
        FRONTEND_URL: 'http://localhost:4200',
        RABBITMQ_URL: rabbitmq,
        ...key,
        ...RAISED_LIMITS,
        ...options.env,
      },
      logFile: artifact(`bench-${system.name}.log`),
      // What is generated says so when its consumer runs.
      ready: { log: /^listening$|Consuming from|Standing by/m },
    },
  );
  /** Sends a signal and waits for the line that `servers/instruments.cjs` answers with. */
  const answer = async (signal: NodeJS.Signals, name: string): Promise<string> => {
    const before = running.output().length;
    process.kill(running.pid, signal);
    for (const deadline = Date.now() + 60_000; Date.now() < deadline;) {
      await delay(50);
      const [, line] =
        new RegExp(`^${name} (.*)\\n`, 'm').exec(running.output().slice(before)) ?? [];
      if (line) return line;
    }
    throw new Error(`${system.label} did not answer ${signal}: see ${running.logFile}`);
  };
  return {
    system,
    port,
    pid: running.pid,
    cpu: () => cpuSeconds(running.pid),
    memory: async () => {
      const { heapUsed } = JSON.parse(await answer('SIGUSR2', 'memory')) as NodeJS.MemoryUsage;
      return { rss: residentBytes(running.pid), heap: heapUsed };
    },
    profile: async (work) => {
      process.kill(running.pid, 'SIGHUP');
      await work();
      return JSON.parse(await answer('SIGHUP', 'profile')) as SelfTime[];
    },
    stop: async () => {
      await running.stop(0);
      await deleteQueues(rabbitmq, system.queues);
    },
  };
}

/** So many tenants, each of its own. */
export function nameTenants(count: number): string[] {
  return Array.from({ length: count }, (_, index) => `tenant-${index}`);
}

/** Tokens of users of their own, in tenants in turn. */
export function mintTokens(
  count: number,
  tenants: readonly string[],
  algorithm: Algorithm = 'HS256',
): string[] {
  const exp = Math.floor(Date.now() / 1_000) + 7_200;
  const key = algorithm === 'RS256' ? RSA.privateKey : SECRET;
  return Array.from({ length: count }, (_, index) => {
    const tenantId = tenants[index % tenants.length] as string;
    return sign({ sub: `u${index}`, tenantId, exp }, key, { algorithm });
  });
}

/** What was left in them would be bound to the events of the next one too. */
async function deleteQueues(url: string, queues: readonly string[]): Promise<void> {
  const connection = await connect(url);
  const channel = await connection.createChannel();
  for (const queue of queues) await channel.deleteQueue(queue);
  await connection.close();
}
