import { eventPascal, listOf, subscriptionEvents } from '../domain/index.js';
import type { Domain, Field, Scalar, ServerEvent } from '../domain/index.js';
import { brokenList, indented } from './layout.js';
import type { DomainView, EventView, FieldView, ListView, ServerEventView } from './view.js';

const ZOD: Readonly<Record<Scalar, readonly [string, string, ...string[]]>> = {
  string: ['z', '.string()'],
  number: ['z', '.number()'],
  integer: ['z', '.int()'],
  boolean: ['z', '.boolean()'],
  uuid: ['z', '.uuid()'],
  datetime: ['z.iso', '.datetime({', '  offset: true,', '})'],
  json: ['z', '.json()'],
};

/** Members of hooks, gateways and every object, and what Nest calls by itself: no method is named so. */
const TAKEN_METHODS = new Set([
  ...Object.getOwnPropertyNames(Object.prototype),
  'status',
  'error',
  'subscribed',
  'subscriptionError',
  'prototype',
  'then',
  'service',
  'subscriptions',
  'logger',
  'afterInit',
  'handleConnection',
  'handleDisconnect',
  'onModuleInit',
  'onModuleDestroy',
  'onApplicationBootstrap',
  'beforeApplicationShutdown',
  'onApplicationShutdown',
]);

/** How a contract calls zod: by functions alone, as `zod/mini` has them, or by chains of methods. */
type Zod = DomainView['zod'];

/** The view that templates get of one domain. @param importPath of the contract library */
export function domainView(domain: Domain, importPath: string, zod: Zod): DomainView {
  const viewOf = eventViewer(`${domain.names.camel}.`, zod);
  const clientEvents = domain.clientEvents.map(viewOf);
  const subscriptions =
    domain.rooms === 'resource' ? subscriptionEvents(domain.names.camel).map(viewOf) : [];
  const serverEvents = domain.serverEvents.map((event) => ({
    ...viewOf(event),
    audience: event.audience,
    recipients: event.audience.to.charAt(0).toUpperCase() + event.audience.to.slice(1),
    list: event.list,
  }));
  return {
    ...domain.names,
    zod,
    namespace: domain.namespace,
    rooms: domain.rooms,
    contractImport: `${importPath}/${domain.names.kebabPlural}`,
    serverEvents,
    list: listView(domain, serverEvents),
    clientEvents,
    subscriptions,
    commands: [...clientEvents, ...subscriptions],
  };
}

function listView(
  { names, serverEvents }: Domain,
  views: readonly ServerEventView[],
): ListView | null {
  const list = listOf(names.pascal, serverEvents);
  if (!list) return null;
  const viewOf = ({ name }: ServerEvent): ServerEventView =>
    views.find((view) => view.name === name)!;
  const events = views.filter((view) => view.list !== 'none');
  const ids = serverEvents
    .filter((event) => event.list !== 'none')
    .flatMap(({ fields }) => fields.filter(({ name }) => name === 'id'));
  return {
    item: viewOf(list.item),
    gained: list.gained.map(({ event, fields }) => ({
      event: viewOf(event),
      fields,
    })),
    events,
    sampleId: sampleOf(ids.find(({ base }) => base === 'uuid') ?? ids[0]!),
  };
}

type Event = { readonly name: string; readonly fields: readonly Field[] };

/** @param prefix of the names of a domain's events: `chat.` */
function eventViewer(prefix: string, zod: Zod): (event: Event) => EventView {
  return (event) => {
    const pascal = eventPascal(event.name);
    const camel = pascal.charAt(0).toLowerCase() + pascal.slice(1);
    const short = event.name.startsWith(prefix) ? camelOf(event.name.slice(prefix.length)) : camel;
    const fields = event.fields.map((field) => fieldView(field, zod));
    return {
      name: event.name,
      pascal,
      camel,
      method: TAKEN_METHODS.has(short) ? camel : short,
      fields,
      sample: payloadOf(fields),
    };
  };
}

function camelOf(event: string): string {
  const pascal = eventPascal(event);
  return pascal.charAt(0).toLowerCase() + pascal.slice(1);
}

function fieldView(field: Field, zod: Zod): FieldView {
  const sample = [sampleOf(field)];
  return {
    name: field.name,
    optional: field.optional,
    zod: zod === 'zod' ? chainOf(field) : callOf(field),
    sample: field.array ? brokenList('[', [sample], ']') : sample,
  };
}

function payloadOf(fields: readonly FieldView[]): string[] {
  return brokenList(
    '{',
    fields.map(({ name, sample }) => [`${name}:`, ...indented(sample)]),
    '}',
  );
}

/** Lines of a schema, its calls in each other. */
function callOf({ base, array, optional }: Field): string[] {
  const [root, ...call] = baseOf(base);
  let lines = [`${root}${call[0]}`, ...call.slice(1)];
  if (array) lines = brokenList('z.array(', [lines], ')');
  return optional ? brokenList('z.optional(', [lines], ')') : lines;
}

/** The root of a schema, and the lines of the call that makes it. */
function baseOf(base: Field['base']): readonly [string, ...string[]] {
  if (typeof base === 'string') return ZOD[base];
  const values = base.map((value) => [quote(value)]);
  const [open = '', ...rest] = brokenList('.enum([', values, '])');
  return ['z', open, ...rest];
}

/** Lines of a call chain, each call below its root: `z` and `.string()`. */
function chainOf({ base, array, optional }: Field): string[] {
  let [root, ...call] = baseOf(base);
  if (array) {
    call = brokenList('.array(', [[`${root}${call[0]}`, ...call.slice(1)]], ')');
    root = 'z';
  }
  return optional
    ? [root, ...indented([...call, '.optional()'])]
    : [`${root}${call[0]}`, ...call.slice(1)];
}

/** A literal that satisfies the field's schema. */
function sampleOf({ name, base }: Field): string {
  if (typeof base !== 'string') return quote(base[0] ?? '');
  switch (base) {
    case 'string':
    case 'json':
      return quote(`${name}-1`);
    case 'number':
      return '1.5';
    case 'integer':
      return '1';
    case 'boolean':
      return 'true';
    case 'uuid':
      return quote('2f1c6f0e-6b0a-4c59-9d0e-3a5a1d1f7b11');
    case 'datetime':
      return quote('2026-01-01T00:00:00Z');
  }
}

const quote = (text: string): string => `'${text}'`;
