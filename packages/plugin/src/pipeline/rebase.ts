import { logger } from '@nx/devkit';
import type { Tree } from '@nx/devkit';
import { RealtimeError, checkDomains, listOf } from '../domain/index.js';
import type { Domain, Field } from '../domain/index.js';
import { detectHost } from '../host/index.js';
import type { HostDomain, HostProjects } from '../host/index.js';
import { restoreBases, filesWithoutBase } from '../reconcile/index.js';
import { loadTemplates, render } from '../render/index.js';
import type { RenderedFile, Wanted } from '../render/index.js';
import { recordedDomains } from './domain-bases.js';

/**
 * Rebuilds the merge bases that a merge by git has left wrong from the domain files, without
 * touching code.
 *
 * @returns prints what was done
 */
export async function rebaseDomains(
  tree: Tree,
  projects: HostProjects,
  all: readonly HostDomain[],
): Promise<() => void> {
  const written = await findBases(tree, projects, all, true);
  return () => {
    logger.info(
      written.length === 0
        ? 'Nothing to do: every base is the one that its file was written from.'
        : `Merge bases rebuilt of:\n${written.map((path) => `  ${path}`).join('\n')}\nBring the code up to the domain files: nx sync`,
    );
  };
}

/**
 * Settles bases of which the manifest shows what they must be; the others are left for `rebase`.
 *
 * @param renderFiles what a test counts
 */
export async function findBases(
  tree: Tree,
  projects: HostProjects,
  all: readonly HostDomain[],
  guess: boolean,
  renderFiles: typeof render = render,
): Promise<string[]> {
  if (filesWithoutBase(tree).length === 0) return [];
  const domains = all.map(({ domain }) => domain);
  checkDomains(all);
  const host = detectHost(tree, projects, domains);
  const recorded = (recordedDomains(tree, projects, all) ?? []).map(({ domain }) => domain);
  return restoreBases(tree, renderings, guess);

  /** An ejected kernel is the same whatever the domains are. */
  function isOfKernel(path: string): boolean {
    return [...host.ejected.values()].some((root) => path.startsWith(`${root}/`));
  }

  /** The workspace's files as they may have been; of each state those alone that are not settled. */
  function* renderings(open: ReadonlySet<string>): Generator<RenderedFile[]> {
    const domainOf = new Map<string, string>();
    for (const state of [domains, recorded]) {
      const names = state.map(({ names: { pascal } }) => pascal);
      const wanted = { paths: open, domains: new Set(names) };
      // What the manifest has lost is guessed too.
      const files = renderState(state, guess && state === domains ? undefined : wanted);
      for (const { path, domain } of files) if (domain) domainOf.set(path, domain);
      yield files;
    }
    for (const { domain, without } of smallerStates(domains)) {
      const { pascal } = domain.names;
      const paths = [...open].filter(
        (path) => !isOfKernel(path) && (domainOf.get(path) ?? pascal) === pascal,
      );
      if (paths.length === 0) continue;
      const isOwn = paths.some((path) => domainOf.has(path));
      yield renderState(without(), {
        paths: new Set(paths),
        domains: new Set(isOwn ? [pascal] : []),
      });
    }
  }

  function renderState(state: readonly Domain[], wanted: Wanted | undefined): RenderedFile[] {
    const isKnown = state.every(
      ({ app, web, contracts }) =>
        host.apps.has(app) && (web === null || host.webs.has(web)) && host.contracts.has(contracts),
    );
    return isKnown ? renderFiles(state, host, loadTemplates(host), wanted) : [];
  }
}

/** A state in which one of the domains was less than it is. */
interface SmallerState {
  readonly domain: Domain;
  readonly without: () => readonly Domain[];
}

/**
 * Earlier states that one of two merged branches may have had: a domain, events or a field less, or an
 * event that did nothing to the list.
 */
function* smallerStates(domains: readonly Domain[]): Generator<SmallerState> {
  for (const domain of domains) {
    yield { domain, without: () => domains.filter((other) => other !== domain) };
  }
  for (const domain of domains) {
    for (const variant of variantsOf(domain)) {
      const without = (): Domain[] => domains.map((other) => (other === domain ? variant : other));
      yield { domain, without };
    }
  }
}

function variantsOf(domain: Domain): Domain[] {
  const names = [...domain.serverEvents, ...domain.clientEvents].map(({ name }) => name);
  const pairs = names.flatMap((one, index) => [
    [one],
    ...names.slice(index + 1).map((other) => [one, other]),
  ]);
  return [
    ...pairs.map((left) => withoutEvents(domain, left)),
    ...names.flatMap((name) => withoutField(domain, name)),
    ...names.map((name) => withoutList(domain, name)),
  ].filter(canBe);
}

function withoutEvents(domain: Domain, left: readonly string[]): Domain {
  const stays = ({ name }: { readonly name: string }): boolean => !left.includes(name);
  return {
    ...domain,
    serverEvents: domain.serverEvents.filter(stays),
    clientEvents: domain.clientEvents.filter(stays),
  };
}

function withoutList(domain: Domain, event: string): Domain {
  const serverEvents = domain.serverEvents.map((one) =>
    one.name === event ? { ...one, list: 'none' as const } : one,
  );
  return { ...domain, serverEvents };
}

/** The domain with each field of an event left out in turn. */
function withoutField(domain: Domain, event: string): Domain[] {
  const fields = [...domain.serverEvents, ...domain.clientEvents].find(
    ({ name }) => name === event,
  )?.fields;
  return (fields ?? []).map((field) => {
    const without = <T extends { readonly name: string; readonly fields: readonly Field[] }>(
      one: T,
    ): T =>
      one.name === event ? { ...one, fields: one.fields.filter((other) => other !== field) } : one;
    return {
      ...domain,
      serverEvents: domain.serverEvents.map(without),
      clientEvents: domain.clientEvents.map(without),
    };
  });
}

/** False where what is left out is what a list needs. */
function canBe({ names, serverEvents }: Domain): boolean {
  try {
    listOf(names.pascal, serverEvents);
    return true;
  } catch (error) {
    if (error instanceof RealtimeError) return false;
    throw error;
  }
}
