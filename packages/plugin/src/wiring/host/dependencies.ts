import {
  addDependenciesToPackageJson,
  detectPackageManager,
  joinPathFragments,
  readJson,
  writeJson,
} from '@nx/devkit';
import type { GeneratorCallback, Tree } from '@nx/devkit';
import type { Domain } from '../../domain/index.js';
import { VERSIONS } from '../../host/index.js';
import type { HostFacts } from '../../host/index.js';
import type { Wanted } from './dev-env.js';

type Versions = Record<string, string>;

/**
 * Adds to package.json what the generated code imports, at versions that fit the host's majors. A
 * version that the host has stays. In a workspace of packages each project names its own too.
 *
 * @returns installs what was added; does nothing when nothing was
 */
export function wireDependencies(
  tree: Tree,
  host: HostFacts,
  domains: readonly Domain[],
): GeneratorCallback {
  const { dependencies, devDependencies, projects } = wantedBy(tree, host, domains);
  const isHeld =
    missingIn(tree, 'package.json', { ...dependencies, ...devDependencies }).length === 0;
  // Nx would look for the package manager and its catalogs to compare what stays as it is.
  const install = isHeld
    ? () => undefined
    : addDependenciesToPackageJson(tree, dependencies, devDependencies, 'package.json', true);
  for (const [root, versions] of projects) addToProject(tree, root, versions);
  return install;
}

/**
 * Removes from every package.json what is there as it was added, what only these domains needed and
 * what no code imports.
 *
 * @returns whether anything was removed
 */
export function unwireDependencies(
  tree: Tree,
  before: Wanted,
  after: Wanted,
  isNamed: (root: string, name: string) => boolean,
): boolean {
  const [old, now] = [before, after].map(({ host, domains }) => wantedBy(tree, host, domains)) as [
    WantedVersions,
    WantedVersions,
  ];
  const isLast = after.domains.length === 0;
  const root = drop(
    tree,
    '.',
    { ...old.dependencies, ...old.devDependencies },
    isLast ? {} : { ...now.dependencies, ...now.devDependencies },
    isNamed,
  );
  const own = [...old.projects].map(([project, versions]) =>
    drop(tree, project, versions, now.projects.get(project) ?? {}, isNamed),
  );
  return root || own.some(Boolean);
}

function drop(
  tree: Tree,
  root: string,
  old: Versions,
  now: Versions,
  isNamed: (root: string, name: string) => boolean,
): boolean {
  const path = joinPathFragments(root, 'package.json');
  if (!tree.exists(path)) return false;
  const held = readJson<Record<string, Versions | undefined>>(tree, path);
  let dropped = false;
  for (const section of ['dependencies', 'devDependencies']) {
    const versions = held[section];
    if (!versions) continue;
    for (const [name, version] of Object.entries(old)) {
      if (versions[name] !== version || name in now || isNamed(root, name)) continue;
      delete versions[name];
      dropped = true;
    }
    if (dropped && root !== '.' && Object.keys(versions).length === 0) delete held[section];
  }
  if (dropped) writeJson(tree, path, held);
  return dropped;
}

interface WantedVersions {
  readonly dependencies: Versions;
  readonly devDependencies: Versions;
  /** What each project of a workspace of packages names itself, by its root. */
  readonly projects: ReadonlyMap<string, Versions>;
}

function wantedBy(tree: Tree, host: HostFacts, domains: readonly Domain[]): WantedVersions {
  const observed = domains.filter(({ observability }) => observability);
  const observability = (app: string): Versions =>
    observed.some((domain) => domain.app === app) ? VERSIONS.observability : {};
  const server = serverVersions(host);
  const web = domains.some((domain) => domain.web !== null) ? webVersions() : {};
  const projects = new Map<string, Versions>();
  const add = (root: string, versions: Versions): void =>
    void projects.set(root, { ...projects.get(root), ...versions });
  if (host.solution) {
    // npm knows no workspace protocol.
    const workspaceRange = detectPackageManager(tree.root) === 'npm' ? '*' : 'workspace:*';
    const contracts = (name: string): Versions =>
      Object.fromEntries(
        domains
          .filter((domain) => domain.app === name || domain.web === name)
          .map((domain) => [
            host.contracts.get(domain.contracts)?.importPath ?? '',
            workspaceRange,
          ]),
      );
    for (const [name, app] of host.apps) {
      add(app.root, { ...server, ...observability(name), ...contracts(name) });
    }
    for (const { root } of host.publishers) {
      const all = [...host.contracts.values()].map(({ importPath }) => [
        importPath,
        workspaceRange,
      ]);
      add(root, { ...publisherVersions(), ...Object.fromEntries(all) });
    }
    for (const [name, { root }] of host.webs) add(root, { ...webVersions(), ...contracts(name) });
  }
  return {
    dependencies: { ...server, ...(observed.length > 0 ? VERSIONS.observability : {}), ...web },
    devDependencies: testVersions(host, domains),
    projects,
  };
}

function addToProject(tree: Tree, root: string, versions: Versions): void {
  const path = joinPathFragments(root, 'package.json');
  if (!tree.exists(path)) return;
  const missing = missingIn(tree, path, versions);
  if (missing.length === 0) return;
  const held = readJson<Manifest>(tree, path);
  const dependencies = Object.entries({ ...held.dependencies, ...Object.fromEntries(missing) });
  writeJson(tree, path, {
    ...held,
    dependencies: Object.fromEntries(dependencies.sort(([a], [b]) => (a < b ? -1 : 1))),
  });
}

interface Manifest {
  readonly dependencies?: Versions;
  readonly devDependencies?: Versions;
}

/** What a package.json names in neither way. */
function missingIn(
  tree: Tree,
  path: string,
  versions: Versions,
): [name: string, version: string][] {
  const { dependencies, devDependencies } = readJson<Manifest>(tree, path);
  const held = { ...dependencies, ...devDependencies };
  return Object.entries(versions).filter(([name]) => !Object.hasOwn(held, name));
}

function serverVersions(host: HostFacts): Versions {
  const major = host.nest.major >= 12 ? 12 : 11;
  const { '@nestjs/jwt': jwt, '@nestjs/terminus': terminus, ...others } = VERSIONS.server;
  return {
    ...Object.fromEntries(VERSIONS.nestLockstep.map((name) => [name, host.nest.range])),
    '@nestjs/jwt': jwt[major],
    '@nestjs/terminus': terminus[major],
    ...others,
    ...VERSIONS.shared,
  };
}

function testVersions(host: HostFacts, domains: readonly Domain[]): Versions {
  const all = [...domains, ...host.publishers];
  if (all.every(({ skipTests }) => skipTests)) return {};
  // Where a web app has it, it is a dependency already.
  const client = domains.some((domain) => domain.web !== null)
    ? {}
    : { 'socket.io-client': VERSIONS.web['socket.io-client'] };
  return { '@nestjs/testing': host.nest.range, ...client };
}

function publisherVersions(): Versions {
  const { amqplib, 'amqp-connection-manager': manager } = VERSIONS.server;
  return { amqplib, 'amqp-connection-manager': manager, ...VERSIONS.shared };
}

const webVersions = (): Versions => ({ ...VERSIONS.web, ...VERSIONS.shared });
