import { joinPathFragments } from '@nx/devkit';
import type { Tree } from '@nx/devkit';
import { randomBytes } from 'node:crypto';
import { parseEnv } from 'node:util';
import type { Domain } from '../../domain/index.js';
import { API_URL_VARIABLE, tcpPortVariable } from '../../host/index.js';
import type { AppFacts, HostFacts } from '../../host/index.js';
import { COMPOSE_FILE } from './compose.js';
import { ensureEnv, ensureLines } from '../text/index.js';

/** Nest and Next both take 3000, so the first API gets 3333. */
const FIRST_API_PORT = 3333;
const FIRST_TCP_PORT = 4333;
/** For an app without a web app: where most would have one. */
const DEFAULT_ORIGIN = 'http://localhost:3000';

/**
 * Adds what is missing to the development env files (git-ignored, with a random secret) and to
 * `.env.example` of each app. What is there stays.
 */
export function wireDevelopment(tree: Tree, host: HostFacts, domains: readonly Domain[]): void {
  for (const [name, app] of host.apps) {
    const own = new Set(domains.filter((domain) => domain.app === name).map(({ web }) => web));
    const webs = [...own].flatMap((web) => (web === null ? [] : (host.webs.get(web) ?? [])));
    const origins = [...new Set(webs.map(({ origin }) => origin))];
    if (origins.length === 0) origins.push(DEFAULT_ORIGIN);
    const port = portOf(tree, host, app, 'PORT', FIRST_API_PORT);
    const tcpPort = portOf(tree, host, app, 'REALTIME_TCP_PORT', FIRST_TCP_PORT);
    const frontendUrl = origins.join(',');
    for (const file of ['.env.example', '.env.local']) allowOrigins(tree, app.root, file, origins);
    writeEnv(tree, app.root, '.env.example', apiExample(port, tcpPort, frontendUrl));
    writeEnv(tree, app.root, '.env.local', [
      { key: 'PORT', value: String(port) },
      { key: 'JWT_SECRET', value: randomBytes(32).toString('hex') },
      { key: 'FRONTEND_URL', value: frontendUrl },
      { key: 'REALTIME_TRANSPORT', value: 'tcp' },
      { key: 'REALTIME_TCP_PORT', value: String(tcpPort) },
    ]);
    for (const web of webs) {
      const url = { key: API_URL_VARIABLE[web.framework], value: `http://localhost:${port}` };
      writeEnv(tree, web.root, '.env.example', [
        { ...url, comment: 'Where the browser connects: the Nest app, directly' },
      ]);
      writeEnv(tree, web.root, '.env.local', [url]);
    }
  }
  for (const publisher of host.publishers) {
    const ports = new Map(
      [...host.apps].map(([name, app]) => [
        tcpPortVariable(publisher, app, name),
        portOf(tree, host, app, 'REALTIME_TCP_PORT', FIRST_TCP_PORT),
      ]),
    );
    writeEnv(tree, publisher.root, '.env.example', brokerExample(ports));
    writeEnv(tree, publisher.root, '.env.local', [
      { key: 'REALTIME_TRANSPORT', value: 'tcp' },
      ...[...ports].map(([key, port]) => ({ key, value: String(port) })),
    ]);
  }
  const ignored = ensureLines(
    tree.read('.gitignore', 'utf-8') ?? '',
    ['.env.local', '.env.*.local'],
    'Secrets of development',
  );
  if (ignored.kind === 'done') tree.write('.gitignore', ignored.text);
}

interface Entry {
  readonly key: string;
  readonly value: string;
  readonly comment?: string;
}

function apiExample(port: number, tcpPort: number, frontendUrl: string): Entry[] {
  return [
    { key: 'PORT', value: String(port) },
    {
      key: 'JWT_SECRET',
      value: '',
      comment: 'At least 32 bytes; or JWT_PUBLIC_KEY, or JWKS_URI instead',
    },
    {
      key: 'FRONTEND_URL',
      value: frontendUrl,
      comment: 'Origins that may connect, comma-separated, exact',
    },
    ...brokerExample(new Map([['REALTIME_TCP_PORT', tcpPort]])),
    {
      key: 'REDIS_URL',
      value: '',
      comment: `With more than one replica; of ${COMPOSE_FILE}: redis://127.0.0.1:6379`,
    },
  ];
}

/** @param ports of the embedded transport, by variable */
function brokerExample(ports: ReadonlyMap<string, number>): Entry[] {
  return [
    {
      key: 'REALTIME_TRANSPORT',
      value: 'tcp',
      comment: 'tcp: embedded, development only. rmq: RabbitMQ',
    },
    ...[...ports].map(([key, port]) => ({ key, value: String(port) })),
    {
      key: 'RABBITMQ_URL',
      value: '',
      comment: `With rmq; of ${COMPOSE_FILE}: amqp://realtime:realtime@127.0.0.1:5672`,
    },
  ];
}

/**
 * Adds the origin of a web app that is new to those of the others. A value that holds any other
 * origin is its owner's, and stays.
 */
function allowOrigins(tree: Tree, root: string, name: string, origins: readonly string[]): void {
  const path = joinPathFragments(root, name);
  const text = tree.read(path, 'utf-8') ?? '';
  const held =
    readEnv(text)
      ['FRONTEND_URL']?.split(',')
      .map((origin) => origin.trim()) ?? [];
  const isOurs = held.length > 0 && held.every((origin) => origins.includes(origin));
  if (!isOurs || held.length === origins.length) return;
  const line = /^([ \t]*(?:export[ \t]+)?FRONTEND_URL[ \t]*=).*$/m;
  tree.write(path, text.replace(line, `$1${origins.join(',')}`));
}

function writeEnv(tree: Tree, root: string, name: string, entries: readonly Entry[]): void {
  const path = joinPathFragments(root, name);
  const result = ensureEnv(tree.read(path, 'utf-8') ?? '', entries);
  if (result.kind === 'done') tree.write(path, result.text);
}

/** The port that the app has already, else the first that no other app has. */
function portOf(tree: Tree, host: HostFacts, app: AppFacts, key: string, first: number): number {
  const own = readPort(tree, app.root, key);
  if (own !== undefined) return own;
  const taken = new Set([...host.apps.values()].map(({ root }) => readPort(tree, root, key)));
  let port = first;
  while (taken.has(port)) port += 1;
  return port;
}

function readPort(tree: Tree, root: string, key: string): number | undefined {
  for (const name of ['.env.local', '.env', '.env.example']) {
    const text = tree.read(joinPathFragments(root, name), 'utf-8');
    const port = text === null ? NaN : Number(readEnv(text)[key]);
    if (port > 0) return port;
  }
  return undefined;
}

function readEnv(text: string): Record<string, string | undefined> {
  return parseEnv(text.replace('\uFEFF', '').replaceAll('\r\n', '\n'));
}
