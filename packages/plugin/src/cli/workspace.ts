import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { FsTree } from 'nx/src/generators/tree';
import { RealtimeError } from '../domain/index.js';
import type { Domain } from '../domain/index.js';
import { HostProjects, detectHost, hostDomains, projectsNamed } from '../host/index.js';
import type { AppFacts } from '../host/index.js';
import { readEnv } from '../wiring/index.js';
import type { Cli } from './cli.js';
import { readGuardClaims } from './guard-claims.js';
import type { GuardClaims } from './guard-claims.js';

export type Env = Readonly<Record<string, string | undefined>>;

/** An app that serves domains, as it would run here. */
export interface CliApp {
  readonly facts: AppFacts;
  readonly domains: readonly Domain[];
  /** Variable of this process, else of the app's env files, else of the workspace's; an empty one is unset. */
  readonly env: Env;
  /** Claims that its guard reads the owner of a token from. */
  readonly claims: GuardClaims;
  /** Folders from which the app's packages can be resolved. */
  readonly roots: readonly string[];
}

/**
 * The apps of the workspace that serve domains.
 *
 * @throws RealtimeError RT030 where there is none
 */
export function readApps(cli: Cli): CliApp[] {
  const tree = new FsTree(cli.root, false);
  const projects = new HostProjects(tree);
  const domains = hostDomains(tree, projects).map(({ domain }) => domain);
  if (domains.length === 0) {
    throw new RealtimeError(
      'RT030',
      `There is no realtime domain in ${cli.root}. Create one: nx g realtime-domain Notification`,
    );
  }
  const host = detectHost(tree, projects, domains);
  const webs = [...host.webs.values()].map(({ root }) => root);
  return [...host.apps].map(([name, facts]) => ({
    facts,
    domains: domains.filter(({ app }) => app === name),
    env: envOf(cli, facts.root),
    claims: readGuardClaims(
      tree.read(join(facts.realtimeRoot, 'guards/ws-auth.guard.ts'), 'utf-8'),
    ),
    roots: [facts.root, ...webs, '.'].map((root) => join(cli.root, root)),
  }));
}

/**
 * The app that `--app` names, or the only one.
 *
 * @throws RealtimeError RT031
 */
export function chooseApp(apps: readonly CliApp[], name: string | undefined): CliApp {
  const facts = apps.map((app) => app.facts);
  if (name !== undefined) return apps[facts.indexOf(appNamed(facts, name))]!;
  const [app, ...others] = apps;
  if (app && others.length === 0) return app;
  const names = facts.map((one) => one.name).join(', ');
  throw new RealtimeError(
    'RT031',
    `Several apps serve realtime domains: ${names}. Pass --app=<name>.`,
  );
}

/**
 * The app that `--app` names, by its name or the last part of it.
 *
 * @throws RealtimeError RT031
 */
export function appNamed<T extends { readonly name: string; readonly shortName: string }>(
  apps: readonly T[],
  name: string,
): T {
  const [app, ...others] = projectsNamed(apps, name);
  if (app && (others.length === 0 || app.name === name)) return app;
  const names = [...new Set(apps.map((one) => one.name))].join(', ');
  throw new RealtimeError(
    'RT031',
    `--app: "${name}" is not the name of one app of realtime domains. Found: ${names}.`,
  );
}

/**
 * A variable that a command cannot do without.
 *
 * @throws RealtimeError RT032
 */
export function requireEnv({ facts, env }: CliApp, name: string, hint: string): string {
  const value = env[name];
  if (value !== undefined) return value;
  throw new RealtimeError(
    'RT032',
    `${name} is missing: neither the environment nor an env file of ${facts.root} or of the workspace sets it${commonOf(name)}. ${hint}`,
  );
}

function commonOf(name: string): string {
  const [, common] = COMMON_NAMES.find(([own]) => own === name) ?? [];
  return common === undefined ? '' : `, nor ${common}`;
}

/**
 * A package that the host has installed.
 *
 * @throws RealtimeError RT035
 */
export function requirePackage<T>({ facts, roots }: CliApp, name: string): T {
  for (const root of roots) {
    const require = createRequire(join(root, 'package.json'));
    try {
      return require(require.resolve(name)) as T;
    } catch (error) {
      if ((error as { code?: string }).code !== 'MODULE_NOT_FOUND') throw error;
    }
  }
  throw new RealtimeError(
    'RT035',
    `${name} is not installed for ${facts.name}. Install the workspace's packages (npm ci), or add it: npm install ${name}`,
  );
}

/** What `nx serve` reads, the later one wins: of the target and its configuration too. */
const ENV_FILES = ['', 'serve', 'development', 'serve.development'].flatMap((of) =>
  of === ''
    ? ['.env', '.local.env', '.env.local']
    : [`.${of}.env`, `.${of}.local.env`, `.env.${of}`, `.env.${of}.local`],
);

/** Names that teams have for the same, as the kernel takes them. */
const COMMON_NAMES = [
  ['REALTIME_JWT_SECRET', 'JWT_SECRET'],
  ['REALTIME_ORIGINS', 'FRONTEND_URL'],
] as const;

function envOf(cli: Cli, root: string): Env {
  const files = ['.', root]
    .flatMap((folder) => ENV_FILES.map((name) => join(cli.root, folder, name)))
    .filter((path) => existsSync(path))
    .map((path) => readEnv(readFileSync(path, 'utf-8')));
  const merged = Object.assign({}, ...files, cli.env) as Record<string, string | undefined>;
  const env = Object.fromEntries(Object.entries(merged).filter(([, value]) => value?.trim()));
  for (const [own, common] of COMMON_NAMES) {
    const value = env[own] ?? env[common];
    if (value !== undefined) env[own] = value;
  }
  return env;
}
