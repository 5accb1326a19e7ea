import type { DomainFile } from './domain-file.js';
import { toPayload } from './domain-file.js';
import { RealtimeError } from './errors.js';
import { parseEventName, parseEvents } from './grammar.js';
import { domainNames } from './names.js';
import { statedLists, withoutDefault } from './parse.js';
import type { ListAction, Rooms } from './types.js';

/** The options of `realtime-event`; absent means not given. */
export interface EventChange {
  /** In the grammar of the command line; without braces the payload of an event that is there stays. */
  readonly event: string;
  readonly direction?: 'server' | 'client' | undefined;
  readonly audience?: Rooms | undefined;
  readonly field?: string | undefined;
  readonly otherwise?: 'tenant' | 'nowhere' | undefined;
  /** Effect of a server event on the list; not given: its effect before, else the default. */
  readonly list?: ListAction | undefined;
  /** Another name for it, full or bare. */
  readonly rename?: string | undefined;
  readonly remove?: boolean | undefined;
}

/** An event that has another name, both full. */
export interface Renamed {
  readonly from: string;
  readonly to: string;
}

const SECTIONS = { server: 'serverEvents', client: 'clientEvents' } as const;

/**
 * A domain file with one event added, changed, renamed or removed.
 *
 * @returns the file, its events by full name, and what was renamed
 * @throws RealtimeError RT002 to RT004 for the grammar, RT051 for an event that is not there, RT052
 *   for options that do not go together
 */
export function changeEvent(
  file: DomainFile,
  change: EventChange,
): { readonly file: DomainFile; readonly renamed: readonly Renamed[] } {
  const { pascal, camel } = domainNames(file.name);
  const [parsed, ...more] = parseEvents('the event', [change.event], camel);
  if (!parsed || more.length > 0) {
    throw new RealtimeError(
      'RT052',
      'Give one event: nx g realtime-event <domain> "created{id,message}".',
    );
  }
  refuseMixed(change);
  const sections = {
    serverEvents: statedLists(pascal, fullNames(file.serverEvents ?? {}, camel)),
    clientEvents: fullNames(file.clientEvents ?? {}, camel),
  };
  const held = (['server', 'client'] as const).find(
    (direction) => parsed.name in sections[SECTIONS[direction]],
  );
  if ((change.remove || change.rename !== undefined) && held === undefined) {
    const names = [sections.serverEvents, sections.clientEvents].flatMap(Object.keys);
    throw new RealtimeError(
      'RT051',
      `${pascal} has no event "${parsed.name}". It has: ${names.join(', ') || 'none'}.`,
    );
  }
  if (held !== undefined && change.direction !== undefined && change.direction !== held) {
    throw new RealtimeError(
      'RT052',
      `"${parsed.name}" of ${pascal} is a ${held} event. To turn it round, remove it first (--remove), or take another name.`,
    );
  }
  const direction = held ?? change.direction ?? 'server';
  const key = SECTIONS[direction];
  const events: Record<string, ServerEntry> = sections[key];
  if (change.remove) {
    const rest = Object.entries(events).filter(([name]) => name !== parsed.name);
    return { file: { ...file, ...sections, [key]: Object.fromEntries(rest) }, renamed: [] };
  }
  const payload =
    held !== undefined && !change.event.includes('{')
      ? (events[parsed.name]?.payload ?? {})
      : toPayload(parsed.fields);
  const audience =
    direction === 'server'
      ? audienceOf(change, parsed.name, events[parsed.name], payload, file.rooms ?? 'tenant', camel)
      : undefined;
  const list = change.list ?? events[parsed.name]?.list;
  const next = { payload, ...(audience && { audience }), ...(list && { list }) };
  const to =
    change.rename === undefined ? parsed.name : parseEventName('--rename', change.rename, camel);
  if (to !== parsed.name && to in events) {
    throw new RealtimeError('RT004', `--rename: ${pascal} has an event "${to}" already.`);
  }
  const changed =
    held === undefined
      ? { ...events, [to]: next }
      : Object.fromEntries(
          Object.entries(events).map(([name, event]) =>
            name === parsed.name ? [to, next] : [name, event],
          ),
        );
  return {
    file: { ...file, ...sections, [key]: changed },
    renamed: to === parsed.name ? [] : [{ from: parsed.name, to }],
  };
}

type ServerEntry = NonNullable<DomainFile['serverEvents']>[string];

function refuseMixed(change: EventChange): void {
  const { direction, audience, field, otherwise, list, rename, remove } = change;
  const addressed = [audience, field, otherwise, list].some((option) => option !== undefined);
  const message =
    remove && (rename !== undefined || addressed)
      ? '--remove takes no other option of the event.'
      : direction === 'client' && addressed
        ? '--audience, --field, --otherwise and --list belong to server events: a client event is for the server.'
        : null;
  if (message !== null) throw new RealtimeError('RT052', message);
}

/** Audience by the options; else the one that stands, as long as its field does. */
function audienceOf(
  { audience: to, field, otherwise }: EventChange,
  name: string,
  event: ServerEntry | undefined,
  payload: Readonly<Record<string, string>>,
  rooms: Rooms,
  camel: string,
): ServerEntry['audience'] {
  const has = (key: string): boolean => key in payload || `${key}?` in payload;
  if (to === undefined && field === undefined && otherwise === undefined) {
    const kept = event && withoutDefault(name, event, rooms, camel).audience;
    return kept?.field === undefined || has(kept.field) ? kept : undefined;
  }
  const held = event?.audience;
  const target = to ?? held?.to ?? 'user';
  const same = target === held?.to ? held : undefined;
  const named = field ?? same?.field ?? FIELDS[target](camel).find(has);
  const fallback = otherwise ?? same?.otherwise;
  return {
    to: target,
    ...(target !== 'tenant' && named !== undefined && { field: named }),
    ...(target !== 'tenant' && fallback === 'tenant' && { otherwise: fallback }),
  };
}

/** Field of an audience's recipient when nobody names one. */
const FIELDS: Readonly<Record<Rooms, (camel: string) => readonly string[]>> = {
  tenant: () => [],
  user: () => ['userId'],
  resource: (camel) => [`${camel}Id`, 'resourceId'],
  custom: () => ['room'],
};

function fullNames<T>(events: Readonly<Record<string, T>>, camel: string): Record<string, T> {
  return Object.fromEntries(
    Object.entries(events).map(([name, event]) => [parseEventName(name, name, camel), event]),
  );
}

/**
 * The domain file under another name. Its events, its namespace and the fields that held its name
 * by default are renamed along; what its owner named otherwise stays.
 *
 * @param name singular or plural, any case
 */
export function renameDomain(
  file: DomainFile,
  name: string,
): { readonly file: DomainFile; readonly renamed: readonly Renamed[] } {
  const from = domainNames(file.name);
  const to = domainNames(name);
  const renamed: Renamed[] = [];
  const section = <T>(events: Readonly<Record<string, T>> | undefined): Record<string, T> =>
    Object.fromEntries(
      Object.entries(fullNames(events ?? {}, from.camel)).map(([event, value]) => {
        if (!event.startsWith(`${from.camel}.`)) return [event, value];
        const next = to.camel + event.slice(from.camel.length);
        renamed.push({ from: event, to: next });
        return [next, value];
      }),
    );
  const namespace =
    file.namespace === undefined || file.namespace === `/${from.kebabPlural}`
      ? `/${to.kebabPlural}`
      : file.namespace;
  return {
    file: {
      ...file,
      name: to.pascal,
      namespace,
      serverEvents: section(file.serverEvents),
      clientEvents: section(file.clientEvents),
    },
    renamed,
  };
}
