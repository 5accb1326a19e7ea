import { parseDomainFile, toPayload } from './domain-file.js';
import type { DomainFile } from './domain-file.js';
import { RealtimeError } from './errors.js';
import { parseEventName, parseEvents, parseKey, parseType } from './grammar.js';
import { hasId, holdsId, listOf, withLists } from './list.js';
import { domainNames, eventPascal } from './names.js';
import { LIST_ACTIONS, ROOMS } from './types.js';
import type {
  Audience,
  ClientEvent,
  Domain,
  DomainNames,
  Field,
  Rooms,
  ServerEvent,
} from './types.js';

/** The flags of `realtime-domain` that describe the domain; absent means not given. */
export interface DomainOptions {
  readonly name: string;
  readonly serverEvents?: readonly string[] | undefined;
  readonly clientEvents?: readonly string[] | undefined;
  /** Effects of server events on the list: `created:add`. */
  readonly list?: readonly string[] | undefined;
  readonly app?: string | undefined;
  readonly web?: string | undefined;
  readonly namespace?: string | undefined;
  readonly rooms?: string | undefined;
  readonly contracts?: string | undefined;
  readonly authStore?: string | undefined;
  readonly requestContext?: string | undefined;
  readonly skipTests?: boolean | undefined;
  readonly skipMount?: boolean | undefined;
  readonly example?: boolean | undefined;
  readonly observability?: boolean | undefined;
}

/** A domain whose projects are still as the user named them, or not named at all. */
export type DomainDraft = Omit<Domain, 'app' | 'web'> & {
  readonly app: string | undefined;
  /** Undefined: not named. Null: server only. */
  readonly web: string | null | undefined;
};

/** The server event of a domain that is given none: one that its rooms can receive. */
export const DEFAULT_EVENTS: Readonly<Record<Rooms, (camel: string) => string>> = {
  tenant: () => 'created{id,message,type,userId?}',
  user: () => 'created{id,message,type,userId?}',
  resource: (camel) => `created{id,message,type,${camel}Id}`,
  custom: () => 'created{id,message,type,room}',
};

/** The default name of the contract library. */
const DEFAULT_CONTRACTS = 'realtime-contracts';

/** The client events that the kernel handles in a domain with rooms `resource`. */
export function subscriptionEvents(camel: string): ClientEvent[] {
  const fields: Field[] = [{ name: 'id', optional: false, base: 'string', array: false }];
  return ['subscribe', 'unsubscribe'].map((name) => ({ name: `${camel}.${name}`, fields }));
}

/**
 * The domain that the flags ask for. On a domain that exists, a flag that is not given keeps what
 * its file says, and events given are added or changed.
 *
 * @param existing the domain's file, if it has one
 * @throws RealtimeError RT001 to RT008
 */
export function draftDomain(options: DomainOptions, existing: DomainFile | null): DomainDraft {
  const names = domainNames(options.name);
  const rooms = options.rooms === undefined ? undefined : parseRooms(options.rooms);
  const defaultEvent = DEFAULT_EVENTS[rooms ?? 'tenant'](names.camel);
  const serverTexts = given(options.serverEvents) ?? (existing ? [] : [defaultEvent]);
  const file: DomainFile = {
    ...existing,
    name: options.name,
    ...defined({
      namespace: options.namespace,
      rooms,
      app: options.app,
      web: options.web === 'none' ? null : options.web,
      contracts: options.contracts,
      authStore: options.authStore,
      requestContext: options.requestContext,
      skipTests: options.skipTests,
      skipMount: options.skipMount,
      example: options.example,
      observability: options.observability,
    }),
    serverEvents: statedLists(names.pascal, existing?.serverEvents ?? {}),
    clientEvents: { ...existing?.clientEvents },
  };
  const heldRooms = existing?.rooms ?? 'tenant';
  if (rooms !== undefined && rooms !== heldRooms) {
    for (const [name, event] of Object.entries(file.serverEvents!)) {
      file.serverEvents![name] = withoutDefault(name, event, heldRooms, names.camel);
    }
  }
  for (const event of parseEvents('--serverEvents', serverTexts, names.camel)) {
    const held = file.serverEvents![event.name];
    const { audience } = held ? withoutDefault(event.name, held, heldRooms, names.camel) : {};
    const kept = audience?.field === undefined || hasField(event.fields, audience.field);
    file.serverEvents![event.name] = {
      payload: toPayload(event.fields),
      ...(audience && kept ? { audience } : {}),
      ...(held?.list && { list: held.list }),
    };
  }
  for (const [name, list] of parseLists(given(options.list) ?? [], names.camel)) {
    const event = file.serverEvents![name];
    if (!event) {
      const held = Object.keys(file.serverEvents!).join(', ') || 'none';
      throw new RealtimeError(
        'RT051',
        `--list: ${names.pascal} has no server event "${name}". It has: ${held}.`,
      );
    }
    file.serverEvents![name] = { ...event, list };
  }
  for (const event of parseEvents('--clientEvents', options.clientEvents ?? [], names.camel)) {
    file.clientEvents![event.name] = { payload: toPayload(event.fields) };
  }
  return readDraft(`the domain ${names.pascal}`, file);
}

/**
 * A domain from the text of its file.
 *
 * @param source the file's path, for messages
 * @throws RealtimeError RT001 to RT008
 */
export function readDomain(source: string, text: string): DomainDraft {
  return readDraft(source, parseDomainFile(source, text));
}

/**
 * Fills in defaults and checks all that can be checked within one domain.
 *
 * @throws RealtimeError RT001 to RT008, naming `source` and the event or field
 */
export function readDraft(source: string, file: DomainFile): DomainDraft {
  const names = domainNames(file.name);
  const namespace = file.namespace ?? `/${names.kebabPlural}`;
  if (!/^(?:\/[A-Za-z0-9][A-Za-z0-9_-]*)+$/.test(namespace)) {
    throw new RealtimeError(
      'RT005',
      namespace === '/'
        ? 'The namespace "/" is refused to every client. Give the domain one of its own, such as "/' +
            `${names.kebabPlural}".`
        : `"${namespace}" is no namespace: it must begin with "/" and hold letters, digits, "-" and "_" (/${names.kebabPlural}).`,
    );
  }
  checkNames(source, file);
  if (file.example && file.web === null) {
    throw new RealtimeError(
      'RT007',
      `${source}: an example needs a web app. Name one with --web, or pass --example=false.`,
    );
  }
  const rooms = file.rooms ?? 'tenant';
  const stated = Object.entries(file.serverEvents ?? {}).map(([key, event]) => {
    const where = `${source}, serverEvents`;
    const name = parseEventName(where, key, names.camel);
    const fields = readPayload(`${where} > ${key}`, event.payload);
    const audience = event.audience ?? defaultAudience(where, name, fields, rooms, names.camel);
    checkAudience(`${where} > ${key}`, fields, audience, rooms);
    return { name, fields, audience, list: event.list };
  });
  const serverEvents: ServerEvent[] = withLists(stated);
  listOf(`${source}, serverEvents`, serverEvents);
  const clientEvents = Object.entries(file.clientEvents ?? {}).map(([key, event]): ClientEvent => {
    const where = `${source}, clientEvents`;
    const fields = readPayload(`${where} > ${key}`, event.payload);
    if (hasField(fields, 'tenantId')) {
      throw new RealtimeError(
        'RT007',
        `${where} > ${key}: a client event cannot carry "tenantId": the tenant comes from the verified token.`,
      );
    }
    return { name: parseEventName(where, key, names.camel), fields };
  });
  checkEventNames(
    source,
    [...serverEvents, ...clientEvents],
    [
      ...takenTypes(names),
      ...(rooms === 'resource'
        ? subscriptionEvents(names.camel).map(({ name }) => eventPascal(name))
        : []),
    ],
  );
  return {
    names,
    namespace,
    rooms,
    app: file.app,
    web: file.web,
    contracts: file.contracts ?? DEFAULT_CONTRACTS,
    authStore: file.authStore,
    requestContext: file.requestContext,
    skipTests: file.skipTests ?? false,
    skipMount: file.skipMount ?? false,
    example: file.example ?? false,
    observability: file.observability ?? false,
    serverEvents,
    clientEvents,
  };
}

/** A folder or file name that ends no string literal and leaves no folder. */
const NAME = /^(?!\.{0,2}$)[^'"`\\\p{Cc}\u2028\u2029]+$/u;

/**
 * Members that become paths, and strings in generated code.
 *
 * @throws RealtimeError RT007
 */
function checkNames(source: string, file: DomainFile): void {
  for (const member of ['contracts', 'authStore', 'requestContext'] as const) {
    const value = file[member];
    // Only the two files may lie above the app: whether in the workspace, its folder decides.
    const names = value
      ?.split('/')
      .filter((name) => member === 'contracts' || !/^\.\.?$/.test(name));
    if (names === undefined || (names.length > 0 && names.every((name) => NAME.test(name))))
      continue;
    throw new RealtimeError(
      'RT007',
      `${source}: ${member} must be a name or a path without quotes and backslashes, not ${JSON.stringify(value)}.`,
    );
  }
}

/**
 * Checks what no domain can know alone: files that two domains would write, a namespace or an event that two domains
 * of one app claim, or a request context in which they differ.
 *
 * @param all each domain with the path of its file
 * @throws RealtimeError RT004, RT005, RT007 or RT054
 */
export function checkDomains(
  all: readonly { readonly path: string; readonly domain: Domain }[],
): void {
  for (const [index, { path, domain }] of all.entries()) {
    for (const { path: otherPath, domain: other } of all.slice(0, index)) {
      const shared = sharedFolders(domain, other);
      if (shared.length > 0) {
        throw new RealtimeError(
          'RT054',
          `Two files state the domain ${domain.names.pascal}, and both would write its code in ${shared.join(' and ')}:\n  ${otherPath}\n  ${path}\nDelete one of them. To keep both, give one of them another "name" and run nx sync.`,
        );
      }
      if (other.app === domain.app) checkWithin(domain, other);
    }
  }
}

/** Names of the projects in which two domains have the same files. */
function sharedFolders(domain: Domain, other: Domain): string[] {
  if (domain.names.kebabPlural !== other.names.kebabPlural) return [];
  return (['app', 'web', 'contracts'] as const).flatMap((kind) => {
    const name = domain[kind];
    return name !== null && name === other[kind] ? [name] : [];
  });
}

/** Of one app. */
function checkWithin(domain: Domain, other: Domain): void {
  if (other.namespace === domain.namespace) {
    throw new RealtimeError(
      'RT005',
      `The namespace "${domain.namespace}" of ${domain.names.pascal} is taken by ${other.names.pascal}. Pass another with --namespace.`,
    );
  }
  const contexts = [domain.requestContext, other.requestContext].filter(Boolean);
  if (new Set(contexts).size > 1) {
    throw new RealtimeError(
      'RT007',
      `requestContext: ${domain.names.pascal} names "${domain.requestContext}" and ${other.names.pascal} "${other.requestContext}", but an app has one. Make them the same.`,
    );
  }
  const taken = domain.serverEvents.find(({ name }) =>
    other.serverEvents.some((event) => event.name === name),
  );
  if (taken) {
    throw new RealtimeError(
      'RT004',
      `The server event "${taken.name}" of ${domain.names.pascal} is one of ${other.names.pascal} already: a broker event belongs to one domain.`,
    );
  }
}

/**
 * Checks what only a publisher minds: it cannot tell apart two events of one name.
 *
 * @throws RealtimeError RT004
 */
export function checkPublished(domains: readonly Domain[]): void {
  const owners = new Map<string, Domain>();
  for (const domain of domains) {
    for (const { name } of domain.serverEvents) {
      const other = owners.get(name);
      if (other) {
        throw new RealtimeError(
          'RT004',
          `The server event "${name}" is one of ${other.names.pascal} (${other.app}) and of ${domain.names.pascal} (${domain.app}): a publisher could not tell which is meant. Rename one.`,
        );
      }
      owners.set(name, domain);
    }
  }
}

function parseRooms(text: string): Rooms {
  const rooms = ROOMS.find((room) => room === text);
  if (rooms) return rooms;
  throw new RealtimeError('RT007', `--rooms: there is no "${text}"; use ${ROOMS.join(', ')}.`);
}

type ServerEntry = NonNullable<DomainFile['serverEvents']>[string];

/**
 * Events of a domain file, each with an id saying what it does to the list: so that a change of one
 * does not change what another does.
 */
export function statedLists(
  source: string,
  events: Readonly<Record<string, ServerEntry>>,
): Record<string, ServerEntry> {
  const entries = Object.entries(events).map(([name, event]) => ({
    name,
    event,
    fields: readPayload(`${source}, serverEvents > ${name}`, event.payload),
    list: event.list,
  }));
  return Object.fromEntries(
    withLists(entries).map(({ name, event, fields, list }) => [
      name,
      hasId(fields) || event.list !== undefined ? { ...event, list } : event,
    ]),
  );
}

/** @throws RealtimeError RT002 for the name of an event, RT007 */
function parseLists(
  texts: readonly string[],
  prefix: string,
): (readonly [name: string, list: ServerEvent['list']])[] {
  return texts
    .flatMap((text) => text.split(','))
    .map((text) => {
      const [event = '', action = '', ...more] = text.split(':').map((part) => part.trim());
      const list = LIST_ACTIONS.find((one) => one === action);
      if (list && more.length === 0) return [parseEventName('--list', event, prefix), list];
      throw new RealtimeError(
        'RT007',
        `--list: "${text}" is no event with what it does to the list. Write it like created:add, with one of ${LIST_ACTIONS.join(', ')}.`,
      );
    });
}

function readPayload(source: string, payload: Readonly<Record<string, string>>): Field[] {
  const fields: Field[] = [];
  for (const [key, type] of Object.entries(payload)) {
    const where = `${source} > payload > ${key}`;
    const field = { ...parseKey(where, key), ...parseType(where, type) };
    if (hasField(fields, field.name)) {
      throw new RealtimeError('RT004', `${source}: the field "${field.name}" is given twice.`);
    }
    fields.push(field);
  }
  return fields;
}

/** Required fields that by default hold whom an event is for, before `userId`. */
const ADDRESSES: Partial<Record<Rooms, (camel: string) => string[]>> = {
  resource: (camel) => [`${camel}Id`, 'resourceId'],
  custom: () => ['room'],
};

function defaultAudience(
  source: string,
  event: string,
  fields: readonly Field[],
  rooms: Rooms,
  camel: string,
): Audience {
  const address = ADDRESSES[rooms]?.(camel).find((name) =>
    fields.some((field) => field.name === name && !field.optional && holdsId(field)),
  );
  if (address !== undefined) return { to: rooms, field: address };
  const user = fields.find(({ name }) => name === 'userId');
  if (user && holdsId(user)) {
    return user.optional && rooms === 'tenant'
      ? { to: 'user', field: 'userId', otherwise: 'tenant' }
      : { to: 'user', field: 'userId' };
  }
  if (rooms === 'tenant') return { to: 'tenant' };
  const wanted = [...(ADDRESSES[rooms]?.(camel) ?? []), 'userId'].map((name) => `"${name}"`);
  throw new RealtimeError(
    'RT007',
    `${source}: "${event}" has no field ${wanted.join(' or ')} (string or uuid), so with rooms "${rooms}" nobody can receive it. Add the field, or state its audience in the domain file.`,
  );
}

/** An event without its audience where that is the default, so that other rooms or fields decide. */
export function withoutDefault(
  name: string,
  event: ServerEntry,
  rooms: Rooms,
  camel: string,
): ServerEntry {
  const { audience, ...rest } = event;
  if (!audience) return event;
  let original: Audience;
  try {
    original = defaultAudience(name, name, readPayload(name, event.payload), rooms, camel);
  } catch {
    return event;
  }
  const isDefault = (['to', 'field', 'otherwise'] as const).every(
    (key) => original[key] === audience[key],
  );
  return isDefault ? rest : event;
}

/** Meaning of the field of an audience. */
const ADDRESSEES = { user: 'user id', resource: 'resource id', custom: "room's key" } as const;

function checkAudience(
  source: string,
  fields: readonly Field[],
  audience: Audience,
  rooms: Rooms,
): void {
  const fail = (message: string): never => {
    throw new RealtimeError('RT007', `${source} > audience: ${message}`);
  };
  if (audience.to !== 'user' && audience.to !== rooms) {
    fail(
      `with rooms "${rooms}" no socket is in a room of "to": "${audience.to}". Use ${[...new Set([rooms, 'user'])].join(' or ')}.`,
    );
  }
  if (audience.to === 'tenant') {
    if (audience.field !== undefined) fail('"field" belongs to another "to" than "tenant".');
    return;
  }
  if (audience.field === undefined) {
    return fail(`"field" must name the field with the ${ADDRESSEES[audience.to]}.`);
  }
  const field = fields.find(({ name }) => name === audience.field);
  if (!field) return fail(`the payload has no field "${audience.field}".`);
  if (!holdsId(field)) fail(`the field "${audience.field}" must be a string or uuid.`);
  if (audience.otherwise === 'tenant' && rooms !== 'tenant') {
    fail(`"otherwise": "tenant" reaches nobody with rooms "${rooms}".`);
  }
}

/** What generated files import or declare beside the types of events, where an event could be named so. */
const TAKEN_TYPES = [
  'AckExceptionFilter',
  'AddressInfo',
  'BrokerEvent',
  'BrokerMessage',
  'ClientToServerEvents',
  'ConnectedSocket',
  'ContractPipe',
  'DomainBroadcaster',
  'EventMeta',
  'ListActions',
  'LiveOptions',
  'MessageBody',
  'ServerToClientEvents',
  'StateCreator',
  'SubscribeMessage',
  'TestingModule',
  'UseFilters',
  'UseGuards',
  'WebSocketGateway',
  'WsAuthGuard',
];

/** @returns names of types that no event of the domain may have */
export function takenTypes({ pascal, pascalPlural }: DomainNames): string[] {
  return [
    ...TAKEN_TYPES,
    `Listed${pascal}`,
    ...[
      'Service',
      'Gateway',
      'Policy',
      'WsConsumer',
      'Provider',
      'Handlers',
      'Example',
      'Page',
    ].map((role) => `${pascalPlural}${role}`),
  ];
}

/** @param taken types that generated files have beside those of the events' payloads */
function checkEventNames(
  source: string,
  events: readonly { name: string }[],
  taken: readonly string[],
): void {
  const seen = new Map<string, string>();
  for (const { name } of events) {
    const pascal = eventPascal(name);
    const other = seen.get(pascal);
    if (other !== undefined || taken.includes(pascal)) {
      throw new RealtimeError(
        'RT004',
        other === name
          ? `${source}: the event "${name}" is given twice.`
          : `${source}: the event "${name}" would be the type ${pascal}, which ${other === undefined ? 'the generated code has' : `"${other}" is`} already. Choose another name.`,
      );
    }
    seen.set(pascal, name);
  }
}

function hasField(fields: readonly Field[], name: string): boolean {
  return fields.some((field) => field.name === name);
}

function given(texts: readonly string[] | undefined): readonly string[] | undefined {
  return texts && texts.some((text) => text.trim() !== '') ? texts : undefined;
}

/** Without the members that are undefined. */
function defined<T extends object>(value: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(value).filter(([, member]) => member !== undefined)) as {
    [K in keyof T]?: Exclude<T[K], undefined>;
  };
}
