import { eventPascal, subscriptionEvents } from '../domain/index.js';
import type { Domain, Field, ServerEvent } from '../domain/index.js';
import type { DomainView, EventView, FieldView, ServerEventView } from './view.js';

const ZOD = {
  string: 'z.string()',
  number: 'z.number()',
  integer: 'z.int()',
  boolean: 'z.boolean()',
  uuid: 'z.uuid()',
  datetime: 'z.iso.datetime({ offset: true })',
  json: 'z.json()',
} as const;

/** Members of hooks, gateways and every class: no method is named so. */
const TAKEN_METHODS = new Set([
  'constructor',
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
]);

/** The view that templates get of one domain. @param importPath of the contract library */
export function domainView(domain: Domain, importPath: string): DomainView {
  const prefix = `${domain.names.camel}.`;
  const clientEvents = domain.clientEvents.map((event) => eventView(event, prefix));
  const subscriptions =
    domain.rooms === 'resource'
      ? subscriptionEvents(domain.names.camel).map((event) => eventView(event, prefix))
      : [];
  return {
    ...domain.names,
    namespace: domain.namespace,
    rooms: domain.rooms,
    contractImport: `${importPath}/${domain.names.kebabPlural}`,
    serverEvents: domain.serverEvents.map((event) => serverEventView(event, prefix)),
    clientEvents,
    subscriptions,
    commands: [...clientEvents, ...subscriptions],
  };
}

function serverEventView(event: ServerEvent, prefix: string): ServerEventView {
  return {
    ...eventView(event, prefix),
    audience: event.audience,
    recipients: event.audience.to.charAt(0).toUpperCase() + event.audience.to.slice(1),
    listed: event.fields.some(
      (field) =>
        field.name === 'id' &&
        !field.optional &&
        !field.array &&
        (field.base === 'string' || field.base === 'uuid'),
    ),
  };
}

function eventView(
  event: { readonly name: string; readonly fields: readonly Field[] },
  prefix: string,
): EventView {
  const pascal = eventPascal(event.name);
  const camel = pascal.charAt(0).toLowerCase() + pascal.slice(1);
  const short = event.name.startsWith(prefix) ? camelOf(event.name.slice(prefix.length)) : camel;
  const fields = event.fields.map(fieldView);
  return {
    name: event.name,
    pascal,
    camel,
    method: TAKEN_METHODS.has(short) ? camel : short,
    fields,
    sample: objectLiteral(fields.map(({ name, sample }) => `${name}: ${sample}`)),
  };
}

function camelOf(event: string): string {
  const pascal = eventPascal(event);
  return pascal.charAt(0).toLowerCase() + pascal.slice(1);
}

function fieldView(field: Field): FieldView {
  const base =
    typeof field.base === 'string'
      ? ZOD[field.base]
      : `z.enum([${field.base.map(quote).join(', ')}])`;
  const list = field.array ? `z.array(${base})` : base;
  const one = sampleOf(field);
  return {
    name: field.name,
    optional: field.optional,
    zod: field.optional ? `${list}.optional()` : list,
    sample: field.array ? `[${one}]` : one,
  };
}

/** A literal that satisfies the field's schema. */
function sampleOf({ name, base }: Field): string {
  if (typeof base !== 'string') return quote(base[0] ?? '');
  switch (base) {
    case 'string':
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
    case 'json':
      return `{ ${name}: 1 }`;
  }
}

function objectLiteral(members: readonly string[]): string {
  return members.length === 0 ? '{}' : `{ ${members.join(', ')} }`;
}

const quote = (text: string): string => `'${text}'`;
