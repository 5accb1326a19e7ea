import {
  addDependenciesToPackageJson,
  detectPackageManager,
  installPackagesTask,
  joinPathFragments,
  readJson,
  writeJson,
} from '@nx/devkit';
import type { GeneratorCallback, Tree } from '@nx/devkit';
import type { Domain } from '../../domain/index.js';
import { KERNELS, VERSIONS } from '../../host/index.js';
import type { HostFacts, Kernel } from '../../host/index.js';
import { isOlder } from '../../reconcile/index.js';
import { ejectedDependencies } from '../../render/index.js';
import type { Wanted } from './dev-env.js';
import { dropTarballs, keepTarballs, kernelSpecs, specIn, versionIn } from './packages.js';

type Versions = Record<string, string>;

/**
 * Adds to package.json what the generated code imports, at versions that fit the host's majors, and the kernels at the
 * plugin's own version. Any other version that the host has stays. In a workspace of packages each project names its
 * own too.
 *
 * @returns installs what was added; does nothing when nothing was
 * @throws RealtimeError RT042 where the plugin came from a tarball that has no kernel beside it; nothing is written
 */
export function wireDependencies(
  tree: Tree,
  host: HostFacts,
  domains: readonly Domain[],
): GeneratorCallback {
  const { dependencies, devDependencies, projects } = wantedBy(tree, host, domains);
  keepTarballs(tree);
  const moved = dropPins(tree, host, ['package.json', ...[...projects.keys()].map(packageIn)]);
  const pinned = [
    moved,
    pinKernels(tree, 'package.json', dependencies),
    ...[...projects].map(([root, versions]) => pinKernels(tree, packageIn(root), versions)),
  ].some(Boolean);
  dropTarballs(tree);
  const isHeld =
    missingIn(tree, 'package.json', { ...dependencies, ...devDependencies }).length === 0;
  // Nx would look for the package manager and its catalogs to compare what stays as it is.
  if (!isHeld)
    addDependenciesToPackageJson(tree, dependencies, devDependencies, 'package.json', true);
  const added = [...projects].map(([root, versions]) => addToProject(tree, root, versions));
  const installs = !isHeld || pinned || added.some(Boolean);
  return () => {
    if (installs) installPackagesTask(tree, true);
  };
}

const packageIn = (root: string): string => joinPathFragments(root, 'package.json');

/**
 * Takes out the pins of kernels whose sources the workspace owns: they would bring a second copy. Projects that name
 * packages name the library in their place.
 */
function dropPins(tree: Tree, { ejected }: HostFacts, paths: readonly string[]): boolean {
  let changed = false;
  for (const path of paths.filter((file) => ejected.size > 0 && tree.exists(file))) {
    const json = readJson<Record<string, Versions | undefined>>(tree, path);
    const before = JSON.stringify(json);
    for (const section of ['dependencies', 'devDependencies'].map((name) => json[name])) {
      for (const kernel of ejected.keys()) {
        const held = section?.[KERNELS[kernel]];
        if (section && held !== undefined && !isOfWorkspace(held)) delete section[KERNELS[kernel]];
      }
    }
    if (JSON.stringify(json) === before) continue;
    writeJson(tree, path, json);
    changed = true;
  }
  return changed;
}

const isOfWorkspace = (range: string): boolean => range === '*' || range.startsWith('workspace:');

/**
 * Takes out the names of a library that was a kernel, where it is a package again.
 *
 * @param roots of the projects that may name it
 */
export function dropWorkspaceNames(tree: Tree, kernel: Kernel, roots: readonly string[]): void {
  for (const path of ['', ...roots].map(packageIn).filter((file) => tree.exists(file))) {
    const json = readJson<Record<string, Versions | undefined>>(tree, path);
    const held = json['dependencies']?.[KERNELS[kernel]];
    if (held === undefined || !isOfWorkspace(held)) continue;
    delete json['dependencies']?.[KERNELS[kernel]];
    writeJson(tree, path, json);
  }
}

/**
 * Writes the kernels' pins over older ones and over ranges. A newer one, and what is no version, are the owner's.
 *
 * @returns whether one was written
 */
function pinKernels(tree: Tree, path: string, versions: Versions): boolean {
  if (!tree.exists(path)) return false;
  const json = readJson<Record<string, Versions | undefined>>(tree, path);
  let changed = false;
  for (const section of ['dependencies', 'devDependencies']) {
    for (const name of Object.values(KERNELS)) {
      const [held, wanted] = [json[section]?.[name], versions[name]];
      if (held === undefined || wanted === undefined || held === wanted) continue;
      const [from, to] = [versionIn(held), versionIn(wanted)];
      if (from === null || to === null || isOlder(to, from)) continue;
      json[section] = { ...json[section], [name]: wanted };
      changed = true;
    }
  }
  if (changed) writeJson(tree, path, json);
  return changed;
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
  dropTarballs(tree);
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
  /** Dependencies that each project of a workspace of packages names itself, by its root. */
  readonly projects: ReadonlyMap<string, Versions>;
}

function wantedBy(tree: Tree, host: HostFacts, domains: readonly Domain[]): WantedVersions {
  const observed = domains.filter(({ observability }) => observability);
  const observability = (app: string): Versions =>
    observed.some((domain) => domain.app === app) ? VERSIONS.observability : {};
  const needed = kernelsOf(host, domains).filter((name) => !host.ejected.has(name));
  const specs = kernelSpecs(tree, needed);
  const packageManager = detectPackageManager(tree.root);
  // npm knows no workspace protocol.
  const workspaceRange = packageManager === 'npm' ? '*' : 'workspace:*';
  /** One kernel, as the root or a project names it. */
  const kernel = (name: Kernel, root: string): Versions => ({
    [KERNELS[name]]: host.ejected.has(name)
      ? workspaceRange
      : root === '.'
        ? specs[name]
        : specIn(root, specs[name], packageManager),
  });
  const ejected = [...host.ejected].map(([name]) => VERSIONS.ejected[name]);
  const types = [...host.ejected].map(([name]) => VERSIONS.ejectedTypes[name]);
  const projects = new Map<string, Versions>();
  const add = (root: string, versions: Versions): void =>
    void projects.set(root, { ...projects.get(root), ...versions });
  if (host.solution) {
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
      add(app.root, {
        ...serverVersions(host),
        ...kernel('nest', app.root),
        ...observability(name),
        ...contracts(name),
      });
    }
    for (const { root } of host.publishers) {
      const all = [...host.contracts.values()].map(({ importPath }) => [
        importPath,
        workspaceRange,
      ]);
      add(root, {
        ...publisherVersions(host),
        ...kernel('nest', root),
        ...Object.fromEntries(all),
      });
    }
    for (const [name, { root }] of host.webs) {
      add(root, { ...webVersions(), ...kernel('react', root), ...contracts(name) });
    }
    for (const [name, root] of host.ejected) add(root, ejectedDependencies(name, host));
  }
  return {
    dependencies: {
      ...serverVersions(host),
      ...Object.fromEntries(needed.flatMap((name) => Object.entries(kernel(name, '.')))),
      ...(observed.length > 0 || host.ejected.has('nest') ? VERSIONS.observability : {}),
      ...(kernelsOf(host, domains).includes('react') ? webVersions() : {}),
      ...Object.assign({}, ...ejected),
    },
    devDependencies: { ...testVersions(host, domains), ...Object.assign({}, ...types) },
    projects,
  };
}

/** The kernels that a host needs. */
export function kernelsOf(host: HostFacts, domains: readonly Domain[]): readonly Kernel[] {
  return [
    ...(host.apps.size > 0 || host.publishers.length > 0 ? (['nest'] as const) : []),
    ...(domains.some((domain) => domain.web !== null) ? (['react'] as const) : []),
  ];
}

/** @returns whether anything was missing */
function addToProject(tree: Tree, root: string, versions: Versions): boolean {
  const path = joinPathFragments(root, 'package.json');
  if (!tree.exists(path)) return false;
  const missing = missingIn(tree, path, versions);
  if (missing.length === 0) return false;
  const held = readJson<Manifest>(tree, path);
  const dependencies = Object.entries({ ...held.dependencies, ...Object.fromEntries(missing) });
  writeJson(tree, path, {
    ...held,
    dependencies: Object.fromEntries(dependencies.sort(([a], [b]) => (a < b ? -1 : 1))),
  });
  return true;
}

interface Manifest {
  readonly dependencies?: Versions;
  readonly devDependencies?: Versions;
}

/** Packages that a package.json names in neither way. */
function missingIn(
  tree: Tree,
  path: string,
  versions: Versions,
): [name: string, version: string][] {
  const { dependencies, devDependencies } = readJson<Manifest>(tree, path);
  const held = { ...dependencies, ...devDependencies };
  return Object.entries(versions).filter(([name]) => !Object.hasOwn(held, name));
}

const lockstep = (host: HostFacts, names: readonly string[]): Versions =>
  Object.fromEntries(names.map((name) => [name, host.nest.range]));

const serverVersions = (host: HostFacts): Versions => ({
  ...lockstep(host, VERSIONS.nestLockstep),
  ...VERSIONS.server,
  ...VERSIONS.shared,
});

function testVersions(host: HostFacts, domains: readonly Domain[]): Versions {
  const all = [...domains, ...host.publishers];
  if (all.every(({ skipTests }) => skipTests)) return {};
  // Where a web app has it, it is a dependency already.
  const client = domains.some((domain) => domain.web !== null)
    ? {}
    : { 'socket.io-client': VERSIONS.web['socket.io-client'] };
  return { '@nestjs/testing': host.nest.range, ...client };
}

function publisherVersions(host: HostFacts): Versions {
  const { amqplib, 'amqp-connection-manager': manager } = VERSIONS.server;
  return {
    ...lockstep(host, ['@nestjs/microservices']),
    amqplib,
    'amqp-connection-manager': manager,
    ...VERSIONS.shared,
  };
}

const webVersions = (): Versions => ({ ...VERSIONS.web, ...VERSIONS.shared });
