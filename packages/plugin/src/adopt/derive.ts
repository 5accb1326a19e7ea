import type { Tree } from '@nx/devkit';
import type { MethodDefinition, Node } from 'oxc-parser';
import { RealtimeError, domainNames } from '../domain/index.js';
import type { DomainFile, DomainNames, Rooms } from '../domain/index.js';
import { resolveApp } from '../host/index.js';
import type { HostProjects } from '../host/index.js';
import { MANIFEST_PATH, parseManifest } from '../reconcile/index.js';
import { AppCode, decoratorsOf, keyOf, lineOf, textOf } from './code.js';
import type { CodeFile } from './code.js';
import { emissionsIn, isSocketParameter, roomOf } from './emissions.js';
import type { Emission, Room } from './emissions.js';
import { handWritten, isPattern } from './hand-written.js';
import type { HandWritten } from './hand-written.js';
import { SYSTEM_EVENTS, eventName, freeName } from './names.js';
import { JSON_SHAPE, shapeOfSchema, shapeOfType } from './shapes.js';
import type { Member, Shape } from './shapes.js';
import { methodOf, parametersOf, shapeOfValue } from './values.js';
import type { Parameter } from './values.js';

/** A place of hand-written code, and what its owner has to know or do about it. */
export interface Finding {
  readonly path: string;
  readonly line: number;
  readonly what: string;
}

/** A handler of a client event. */
export interface Handler {
  /** Full name of its event now. */
  readonly event: string;
  readonly written: HandWritten;
  readonly node: MethodDefinition;
  /** Pattern of the parameter that takes the payload. */
  readonly pattern: string;
  /** True if the contract's payload is what the handler takes, type by type. */
  readonly exact: boolean;
}

/** Facts of a hand-written domain. */
export interface Derived {
  readonly file: DomainFile;
  readonly names: DomainNames;
  readonly code: AppCode;
  /** Those that generated code takes the place of. */
  readonly classes: readonly HandWritten[];
  readonly handlers: readonly Handler[];
  /** Each event, the name that it had, and where it stands. */
  readonly renamed: readonly string[];
  readonly findings: readonly Finding[];
}

interface ServerDraft {
  name: string;
  readonly original: string;
  readonly place: string;
  members: readonly Member[];
  rooms: (Room | 'all')[];
  readonly isBroker: boolean;
}

/**
 * Derives a domain from the code that was written by hand for it: from its gateways, its consumers
 * and what is sent to their clients, with the types of the payloads.
 *
 * @param sourceRoot of the app
 * @param isGiven whether the events are stated otherwise
 * @returns null where there is no such code
 * @throws RealtimeError RT058 where there is, but no event was found in it
 */
function deriveDomain(
  tree: Tree,
  sourceRoot: string,
  given: {
    readonly name: string;
    readonly namespace?: string | undefined;
    readonly rooms?: string | undefined;
  },
  isGiven: boolean,
): Derived | null {
  const names = domainNames(given.name);
  const { files: generated } = parseManifest(tree.read(MANIFEST_PATH, 'utf-8'));
  const code = new AppCode(tree, sourceRoot, (path) => generated.has(path));
  const classes = handWritten(code, names, given.namespace);
  if (classes.length === 0) return null;
  const findings: Finding[] = [];
  const note = (file: CodeFile, node: Node | number, what: string): void => {
    const line = typeof node === 'number' ? node : lineOf(file, node);
    findings.push({ path: file.path, line, what });
  };
  const users = code.filesWith(classes.map(({ name }) => name));
  const emissions = emissionsIn(code, users).filter((one) => isOfDomain(code, one, classes));
  const handlers = clientHandlers(code, classes, names, note);
  const drafts = serverDrafts(code, classes, emissions, names, note);
  const renamed: string[] = [];
  const serverNames: string[] = [];
  for (const draft of drafts) {
    draft.name = freeName(draft.name, serverNames, draft.isBroker ? 'broker' : 'sent');
    serverNames.push(draft.name);
  }
  const rooms = roomsOf(drafts, given.rooms);
  const taken = [
    ...serverNames,
    'ServerToClientEvents',
    'ClientToServerEvents',
    ...(rooms === 'resource'
      ? ['subscribe', 'unsubscribe'].map((name) => `${names.camel}.${name}`)
      : []),
  ];
  const clientEvents: NonNullable<DomainFile['clientEvents']> = {};
  const named = handlers.map((handler): DraftHandler => {
    const event = freeName(handler.event, taken, 'send');
    taken.push(event);
    return { ...handler, event };
  });
  for (const handler of named) {
    clientEvents[handler.event] = {
      payload: payloadOf(handler.members, 'client', (what) =>
        note(handler.written.file, handler.node, what),
      ),
    };
    if (handler.original !== handler.event) {
      renamed.push(
        `${handler.event} was "${handler.original}" (${handler.written.file.path}:${lineOf(handler.written.file, handler.node)}), from clients`,
      );
    }
  }
  const serverEvents: NonNullable<DomainFile['serverEvents']> = {};
  for (const draft of drafts) {
    const [path = '', line = '1'] = draft.place.split(/:(?=\d+$)/);
    const tell = (what: string): void => void findings.push({ path, line: Number(line), what });
    serverEvents[draft.name] = serverEvent(draft, rooms, tell);
    if (draft.original !== draft.name)
      renamed.push(`${draft.name} was "${draft.original}" (${draft.place}), to clients`);
  }
  if (named.length === 0 && drafts.length === 0 && !isGiven) {
    throw nothingFound(names, sourceRoot, classes);
  }
  const namespace = namespaceOf(classes, names, note);
  return {
    file: {
      name: names.pascal,
      ...(namespace === null ? {} : { namespace }),
      rooms,
      serverEvents,
      clientEvents,
    },
    names,
    code,
    classes: classes.filter((one) => {
      if (one.kind === 'gateway' || sends(code, one, emissions)) return true;
      note(
        one.file,
        one.node,
        'sends nothing to clients, so it stays as it is, beside the generated consumer',
      );
      return false;
    }),
    handlers: named,
    renamed,
    findings,
  };
}

/** The flags of `realtime-domain` that say what to look for, and what need not be found. */
export interface AdoptOptions {
  readonly name: string;
  readonly app?: string | undefined;
  readonly namespace?: string | undefined;
  readonly rooms?: string | undefined;
  readonly serverEvents?: readonly string[] | undefined;
  readonly clientEvents?: readonly string[] | undefined;
  readonly from?: string | undefined;
}

/**
 * Source of a new domain for `--adopt`.
 *
 * @returns null where the events are given and no code is there
 * @throws RealtimeError RT058 where neither is
 */
export function deriveAdopted(
  tree: Tree,
  projects: HostProjects,
  options: AdoptOptions,
): Derived | null {
  const { sourceRoot } = resolveApp(projects, options.app);
  const isGiven = [options.serverEvents, options.clientEvents, options.from].some(
    (one) => one !== undefined,
  );
  const derived = deriveDomain(tree, sourceRoot, options, isGiven);
  if (derived === null && !isGiven) throw nothingFound(domainNames(options.name), sourceRoot);
  return derived;
}

/** @param classes found, in which there is nothing */
function nothingFound(
  names: DomainNames,
  sourceRoot: string,
  classes: readonly HandWritten[] = [],
): RealtimeError {
  const looked =
    classes.length > 0
      ? `found no @SubscribeMessage, @EventPattern or emit with a constant name in ${classes.map(({ name, file }) => `${name} (${file.path})`).join(', ')}`
      : `looked in ${sourceRoot} for a class with @WebSocketGateway or @EventPattern whose namespace, name or file is that of ${names.pascal} (/${names.kebabPlural}, ${names.pascalPlural}Gateway, ${names.kebabPlural}.gateway.ts), and found none`;
  return new RealtimeError(
    'RT058',
    `--adopt: there is nothing to derive ${names.pascal} from: ${looked}. State the events with --serverEvents and --clientEvents, or the namespace of the gateway with --namespace.`,
  );
}

/** Events sent by a class of the domain, or through one. */
function isOfDomain(
  code: AppCode,
  { owner, sentFrom, scope, file }: Emission,
  classes: readonly HandWritten[],
): boolean {
  const own = (node: Node | null): boolean => classes.some((one) => one.node === node);
  if (own(owner)) return true;
  if (classes.some((one) => one.file === sentFrom)) return true;
  return (
    owner !== null &&
    owner.body.body.some((member) =>
      member.type === 'MethodDefinition' && member.kind === 'constructor'
        ? parametersOf(member.value.params).some(({ type }) => {
            const name = type ? textOf(file, type).replace(/^:\s*/, '') : '';
            const found = code.classNamed(file, name);
            return found !== null && own(found.node) && scope.file !== null;
          })
        : false,
    )
  );
}

/** True if a consumer sends anything to clients. */
function sends(code: AppCode, written: HandWritten, emissions: readonly Emission[]): boolean {
  return written.node.body.body.some(
    (member) =>
      member.type === 'MethodDefinition' &&
      emissionsOf(code, written, member, emissions).length > 0,
  );
}

type Note = (file: CodeFile, node: Node | number, what: string) => void;
type DraftHandler = Handler & { readonly original: string; readonly members: readonly Member[] };

/** The methods that one of these decorators gives an event of constant name; others are noted. */
function* handlersOf(
  code: AppCode,
  classes: readonly HandWritten[],
  isHandler: (decorator: string) => boolean,
  note: Note,
  unknown: string,
) {
  for (const written of classes) {
    for (const node of written.node.body.body) {
      if (node.type !== 'MethodDefinition') continue;
      for (const { name: decorator, args } of decoratorsOf(node)) {
        if (!isHandler(decorator)) continue;
        const [first] = args;
        const original = first ? code.constant(written.file, first) : null;
        if (original === null) note(written.file, node, unknown);
        else yield { written, node, decorator, original };
      }
    }
  }
}

function clientHandlers(
  code: AppCode,
  classes: readonly HandWritten[],
  names: DomainNames,
  note: Note,
): DraftHandler[] {
  const isHandler = (decorator: string): boolean => decorator === 'SubscribeMessage';
  const unknown =
    'handles an event whose name is not constant: add it with nx g realtime-event --direction=client';
  return Array.from(
    handlersOf(code, classes, isHandler, note, unknown),
    ({ written, node, original }): DraftHandler => {
      const payload = payloadParameters(node);
      const { members, exact, pattern } = clientPayload(code, written.file, node, payload);
      return {
        event: eventName(original, names),
        original,
        written,
        node,
        pattern,
        members,
        exact,
      };
    },
  );
}

/** The parameters that hold the payload, or parts of it. */
function payloadParameters(node: MethodDefinition): Parameter[] {
  const parameters = parametersOf(node.value.params);
  const decorated = parameters.filter(({ decorators }) =>
    decorators.some(({ name }) => name === 'MessageBody'),
  );
  if (decorated.length > 0) return decorated;
  if (parameters.some(({ decorators }) => decorators.length > 0)) return [];
  // Without decorators Nest passes the socket first.
  const rest = parameters.filter(
    (parameter, index) => !(isSocketParameter(parameter) && index === 0),
  );
  return rest.length === parameters.length ? parameters.slice(1, 2) : rest.slice(0, 1);
}

function clientPayload(
  code: AppCode,
  file: CodeFile,
  node: MethodDefinition,
  payload: readonly Parameter[],
): { members: readonly Member[]; exact: boolean; pattern: string } {
  const members: Member[] = [];
  const parts: string[] = [];
  let whole = '_payload';
  for (const parameter of payload) {
    const { args } = parameter.decorators.find(({ name }) => name === 'MessageBody') ?? {
      args: [],
    };
    const [first] = args;
    const key = first ? code.constant(file, first) : null;
    let shape = parameter.type ? shapeOfType(code, file, parameter.type) : JSON_SHAPE;
    if (isUnknown(shape)) shape = schemaOf(code, file, args) ?? usedMembers(node, parameter);
    const name = key ?? parameter.name ?? 'data';
    if (key === null && shape.kind === 'object') {
      members.push(...shape.members);
      whole = parameter.name ?? patternText(file, parameter);
    } else {
      members.push({ name, optional: false, shape });
      parts.push(parameter.name === name ? name : `${name}: ${patternText(file, parameter)}`);
    }
  }
  const kept = members.filter(({ name }) => name !== 'tenantId');
  const exact =
    kept.length === members.length &&
    members.every(({ shape }) => shape.kind === 'value' && shape.exact);
  return { members: kept, exact, pattern: parts.length > 0 ? `{ ${parts.join(', ')} }` : whole };
}

/** A parameter's pattern without its type. */
function patternText(file: CodeFile, { pattern, type }: Parameter): string {
  return textOf(file, { start: pattern.start, end: type?.start ?? pattern.end });
}

const isUnknown = (shape: Shape): boolean =>
  shape.kind === 'value' && shape.base === 'json' && !shape.array;

/** Schema that a parameter's pipe validates: `new ZodValidationPipe(schema)`. */
function schemaOf(code: AppCode, file: CodeFile, args: readonly Node[]): Shape | null {
  for (const argument of args) {
    if (argument.type !== 'NewExpression') continue;
    for (const one of argument.arguments) {
      const shape = shapeOfSchema(code, file, one);
      if (shape.kind === 'object') return shape;
    }
  }
  return null;
}

/** The members that a handler reads of a payload without a type: `json` each. */
function usedMembers(node: MethodDefinition, parameter: Parameter): Shape {
  const found = new Set<string>();
  const visit = (one: unknown): void => {
    if (typeof one !== 'object' || one === null) return;
    const held = one as Node;
    if (
      held.type === 'MemberExpression' &&
      !held.computed &&
      held.object.type === 'Identifier' &&
      held.object.name === parameter.name
    ) {
      const key = keyOf(held.property);
      if (key !== null) found.add(key);
    }
    if (
      held.type === 'VariableDeclarator' &&
      held.init?.type === 'Identifier' &&
      held.init.name === parameter.name
    ) {
      patternKeys(held.id).forEach((key) => found.add(key));
    }
    for (const child of Object.values(one)) visit(child);
  };
  visit(node.value.body);
  patternKeys(parameter.pattern).forEach((key) => found.add(key));
  if (found.size === 0) return JSON_SHAPE;
  return {
    kind: 'object',
    members: [...found].map((name) => ({ name, optional: false, shape: JSON_SHAPE })),
  };
}

function patternKeys(pattern: Node): string[] {
  return pattern.type === 'ObjectPattern'
    ? pattern.properties.flatMap((property) => {
        const key = property.type === 'Property' ? keyOf(property.key) : null;
        return key === null ? [] : [key];
      })
    : [];
}

function serverDrafts(
  code: AppCode,
  classes: readonly HandWritten[],
  emissions: readonly Emission[],
  names: DomainNames,
  note: Note,
): ServerDraft[] {
  const drafts = new Map<string, ServerDraft>();
  const merged = new Set<Emission>();
  const add = (draft: ServerDraft): void => {
    const held = drafts.get(draft.name);
    if (!held) {
      drafts.set(draft.name, draft);
      return;
    }
    held.members = bothMembers(held.members, draft.members);
    held.rooms.push(...draft.rooms);
  };
  const roomsOfEmission = ({ to, sentFrom, file, line }: Emission): ServerDraft['rooms'] => {
    if (to === 'all') return ['all'];
    if (to === 'sender') {
      note(
        file,
        line,
        'is sent to the socket that asked alone: now it is for every socket of the user that "userId" names',
      );
      return [{ of: 'user', field: 'userId', text: 'the socket itself' }];
    }
    return to.map((room) => roomOf(sentFrom, room));
  };
  const unknown =
    'takes a broker event whose name is not constant: add it with nx g realtime-event';
  const handlers = handlersOf(code, classes, isPattern, note, unknown);
  for (const { written, node, decorator, original } of handlers) {
    if (decorator === 'MessagePattern') {
      note(
        written.file,
        node,
        `answers "${original}" over the broker: as an event it has no reply`,
      );
    }
    const sent = emissionsOf(code, written, node, emissions);
    const aliases = [...new Set(sent.map((one) => one.name))];
    const followed = aliases.length === 1 ? sent : sent.filter((one) => one.name === original);
    followed.forEach((one) => merged.add(one));
    const known = brokerPayload(code, written.file, node, names);
    const members = known ?? bothMembers([], ...followed.map((one) => emittedMembers(code, one)));
    const full = eventName(original, names);
    if (aliases.length === 1 && aliases[0] !== null && aliases[0] !== full) {
      const alias = aliases[0];
      note(
        followed[0]!.file,
        followed[0]!.line,
        `clients knew "${original}" as "${alias}": on the wire it is "${full}" now`,
      );
    }
    add({
      name: full,
      original,
      place: `${written.file.path}:${lineOf(written.file, node)}`,
      members,
      rooms: followed.flatMap(roomsOfEmission),
      isBroker: true,
    });
  }
  for (const emission of emissions) {
    if (merged.has(emission)) continue;
    const { name, file, line } = emission;
    if (name === null) {
      note(
        file,
        line,
        'sends an event whose name is not constant: add it with nx g realtime-event',
      );
      continue;
    }
    if (SYSTEM_EVENTS.has(name)) {
      note(
        file,
        line,
        `sends "${name}", which is for Socket.IO itself: to refuse, throw a RealtimeException in the service`,
      );
      continue;
    }
    add({
      name: eventName(name, names),
      original: name,
      place: `${file.path}:${line}`,
      members: emittedMembers(code, emission),
      rooms: roomsOfEmission(emission),
      isBroker: false,
    });
  }
  return [...drafts.values()];
}

/** Events that a handler sends, itself or by a method that it calls. */
function emissionsOf(
  code: AppCode,
  written: HandWritten,
  handler: MethodDefinition,
  emissions: readonly Emission[],
): Emission[] {
  const calls: { owner: Node; method: string | null }[] = [
    { owner: written.node, method: keyOf(handler.key) },
  ];
  const visit = (node: unknown): void => {
    if (typeof node !== 'object' || node === null) return;
    const one = node as Node;
    if (one.type === 'CallExpression' && one.callee.type === 'MemberExpression') {
      const scope = { file: written.file, ancestors: [written.node] };
      const name = keyOf(one.callee.property);
      const found = name === null ? null : methodOf(code, scope, one.callee.object, name);
      if (found) calls.push({ owner: found.owner, method: name });
    }
    for (const child of Object.values(node)) visit(child);
  };
  visit(handler.value.body);
  return emissions.filter(({ owner, method }) =>
    calls.some((call) => call.owner === owner && call.method === method),
  );
}

/** The payload that a broker event carries, out of the envelope that it may be in. */
function brokerPayload(
  code: AppCode,
  file: CodeFile,
  node: MethodDefinition,
  { camel }: DomainNames,
): readonly Member[] | null {
  const parameters = parametersOf(node.value.params);
  const parameter =
    parameters.find(({ decorators }) => decorators.some(({ name }) => name === 'Payload')) ??
    parameters.find(({ decorators }) => decorators.length === 0);
  const shape = parameter?.type ? shapeOfType(code, file, parameter.type) : JSON_SHAPE;
  if (shape.kind !== 'object') return null;
  const inner = shape.members.find(
    ({ name, shape: held }) => held.kind === 'object' && [camel, 'data', 'payload'].includes(name),
  );
  return inner?.shape.kind === 'object' ? inner.shape.members : shape.members;
}

function emittedMembers(code: AppCode, { payload, scope }: Emission): readonly Member[] {
  if (!payload) return [];
  const shape = shapeOfValue(code, scope, payload);
  if (shape.kind === 'object') return shape.members;
  const name =
    payload.type === 'Identifier'
      ? payload.name
      : payload.type === 'MemberExpression'
        ? keyOf(payload.property)
        : null;
  return [{ name: name ?? 'value', optional: false, shape }];
}

/** Members of the same event sent in several places: optional where one of them has it not. */
function bothMembers(...lists: (readonly Member[])[]): Member[] {
  const given = lists.filter((list) => list.length > 0);
  const all = new Map<string, Member>();
  for (const member of given.flat()) {
    const held = all.get(member.name);
    const isEverywhere = given.every((list) => list.some(({ name }) => name === member.name));
    const optional = member.optional || held?.optional === true || !isEverywhere;
    const shape =
      held && JSON.stringify(held.shape) !== JSON.stringify(member.shape)
        ? wider(held.shape, member.shape)
        : member.shape;
    all.set(member.name, { name: member.name, optional, shape });
  }
  return [...all.values()];
}

const wider = (one: Shape, other: Shape): Shape =>
  isUnknown(one) ? other : isUnknown(other) ? one : JSON_SHAPE;

/** Resources where the code sends to rooms of them, and every event names whom it is for. */
function roomsOf(drafts: readonly ServerDraft[], given: string | undefined): Rooms {
  if (given === 'tenant' || given === 'user' || given === 'resource' || given === 'custom')
    return given;
  const isAddressed = ({ rooms }: ServerDraft): boolean =>
    rooms.length > 0 &&
    rooms.every((room) => room !== 'all' && room.of !== 'tenant' && room.field !== null);
  const hasResource = drafts.some(({ rooms }) =>
    rooms.some((room) => room !== 'all' && room.of === 'other'),
  );
  return hasResource && drafts.every(isAddressed) ? 'resource' : 'tenant';
}

function serverEvent(
  draft: ServerDraft,
  rooms: Rooms,
  tell: (what: string) => void,
): NonNullable<DomainFile['serverEvents']>[string] {
  const members = draft.members.filter(({ name }) => name !== 'tenantId');
  const room = draft.rooms.find((one): one is Room => one !== 'all' && one.of !== 'tenant');
  if (!room) {
    const hasUser = members.some(({ name }) => name === 'userId');
    if (hasUser && draft.rooms.includes('all')) {
      tell(`"${draft.name}" was sent to everyone: now it goes to the user that its "userId" names`);
    } else if (draft.rooms.includes('all')) {
      tell(`"${draft.name}" was sent to everyone, of every tenant: now it goes to its own tenant`);
    }
    return { payload: payloadOf(members, 'server', tell) };
  }
  const to =
    room.of === 'user' ? 'user' : rooms === 'resource' || rooms === 'custom' ? rooms : 'user';
  const field = room.field ?? 'room';
  if (to === 'user' && room.of === 'other') {
    tell(
      `"${draft.name}" was sent to the room ${room.text}, which the domain has not: so that nobody else receives it, it is for the user whose id "${field}" holds. Change its audience, or the rooms of the domain, in the domain file`,
    );
  }
  const held = members.find(({ name }) => name === field);
  const isId =
    held?.shape.kind === 'value' &&
    !held.shape.array &&
    (held.shape.base === 'string' || held.shape.base === 'uuid');
  if (!held)
    tell(
      `"${draft.name}" was sent to ${room.text}: its payload has a field "${field}" now, which says to whom`,
    );
  else if (!isId)
    tell(`"${field}" of "${draft.name}" says to whom it goes: it is a string now, as ids are`);
  const id: Member = {
    name: field,
    optional: held?.optional ?? false,
    shape: { kind: 'value', base: 'string', array: false, exact: true },
  };
  const all = isId
    ? members
    : held
      ? members.map((one) => (one === held ? id : one))
      : [...members, id];
  return { payload: payloadOf(all, 'server', tell), audience: { to, field } };
}

/** Fields as a domain file holds them. */
function payloadOf(
  members: readonly Member[],
  direction: 'server' | 'client',
  tell: (what: string) => void,
): Record<string, string> {
  const payload: Record<string, string> = {};
  for (const { name, optional, shape } of members) {
    if (!/^[A-Za-z_$][A-Za-z0-9_$]*$/.test(name) || name === '__proto__') {
      tell(`the field "${name}" has no name that the contract can state: it is left out`);
      continue;
    }
    if (name === 'tenantId' && direction === 'client') continue;
    payload[`${name}${optional ? '?' : ''}`] = typeOf(shape);
  }
  return payload;
}

function typeOf(shape: Shape): string {
  if (shape.kind === 'object') return 'json';
  const base = typeof shape.base === 'string' ? shape.base : `enum(${shape.base.join('|')})`;
  return `${base}${shape.array ? '[]' : ''}`;
}

function namespaceOf(
  classes: readonly HandWritten[],
  names: DomainNames,
  note: Note,
): string | null {
  const gateway = classes.find(({ kind }) => kind === 'gateway');
  if (!gateway) return null;
  const held = gateway.namespace === null ? '/' : `/${gateway.namespace}`.replace(/^\/+/, '/');
  if (/^(?:\/[A-Za-z0-9][A-Za-z0-9_-]*)+$/.test(held)) return held;
  note(
    gateway.file,
    gateway.node,
    `is on ${gateway.namespace === null ? 'the default namespace, or one that is not constant' : `"${gateway.namespace}"`}: clients now connect to /${names.kebabPlural}`,
  );
  return null;
}
