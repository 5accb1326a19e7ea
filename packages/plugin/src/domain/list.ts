import { RealtimeError } from './errors.js';
import { formatType } from './grammar.js';
import type { Field, ListAction, Scalar, ServerEvent } from './types.js';

/** The list that a domain has in the browser. */
export interface DomainList {
  /** The first event that adds: what its payload has, each item has. */
  readonly item: ServerEvent;
  /** Fields that an item may gain by other events, with the first event that has them. */
  readonly gained: readonly { readonly event: ServerEvent; readonly fields: readonly string[] }[];
}

/** True if a field can hold an id. */
export function holdsId(field: Field): boolean {
  return !field.array && (field.base === 'string' || field.base === 'uuid');
}

/** True if a list can tell payloads with these fields apart. */
export function hasId(fields: readonly Field[]): boolean {
  return fields.some((field) => field.name === 'id' && !field.optional && holdsId(field));
}

/**
 * Server events with what they do to the list: what is stated, else the default, by which the first
 * event with an id adds and all others do nothing.
 */
export function withLists<
  E extends { readonly fields: readonly Field[]; readonly list?: ListAction | undefined },
>(events: readonly E[]): (E & { list: ListAction })[] {
  const isStated = events.some(({ list }) => list === 'add');
  const first = isStated ? undefined : events.find(({ fields }) => hasId(fields));
  return events.map((event) => ({
    ...event,
    list: event.list ?? (event === first ? 'add' : 'none'),
  }));
}

/**
 * The list that these events make; null where none of them touches it.
 *
 * @param source for messages
 * @throws RealtimeError RT007 for an event that cannot do to the list what it says
 */
export function listOf(source: string, events: readonly ServerEvent[]): DomainList | null {
  const item = events.find(({ list }) => list === 'add');
  const known = new Map(item?.fields.map((field) => [field.name, field]));
  const gained: { event: ServerEvent; fields: string[] }[] = [];
  for (const event of events) {
    if (event.list === 'none') continue;
    const fail = (problem: string): never => {
      throw new RealtimeError('RT007', `${source} > ${event.name} > list: ${problem}`);
    };
    if (!hasId(event.fields)) {
      fail(
        `"${event.list}" needs a required field "id" (string or uuid), by which an item is found. Add it to the payload, or use "none".`,
      );
    }
    if (!item) {
      return fail(
        `"${event.list}" has no list to act on, as no event adds to it. Make one "add", or this one "none".`,
      );
    }
    if (event === item || event.list === 'remove') continue;
    if (event.list === 'add') {
      const lacking = item.fields.find(
        ({ name, optional }) =>
          !optional && !event.fields.some((field) => field.name === name && !field.optional),
      );
      if (lacking) {
        fail(
          `it cannot "add", because it does not always have "${lacking.name}", which each item has by ${item.name}. Require the field, or use "update" or "none".`,
        );
      }
    }
    const fields: string[] = [];
    for (const field of event.fields) {
      const held = known.get(field.name);
      if (!held) {
        known.set(field.name, field);
        fields.push(field.name);
      } else if (!takes(held, field)) {
        fail(
          `"${field.name}" is ${formatType(field)}, but in an item it is ${formatType(held)}. Make them the same, or use "none".`,
        );
      }
    }
    if (fields.length > 0) gained.push({ event, fields });
  }
  return item ? { item, gained } : null;
}

/** Types that TypeScript tells apart. */
const KINDS: Readonly<Record<Scalar, string>> = {
  string: 'string',
  uuid: 'string',
  datetime: 'string',
  number: 'number',
  integer: 'number',
  boolean: 'boolean',
  json: 'json',
};

/** True if TypeScript lets the one field take every value of the other. */
function takes(to: Field, from: Field): boolean {
  if (to.base === 'json' && !to.array) return true;
  if (to.array !== from.array) return false;
  if (typeof to.base === 'string') {
    const kind = typeof from.base === 'string' ? KINDS[from.base] : 'string';
    return KINDS[to.base] === kind || to.base === 'json';
  }
  const values = new Set(to.base);
  return typeof from.base !== 'string' && from.base.every((value) => values.has(value));
}
