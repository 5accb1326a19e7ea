import { joinPathFragments } from '@nx/devkit';
import type { Tree } from '@nx/devkit';
import { randomBytes } from 'node:crypto';
import { parseEnv } from 'node:util';
import type { Domain } from '../../domain/index.js';
import { API_URL_VARIABLE, tcpPortVariable } from '../../host/index.js';
import type { AppFacts, HostFacts } from '../../host/index.js';
import { COMPOSE_FILE } from './compose.js';
import { dropEnv, dropLines, ensureEnv, ensureLines } from '../text/index.js';

/** Nest and Next both take 3000, so the first API gets 3333. */
const FIRST_API_PORT = 3333;
const FIRST_TCP_PORT = 4333;
/** Prometheus' usual path. */
const FIRST_METRICS_PORT = 9464;
/** For an app without a web app: where most would have one. */
const DEFAULT_ORIGIN = 'http://localhost:3000';

/**
 * Adds what is missing to the development env files (git-ignored, with a random secret) and to
 * `.env.example` of each app. What is there stays.
 */
export function wireDevelopment(tree: Tree, host: HostFacts, domains: readonly Domain[]): void {
  eachEnvFile(tree, host, domains, (path, entries) => {
    const result = ensureEnv(tree.read(path, 'utf-8') ?? '', entries);
    if (result.kind === 'done') tree.write(path, result.text);
  });
  const ignored = ensureLines(
    tree.read('.gitignore', 'utf-8') ?? '',
    SECRET_FILES,
    SECRETS_HEADING,
  );
  if (ignored.kind === 'done') tree.write('.gitignore', ignored.text);
}

/**
 * Removes from the env files what only these domains needed, as far as it is as it was written and
 * no code names it.
 *
 * @param after the host and the domains that are left
 */
export function unwireDevelopment(
  tree: Tree,
  before: Wanted,
  after: Wanted,
  isNamed: (root: string, name: string) => boolean,
): void {
  const needed = new Map<string, Set<string>>();
  const files: [path: string, entries: Entry[]][] = [];
  eachEnvFile(tree, before.host, before.domains, (path, entries) => files.push([path, entries]));
  eachEnvFile(tree, after.host, after.domains, (path, entries) => {
    const keys = needed.get(path) ?? new Set();
    needed.set(path, new Set([...keys, ...entries.map(({ key }) => key)]));
  });
  for (const [path, entries] of files) {
    const text = tree.read(path, 'utf-8');
    const root = path.slice(0, path.lastIndexOf('/'));
    const gone = entries
      .filter(({ key }) => !needed.get(path)?.has(key))
      .filter(({ key }) => key === 'PORT' || !isNamed(root, key))
      .map((entry) => (isSecret(entry) ? { ...entry, value: heldSecret(text ?? '') } : entry));
    const result = text === null ? null : dropEnv(text, gone);
    if (result?.kind !== 'done') continue;
    if (result.text.trim() === '') tree.delete(path);
    else tree.write(path, result.text);
  }
  const holdsSecrets = files.some(([path]) => path.endsWith('.env.local') && tree.exists(path));
  if (after.domains.length > 0 || holdsSecrets) return;
  const ignored = dropLines(tree.read('.gitignore', 'utf-8') ?? '', SECRET_FILES, SECRETS_HEADING);
  if (ignored.kind === 'done') tree.write('.gitignore', ignored.text);
}

/** A host with the domains that it is wired for. */
export interface Wanted {
  readonly host: HostFacts;
  readonly domains: readonly Domain[];
}

/** An address of the form `host:port`. */
const METRICS = 'REALTIME_METRICS_ADDRESS';

const SECRET_FILES = ['.env.local', '.env.*.local'];
const SECRETS_HEADING = 'Secrets of development';

const isSecret = ({ key, value }: Entry): boolean => key === 'JWT_SECRET' && value !== '';

/** The secret as it is where it is one of those that are made here. */
function heldSecret(text: string): string {
  const held = readEnv(text)['JWT_SECRET'] ?? '';
  return /^[0-9a-f]{64}$/.test(held) ? held : '\0';
}

/** Calls back with each env file and what belongs into it, in an order that gives each app ports. */
function eachEnvFile(
  tree: Tree,
  host: HostFacts,
  domains: readonly Domain[],
  visit: (path: string, entries: Entry[]) => void,
): void {
  const writeEnv = (root: string, name: string, entries: Entry[]): void =>
    visit(joinPathFragments(root, name), entries);
  for (const [name, app] of host.apps) {
    const own = new Set(domains.filter((domain) => domain.app === name).map(({ web }) => web));
    const webs = [...own].flatMap((web) => (web === null ? [] : (host.webs.get(web) ?? [])));
    const origins = [...new Set(webs.map(({ origin }) => origin))];
    if (origins.length === 0) origins.push(DEFAULT_ORIGIN);
    const port = portOf(tree, host, app, 'PORT', FIRST_API_PORT);
    const tcpPort = portOf(tree, host, app, 'REALTIME_TCP_PORT', FIRST_TCP_PORT);
    const frontendUrl = origins.join(',');
    for (const file of ['.env.example', '.env.local']) allowOrigins(tree, app.root, file, origins);
    writeEnv(app.root, '.env.example', apiExample(port, tcpPort, frontendUrl));
    writeEnv(app.root, '.env.local', [
      { key: 'PORT', value: String(port) },
      { key: 'JWT_SECRET', value: randomBytes(32).toString('hex') },
      { key: 'FRONTEND_URL', value: frontendUrl },
      { key: 'REALTIME_TRANSPORT', value: 'tcp' },
      { key: 'REALTIME_TCP_PORT', value: String(tcpPort) },
    ]);
    if (domains.some((domain) => domain.app === name && domain.observability)) {
      const metricsPort = portOf(tree, host, app, METRICS, FIRST_METRICS_PORT);
      const address = { key: METRICS, value: `127.0.0.1:${metricsPort}` };
      writeEnv(app.root, '.env.example', [
        { ...address, comment: 'Where Prometheus gets its metrics; without it nowhere' },
      ]);
      writeEnv(app.root, '.env.local', [address]);
    }
    for (const web of webs) {
      const url = { key: API_URL_VARIABLE[web.framework], value: `http://localhost:${port}` };
      writeEnv(web.root, '.env.example', [
        { ...url, comment: 'Where the browser connects: the Nest app, directly' },
      ]);
      writeEnv(web.root, '.env.local', [url]);
    }
  }
  for (const publisher of host.publishers) {
    const ports = new Map(
      [...host.apps].map(([name, app]) => [
        tcpPortVariable(publisher, app, name),
        portOf(tree, host, app, 'REALTIME_TCP_PORT', FIRST_TCP_PORT),
      ]),
    );
    writeEnv(publisher.root, '.env.example', brokerExample(ports));
    writeEnv(publisher.root, '.env.local', [
      { key: 'REALTIME_TRANSPORT', value: 'tcp' },
      ...[...ports].map(([key, port]) => ({ key, value: String(port) })),
    ]);
  }
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
    const port = text === null ? NaN : Number(readEnv(text)[key]?.split(':').at(-1));
    if (port > 0) return port;
  }
  return undefined;
}

function readEnv(text: string): Record<string, string | undefined> {
  return parseEnv(text.replace('\uFEFF', '').replaceAll('\r\n', '\n'));
}
