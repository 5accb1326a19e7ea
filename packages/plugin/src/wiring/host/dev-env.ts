import { joinPathFragments, visitNotIgnoredFiles } from '@nx/devkit';
import type { Tree } from '@nx/devkit';
import { randomBytes } from 'node:crypto';
import type { Domain } from '../../domain/index.js';
import { URL_VARIABLES, tcpPortVariable } from '../../host/index.js';
import type { AppFacts, HostFacts } from '../../host/index.js';
import { COMPOSE_FILE } from './compose.js';
import { findSetting } from './env-files.js';
import { dropEnv, dropLines, ensureEnv, ensureLines, isWordIn, readEnv } from '../text/index.js';

/** Nest and Next both take 3000, so the first API gets 3333. */
const FIRST_API_PORT = 3333;
const FIRST_TCP_PORT = 4333;
/** Prometheus' usual path. */
const FIRST_METRICS_PORT = 9464;
/** For an app without a web app: where most would have one. */
const DEFAULT_ORIGIN = 'http://localhost:3000';

/**
 * Adds what is missing to the development env files (git-ignored, with a random secret) and to
 * `.env.example` of each app. What is there stays, and what an env file or the code of the app or the
 * workspace has under the name that teams use is not written under ours: that would win.
 *
 * @returns what was written into which file, and what was not, and why, for people
 */
export function wireDevelopment(tree: Tree, host: HostFacts, domains: readonly Domain[]): string[] {
  const lines: string[] = [];
  const isNamed = namesIn(tree, host);
  eachEnvFile(tree, host, domains, (path, entries) => {
    const text = tree.read(path, 'utf-8') ?? '';
    const held = readEnv(text);
    const root = path.slice(0, path.lastIndexOf('/'));
    const wanted = entries.filter((entry) => {
      if (Object.hasOwn(held, entry.key)) return false;
      const reason = path.endsWith('.env.example')
        ? heldByExample(entry, held)
        : heldElsewhere(tree, root, entry, isNamed);
      if (reason) lines.push(`${path}: no ${entry.key}, ${reason}`);
      return reason === null;
    });
    const result = ensureEnv(text, wanted);
    if (result.kind !== 'done') return;
    tree.write(path, result.text);
    if (path.endsWith('.env.example')) return;
    for (const { key, value, why } of wanted) {
      lines.push(`${path}: ${key}${key === SECRET ? '' : `=${value}`}${why ? `, ${why}` : ''}`);
    }
  });
  const ignored = ensureLines(
    tree.read('.gitignore', 'utf-8') ?? '',
    SECRET_FILES,
    SECRETS_HEADING,
  );
  if (ignored.kind === 'done') tree.write('.gitignore', ignored.text);
  return lines;
}

/** In an example the name is enough. Empty: nothing to tell of. */
function heldByExample({ common }: Entry, held: Readonly<Record<string, unknown>>): string | null {
  return common?.names.some((name) => Object.hasOwn(held, name)) ? '' : null;
}

/** Why a variable is not to be written: what it would hide. Null where it hides nothing. */
function heldElsewhere(
  tree: Tree,
  root: string,
  { key, common }: Entry,
  isNamed: (root: string, name: string) => string | null,
): string | null {
  const own = findSetting(tree, root, [key]);
  if (own) return `which ${own.path} sets`;
  if (!common) return null;
  const held = findSetting(tree, root, common.names, common.fits);
  if (held) return `as ${held.path} sets ${held.name}`;
  if (!common.isCode) return null;
  for (const name of common.names) {
    const file = isNamed(root, name);
    if (file !== null) {
      return `as ${file} reads ${name}, which no env file sets: set it to what your tokens are signed with`;
    }
  }
  return null;
}

/** The first source file that names a variable: of the app, or of a library; kernels of ours aside. */
function namesIn(tree: Tree, host: HostFacts): (root: string, name: string) => string | null {
  const apps = [...host.apps.values(), ...host.publishers, ...host.webs.values()];
  const roots = new Set(apps.map((app) => app.root));
  let texts: [path: string, text: string][] | undefined;
  const read = (): [path: string, text: string][] => {
    const found: [path: string, text: string][] = [];
    visitNotIgnoredFiles(tree, '.', (file) => {
      const path = file.replaceAll('\\', '/');
      if (!/\.[cm]?[jt]s$/.test(path) || NO_SOURCE.test(path)) return;
      const text = tree.read(path, 'utf-8') ?? '';
      if (COMMON_KEYS.some((name) => text.includes(name)) && !text.includes(SECRET)) {
        found.push([path, text]);
      }
    });
    return found;
  };
  return (root, name) => {
    texts ??= read();
    const isOfOther = (path: string): boolean =>
      [...roots].some((other) => other !== root && path.startsWith(`${other}/`));
    const found = texts.find(([path, text]) => !isOfOther(path) && isWordIn(text, name));
    return found?.[0] ?? null;
  };
}

const NO_SOURCE = /(?:^|\/)(?:node_modules|dist|\.nx|\.next|e2e)\/|\.(?:spec|test|e2e-spec)\./;

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

const SECRET = 'REALTIME_JWT_SECRET';
/** What an app verifies tokens with already. */
const COMMON_KEYS = ['JWT_SECRET', 'JWT_PUBLIC_KEY', 'JWKS_URI'];

const isSecret = ({ key, value }: Entry): boolean => key === SECRET && value !== '';

/** The secret as it is where it is one of those that are made here. */
function heldSecret(text: string): string {
  const held = readEnv(text)[SECRET] ?? '';
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
    const allowed = origins.join(',');
    const commonKey = { names: COMMON_KEYS, isCode: true };
    const commonOrigins = {
      names: ['FRONTEND_URL'],
      fits: (value: string) => origins.every((origin) => originsIn(value).includes(origin)),
    };
    for (const file of ['.env.example', '.env.local']) allowOrigins(tree, app.root, file, origins);
    writeEnv(app.root, '.env.example', apiExample(port, tcpPort, allowed));
    writeEnv(app.root, '.env.local', [
      { key: 'PORT', value: String(port), why: 'as Next and Nest both take 3000' },
      {
        key: SECRET,
        value: randomBytes(32).toString('hex'),
        why: 'random: nothing here says what your tokens are signed with',
        common: commonKey,
      },
      {
        key: 'REALTIME_ORIGINS',
        value: allowed,
        why: 'where the web app is',
        common: commonOrigins,
      },
      { key: 'REALTIME_TRANSPORT', value: 'tcp', why: 'so that no broker is needed' },
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
      const { own, api } = URL_VARIABLES[web.framework];
      const url = {
        key: own,
        value: `http://localhost:${port}`,
        why: 'where the API is',
        common: {
          names: [api],
          fits: (value: string) => originOf(value) === `http://localhost:${port}`,
        },
      };
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
  /** For the report. */
  readonly why?: string;
  /** Variables that teams have for the same: what they hold is used where ours is not set. */
  readonly common?: {
    readonly names: readonly string[];
    /** False for a value that is of no use here. */
    readonly fits?: (value: string) => boolean;
    /** True where code that reads one is enough, wherever its value is from. */
    readonly isCode?: boolean;
  };
}

const originsIn = (value: string): string[] => value.split(',').map((origin) => origin.trim());

function originOf(url: string): string | null {
  return URL.canParse(url) ? new URL(url).origin : null;
}

function apiExample(port: number, tcpPort: number, allowed: string): Entry[] {
  return [
    { key: 'PORT', value: String(port) },
    {
      key: SECRET,
      value: '',
      comment: 'At least 32 bytes, default JWT_SECRET; or JWT_PUBLIC_KEY, or JWKS_URI instead',
      common: { names: COMMON_KEYS },
    },
    {
      key: 'REALTIME_ORIGINS',
      value: allowed,
      comment: 'Origins that may connect, comma-separated, exact; default FRONTEND_URL',
      common: { names: ['FRONTEND_URL'] },
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
  const values = readEnv(text);
  for (const key of ['REALTIME_ORIGINS', 'FRONTEND_URL']) {
    const held = originsIn(values[key] ?? '').filter(Boolean);
    const isOurs = held.length > 0 && held.every((origin) => origins.includes(origin));
    if (!isOurs || held.length === origins.length) continue;
    const line = new RegExp(`^([ \\t]*(?:export[ \\t]+)?${key}[ \\t]*=).*$`, 'm');
    tree.write(path, text.replace(line, `$1${origins.join(',')}`));
    return;
  }
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
  const files = ['.env.local', '.env.development', '.env', '.env.example'];
  // A port of the workspace is every app's.
  const shared = key === 'PORT' ? ['.env.local', '.env'] : [];
  for (const path of [...files.map((name) => joinPathFragments(root, name)), ...shared]) {
    const text = tree.read(path, 'utf-8');
    const port = text === null ? NaN : Number(readEnv(text)[key]?.split(':').at(-1));
    if (port > 0) return port;
  }
  return undefined;
}
