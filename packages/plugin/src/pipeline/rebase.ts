import { logger } from '@nx/devkit';
import type { Tree } from '@nx/devkit';
import { RealtimeError, checkDomains, listOf } from '../domain/index.js';
import type { Domain, Field } from '../domain/index.js';
import { detectHost } from '../host/index.js';
import type { HostDomain, HostFacts, HostProjects } from '../host/index.js';
import { restoreBases, filesWithoutBase } from '../reconcile/index.js';
import { loadTemplates, render } from '../render/index.js';
import type { RenderedFile } from '../render/index.js';
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

/** Settles bases of which the manifest shows what they must be; the others are left for `rebase`. */
export async function findBases(
  tree: Tree,
  projects: HostProjects,
  all: readonly HostDomain[],
  guess: boolean,
): Promise<string[]> {
  if (filesWithoutBase(tree).length === 0) return [];
  const domains = all.map(({ domain }) => domain);
  checkDomains(domains);
  const host = detectHost(tree, projects, domains);
  const recorded = (recordedDomains(tree, projects, all) ?? []).map(({ domain }) => domain);
  const variants = [domains, recorded, ...variantsOf(domains)];
  return restoreBases(
    tree,
    variants.flatMap((variant) => renderVariant(variant, host)),
    guess,
  );
}

function renderVariant(domains: readonly Domain[], host: HostFacts): RenderedFile[][] {
  const isKnown = domains.every(
    ({ app, web, contracts }) =>
      host.apps.has(app) && (web === null || host.webs.has(web)) && host.contracts.has(contracts),
  );
  return isKnown ? [render(domains, host, loadTemplates())] : [];
}

/**
 * Earlier states that one of two merged branches may have had: a domain, events or a field less, or an
 * event that did nothing to the list.
 */
function variantsOf(domains: readonly Domain[]): Domain[][] {
  return domains.flatMap((domain) => {
    const others = domains.filter((other) => other !== domain);
    const names = [...domain.serverEvents, ...domain.clientEvents].map(({ name }) => name);
    const pairs = names.flatMap((one, index) => [
      [one],
      ...names.slice(index + 1).map((other) => [one, other]),
    ]);
    const variants = [
      ...pairs.map((left) => withoutEvents(domain, left)),
      ...names.flatMap((name) => withoutField(domain, name)),
      ...names.map((name) => withoutList(domain, name)),
    ].filter(canBe);
    const inPlace = (variant: Domain): Domain[] =>
      domains.map((other) => (other === domain ? variant : other));
    return [others, ...variants.map(inPlace)];
  });
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
