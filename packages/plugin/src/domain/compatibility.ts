import { isDeepStrictEqual } from 'node:util';
import { formatType } from './grammar.js';
import { subscriptionEvents } from './parse.js';
import type { DomainDraft } from './parse.js';
import type { Audience, ClientEvent, Field, ServerEvent } from './types.js';

/** A domain as one side of a comparison has it. */
export interface Contract {
  /** The domain file, from the workspace's root. */
  readonly path: string;
  readonly domain: Pick<
    DomainDraft,
    'names' | 'namespace' | 'rooms' | 'app' | 'serverEvents' | 'clientEvents'
  >;
}

export type ContractRule =
  | 'domain-added'
  | 'domain-removed'
  | 'domain-renamed'
  | 'namespace-changed'
  | 'app-changed'
  | 'event-added'
  | 'event-removed'
  | 'event-renamed'
  | 'audience-changed'
  | 'field-added'
  | 'field-removed'
  | 'field-optional'
  | 'field-required'
  | 'type-changed';

/** One difference between two states of a contract. */
export interface ContractChange {
  readonly rule: ContractRule;
  /** True if somebody who was built against the state before stops working. */
  readonly breaking: boolean;
  /** The domain file as it is now, else the one that was. */
  readonly path: string;
  readonly domain: string;
  readonly event?: string;
  readonly field?: string;
  /** The change, and who breaks by it. */
  readonly message: string;
}

/**
 * Changes of a workspace's contracts, by what was built against them before: browsers that are
 * open, and services that publish.
 *
 * The payload of a client event is written by clients and read by the server: it may take more than
 * before, never less. The payload of a server event is written by publishers, checked by the server
 * and read by clients: it may gain optional fields, and nothing else, because what is stricter
 * fails publishers and what is looser fails clients.
 */
export function compareContracts(
  before: readonly Contract[],
  after: readonly Contract[],
): ContractChange[] {
  const pairs = pairUp(before, after);
  const paired = new Set(pairs.flat());
  const added = after.filter((contract) => !paired.has(contract));
  return [
    ...pairs.flatMap(([old, now]) => compareDomain(old, now, after)),
    ...before.flatMap((contract) => (paired.has(contract) ? [] : [removedDomain(contract)])),
    ...added.map((contract): ContractChange => ({
      rule: 'domain-added',
      breaking: false,
      path: contract.path,
      domain: contract.domain.names.pascal,
      message: `The domain ${contract.domain.names.pascal} is new.`,
    })),
  ];
}

type Pair = readonly [before: Contract, after: Contract];

/** The same file, else the same name, else the same namespace: the first that finds one. */
function pairUp(before: readonly Contract[], after: readonly Contract[]): Pair[] {
  const identities: readonly ((contract: Contract) => string)[] = [
    ({ path }) => path,
    ({ path, domain }) => `${rootOf(path)} ${domain.names.pascal}`,
    ({ domain }) => domain.names.pascal,
    ({ path, domain }) => `${rootOf(path)} ${domain.namespace}`,
  ];
  const pairs: Pair[] = [];
  let [olds, news] = [before, after];
  for (const identity of identities) {
    const byIdentity = new Map(news.map((contract) => [identity(contract), contract]));
    const found = olds.flatMap((old): Pair[] => {
      const now = byIdentity.get(identity(old));
      byIdentity.delete(identity(old));
      return now ? [[old, now]] : [];
    });
    pairs.push(...found);
    const known = new Set(found.flat());
    olds = olds.filter((contract) => !known.has(contract));
    news = news.filter((contract) => !known.has(contract));
  }
  return pairs;
}

/** The folder that holds the domains of one app. */
const rootOf = (path: string): string => path.split('/').slice(0, -2).join('/');

function removedDomain({ path, domain }: Contract): ContractChange {
  return {
    rule: 'domain-removed',
    breaking: true,
    path,
    domain: domain.names.pascal,
    message: `The domain ${domain.names.pascal} was removed: clients of ${domain.namespace} are refused.`,
  };
}

/** Says one thing about one domain. */
type Say = (
  rule: ContractRule,
  breaking: boolean,
  message: string,
  place?: { readonly event: string; readonly field?: string },
) => ContractChange;

function compareDomain(before: Contract, after: Contract, all: readonly Contract[]) {
  const [old, now] = [before.domain, after.domain];
  const say: Say = (rule, breaking, message, place) => ({
    rule,
    breaking,
    path: after.path,
    domain: now.names.pascal,
    ...place,
    message,
  });
  const changes: ContractChange[] = [];
  if (old.names.pascal !== now.names.pascal) {
    changes.push(
      say(
        'domain-renamed',
        true,
        `The domain ${old.names.pascal} is named ${now.names.pascal}: publishers that send the payload as "${old.names.camel}" are dead-lettered.`,
      ),
    );
  }
  if (old.namespace !== now.namespace) {
    changes.push(
      say(
        'namespace-changed',
        true,
        `The namespace was ${old.namespace}, is ${now.namespace}: clients of before are refused.`,
      ),
    );
  }
  if (isMoved(before, after)) {
    changes.push(
      say(
        'app-changed',
        true,
        `The app was ${old.app}, is ${now.app}: clients of before connect to the other one.`,
      ),
    );
  }
  const elsewhere = (event: string): string | undefined =>
    all.find(
      ({ path, domain }) =>
        path !== after.path && domain.serverEvents.some(({ name }) => name === event),
    )?.domain.names.pascal;
  return [
    ...changes,
    ...compareEvents(old.serverEvents, now.serverEvents, compareServerEvent, say, elsewhere),
    ...compareEvents(clientEventsOf(old), clientEventsOf(now), compareClientEvent, say),
  ];
}

function isMoved(before: Contract, after: Contract): boolean {
  const [old, now] = [before.domain.app, after.domain.app].map((app) => app?.split('/').at(-1));
  return rootOf(before.path) !== rootOf(after.path) && old !== undefined && old !== now;
}

/** Those that the kernel handles are part of the contract too. */
function clientEventsOf({ rooms, clientEvents, names }: Contract['domain']): ClientEvent[] {
  return [...clientEvents, ...(rooms === 'resource' ? subscriptionEvents(names.camel) : [])];
}

function compareEvents<E extends ClientEvent>(
  before: readonly E[],
  after: readonly E[],
  compare: (old: E, now: E, say: Say) => ContractChange[],
  say: Say,
  elsewhere?: (event: string) => string | undefined,
): ContractChange[] {
  const olds = new Map(before.map((event) => [event.name, event]));
  const news = new Map(after.map((event) => [event.name, event]));
  const added = after.filter(({ name }) => !olds.has(name));
  const renamed = new Set<E>();
  const changes = before.flatMap((old): ContractChange[] => {
    const now = news.get(old.name);
    if (now) return compare(old, now, say);
    const twin = added.find((event) => !renamed.has(event) && isTwin(event, old));
    if (twin) renamed.add(twin);
    const other = elsewhere?.(old.name);
    const what = twin
      ? `seems to be "${twin.name}" now`
      : other
        ? `belongs to ${other} now`
        : 'was removed';
    return [
      say(
        twin ? 'event-renamed' : 'event-removed',
        true,
        `"${old.name}" ${what}: whoever sends or awaits it under its name and namespace of before breaks.`,
        { event: old.name },
      ),
    ];
  });
  const others = added.filter((event) => !renamed.has(event));
  return [
    ...changes,
    ...others.map(({ name }) => say('event-added', false, `"${name}" is new.`, { event: name })),
  ];
}

/** True if two events differ in nothing but their names, and in what a page does with them. */
function isTwin<E extends ClientEvent>(a: E, b: E): boolean {
  const same = { name: '', list: 'none' };
  return a.fields.length > 0 && isDeepStrictEqual({ ...a, ...same }, { ...b, ...same });
}

function compareServerEvent(old: ServerEvent, now: ServerEvent, say: Say): ContractChange[] {
  const place = { event: old.name };
  const audience: ContractChange[] = sameAudience(old.audience, now.audience)
    ? []
    : [
        say(
          'audience-changed',
          true,
          `"${old.name}" went to ${printAudience(old.audience)}, goes to ${printAudience(now.audience)}: others receive it.`,
          place,
        ),
      ];
  const fields = compareFields(old, now, say, {
    removed: 'clients that read it break',
    added: 'publishers that do not send it are dead-lettered',
    optional: 'clients that read it break',
    required: 'publishers that do not send it are dead-lettered',
    stricter: 'publishers that send what it was are dead-lettered',
    looser: 'clients that read what it was break',
  });
  return [...audience, ...fields];
}

function compareClientEvent(old: ClientEvent, now: ClientEvent, say: Say): ContractChange[] {
  return compareFields(old, now, say, {
    removed: 'clients that send it are refused',
    added: 'clients that do not send it are refused',
    required: 'clients that do not send it are refused',
    stricter: 'clients that send what it was are refused',
  });
}

/** Those who break by the change of a field; a member that is absent breaks nobody. */
interface Victims {
  readonly removed: string;
  /** A required one. */
  readonly added: string;
  readonly optional?: string;
  readonly required: string;
  readonly stricter: string;
  readonly looser?: string;
}

function compareFields(
  old: { readonly name: string; readonly fields: readonly Field[] },
  now: { readonly fields: readonly Field[] },
  say: Say,
  victims: Victims,
): ContractChange[] {
  const tell = (rule: ContractRule, field: string, what: string, victim?: string): ContractChange =>
    say(
      rule,
      victim !== undefined,
      `"${field}" of "${old.name}" ${what}${victim === undefined ? '' : `: ${victim}`}.`,
      { event: old.name, field },
    );
  const news = new Map(now.fields.map((field) => [field.name, field]));
  const changes = old.fields.flatMap((was): ContractChange[] => {
    const is = news.get(was.name);
    news.delete(was.name);
    if (!is) return [tell('field-removed', was.name, 'was removed', victims.removed)];
    const found: ContractChange[] = [];
    if (is.optional && !was.optional) {
      found.push(tell('field-optional', was.name, 'is optional now', victims.optional));
    }
    if (was.optional && !is.optional) {
      found.push(tell('field-required', was.name, 'is required now', victims.required));
    }
    const isWider = accepts(is, was);
    const isNarrower = accepts(was, is);
    if (!isWider || !isNarrower) {
      const victim = [
        ...(isWider ? [] : [victims.stricter]),
        ...(isNarrower || victims.looser === undefined ? [] : [victims.looser]),
      ].join(', and ');
      const what = `was ${formatType(was)}, is ${formatType(is)}`;
      found.push(tell('type-changed', was.name, what, victim || undefined));
    }
    return found;
  });
  const added = [...news.values()].map(({ name, optional }) =>
    tell(
      'field-added',
      name,
      optional ? 'is new and optional' : 'is new and required',
      optional ? undefined : victims.added,
    ),
  );
  return [...changes, ...added];
}

/** True if every value of the one type is a value of the other. */
function accepts(wide: Field, narrow: Field): boolean {
  if (wide.base === 'json' && !wide.array) return true;
  if (wide.array !== narrow.array) return false;
  if (wide.base === narrow.base || wide.base === 'json') return true;
  if (wide.base === 'number') return narrow.base === 'integer';
  if (wide.base === 'string') {
    return narrow.base === 'uuid' || narrow.base === 'datetime' || typeof narrow.base !== 'string';
  }
  if (typeof wide.base === 'string' || typeof narrow.base === 'string') return false;
  const values = new Set(wide.base);
  return narrow.base.every((value) => values.has(value));
}

function sameAudience(a: Audience, b: Audience): boolean {
  return a.to === b.to && a.field === b.field && a.otherwise === b.otherwise;
}

function printAudience({ to, field, otherwise }: Audience): string {
  const whom = field === undefined ? `the ${to}` : `the ${to} of "${field}"`;
  return otherwise === undefined ? whom : `${whom}, else the ${otherwise}`;
}
