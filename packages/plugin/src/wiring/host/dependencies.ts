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
  const server = serverVersions(host);
  const tests = testVersions(host, domains);
  const web = domains.some((domain) => domain.web !== null) ? webVersions() : {};
  const install = addDependenciesToPackageJson(
    tree,
    { ...server, ...web },
    tests,
    'package.json',
    true,
  );
  if (host.solution) {
    // npm knows no workspace protocol.
    const workspaceRange = detectPackageManager(tree.root) === 'npm' ? '*' : 'workspace:*';
    const contracts = (name: string): Versions => ({
      ...Object.fromEntries(
        domains
          .filter((domain) => domain.app === name || domain.web === name)
          .map((domain) => [
            host.contracts.get(domain.contracts)?.importPath ?? '',
            workspaceRange,
          ]),
      ),
    });
    for (const [name, app] of host.apps) {
      addToProject(tree, app.root, { ...server, ...contracts(name) });
    }
    for (const { root } of host.publishers) {
      const all = [...host.contracts.values()].map(({ importPath }) => [
        importPath,
        workspaceRange,
      ]);
      addToProject(tree, root, { ...publisherVersions(), ...Object.fromEntries(all) });
    }
    for (const [name, facts] of host.webs) {
      addToProject(tree, facts.root, { ...webVersions(), ...contracts(name) });
    }
  }
  return install;
}

function addToProject(tree: Tree, root: string, versions: Versions): void {
  const path = joinPathFragments(root, 'package.json');
  if (!tree.exists(path)) return;
  const held = readJson<{ dependencies?: Versions; devDependencies?: Versions }>(tree, path);
  const known = { ...held.devDependencies, ...held.dependencies };
  const missing = Object.entries(versions).filter(([name]) => !Object.hasOwn(known, name));
  if (missing.length === 0) return;
  const dependencies = Object.entries({ ...held.dependencies, ...Object.fromEntries(missing) });
  writeJson(tree, path, {
    ...held,
    dependencies: Object.fromEntries(dependencies.sort(([a], [b]) => (a < b ? -1 : 1))),
  });
}

function serverVersions(host: HostFacts): Versions {
  const major = host.nest.major >= 12 ? 12 : 11;
  const { '@nestjs/jwt': jwt, ...others } = VERSIONS.server;
  return {
    ...Object.fromEntries(VERSIONS.nestLockstep.map((name) => [name, host.nest.range])),
    '@nestjs/jwt': jwt[major],
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
