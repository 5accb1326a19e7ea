import type { CallExpression, Class, Expression, Node } from 'oxc-parser';
import { findAll, isCall } from '../wiring/index.js';
import { decoratorsOf, keyOf, lineOf, textOf } from './code.js';
import type { AppCode, CodeFile } from './code.js';
import { classAround, classOfType, parametersOf, propertyType } from './values.js';
import type { Scope } from './values.js';

/** A place that sends an event to clients. */
export interface Emission {
  /** Null where it is not constant. */
  readonly name: string | null;
  /** The rooms that it goes to; `all` of the server's sockets, or the one that asked. */
  readonly to: 'all' | 'sender' | readonly Node[];
  /** The file that names the rooms. */
  readonly sentFrom: CodeFile;
  readonly payload: Node | null;
  /** Place in which the payload and the rooms are read. */
  readonly scope: Scope;
  readonly file: CodeFile;
  readonly line: number;
  readonly owner: Class | null;
  /** Name of the method that holds it. */
  readonly method: string | null;
}

/** Everything that the files send to clients, wrappers that take the event's name resolved. */
export function emissionsIn(code: AppCode, files: readonly CodeFile[]): Emission[] {
  return files.flatMap((file) =>
    findAll(file.source.program, isCall).flatMap(({ node, ancestors }) =>
      emissionOf(code, { file, ancestors }, node, files),
    ),
  );
}

function emissionOf(
  code: AppCode,
  scope: Scope,
  call: CallExpression,
  files: readonly CodeFile[],
): Emission[] {
  const { callee } = call;
  if (callee.type !== 'MemberExpression' || keyOf(callee.property) !== 'emit') return [];
  const to = addressOf(code, scope, callee.object, []);
  const [event, payload] = call.arguments;
  if (to === null || !event || event.type === 'SpreadElement') return [];
  const method = methodAround(scope);
  const made: Emission = {
    name: code.constant(scope.file, event),
    to,
    sentFrom: scope.file,
    payload: payload ?? null,
    scope,
    file: scope.file,
    line: lineOf(scope.file, call),
    owner: classAround(scope),
    method: method?.name ?? null,
  };
  if (made.name !== null || event.type !== 'Identifier' || !method) return [made];
  const index = method.params.indexOf(event.name);
  const calls = index < 0 ? [] : callsOf(files, method.name);
  const resolved = calls.flatMap((one): Emission[] => {
    const at = (node: Node | undefined): Node | undefined => {
      const param = node?.type === 'Identifier' ? method.params.indexOf(node.name) : -1;
      return param < 0 ? node : one.call.arguments[param];
    };
    const argument = one.call.arguments[index];
    const name = argument && code.constant(one.scope.file, argument as Expression);
    if (name === null || name === undefined) return [];
    const passed = payload && at(payload);
    return [
      {
        ...made,
        name,
        // The parameter's name says more of a room than what is passed.
        payload: passed ?? null,
        scope: passed === payload ? scope : one.scope,
        line: lineOf(one.scope.file, one.call),
        file: one.scope.file,
        owner: classAround(one.scope),
        method: methodAround(one.scope)?.name ?? null,
      },
    ];
  });
  return resolved.length > 0 ? resolved : [made];
}

/** Target of a chain of calls before `.emit`; null where it is no socket's. */
function addressOf(
  code: AppCode,
  scope: Scope,
  object: Node,
  rooms: readonly Node[],
  isBroadcast = false,
): Emission['to'] | null {
  if (object.type === 'CallExpression' && object.callee.type === 'MemberExpression') {
    const name = keyOf(object.callee.property);
    if (name === null) return null;
    // No room at all is every room.
    const args =
      name === 'to' || name === 'in'
        ? object.arguments.filter(
            (one) => one.type !== 'ArrayExpression' || one.elements.length > 0,
          )
        : [];
    return addressOf(code, scope, object.callee.object, [...args, ...rooms], isBroadcast);
  }
  const kind = socketKind(code, scope, object);
  if (kind !== null) {
    return rooms.length > 0 ? rooms : kind === 'server' || isBroadcast ? 'all' : 'sender';
  }
  if (object.type !== 'MemberExpression') return null;
  const name = keyOf(object.property);
  const isModifier =
    name === 'broadcast' ||
    name === 'volatile' ||
    name === 'local' ||
    name === 'server' ||
    name === 'sockets';
  return isModifier
    ? addressOf(code, scope, object.object, rooms, isBroadcast || name === 'broadcast')
    : null;
}

/** True if an expression is a server of sockets, or one socket. */
export function socketKind(code: AppCode, scope: Scope, node: Node): 'server' | 'socket' | null {
  if (node.type === 'Identifier') {
    for (const { param } of paramsAround(scope)) {
      if (param.name === node.name) return kindOfParameter(param);
    }
    return null;
  }
  if (node.type !== 'MemberExpression' || node.computed) return null;
  const name = keyOf(node.property) ?? '';
  const around = classAround(scope);
  if (node.object.type === 'ThisExpression')
    return around && serverProperty(around, name) ? 'server' : null;
  const { object } = node;
  if (object.type !== 'MemberExpression' || object.object.type !== 'ThisExpression' || !around)
    return null;
  const owner = classOfType(code, scope.file, propertyType(around, keyOf(object.property) ?? ''));
  return owner && serverProperty(owner.node, name) ? 'server' : null;
}

/** True if a member of a class is what `@WebSocketServer()` fills, or is typed as a server. */
function serverProperty(node: Class, name: string): boolean {
  return node.body.body.some(
    (member) =>
      member.type === 'PropertyDefinition' &&
      keyOf(member.key) === name &&
      (decoratorsOf(member).some((one) => one.name === 'WebSocketServer') ||
        /^(?:Server|Namespace)$/.test(typeName(member.typeAnnotation ?? null))),
  );
}

type Param = ReturnType<typeof parametersOf>[number];

function kindOfParameter({ name, type, decorators }: Param): 'server' | 'socket' | null {
  const typed = typeName(type);
  if (typed === 'Server' || typed === 'Namespace') return 'server';
  const isSocket =
    decorators.some((one) => one.name === 'ConnectedSocket') ||
    /Socket(?:Client)?$/.test(typed) ||
    (decorators.length === 0 &&
      (typed === '' || typed === 'any') &&
      (name === 'client' || name === 'socket'));
  return isSocket ? 'socket' : null;
}

/** True if a parameter is the socket of a client. */
export const isSocketParameter = (parameter: Param): boolean =>
  kindOfParameter(parameter) === 'socket';

function typeName(type: Node | null): string {
  const inner = type?.type === 'TSTypeAnnotation' ? type.typeAnnotation : type;
  if (inner?.type === 'TSAnyKeyword') return 'any';
  return inner?.type === 'TSTypeReference' && inner.typeName.type === 'Identifier'
    ? inner.typeName.name
    : '';
}

function paramsAround({ ancestors }: Scope): { param: Param }[] {
  return ancestors.toReversed().flatMap((node) =>
    'params' in node && Array.isArray(node.params)
      ? parametersOf(node.params as Parameters<typeof parametersOf>[0]).map((param) => ({
          param,
        }))
      : [],
  );
}

function methodAround({ ancestors }: Scope): { name: string; params: (string | null)[] } | null {
  const method = ancestors.findLast(({ type }) => type === 'MethodDefinition');
  if (method?.type !== 'MethodDefinition') return null;
  const name = keyOf(method.key);
  return name === null
    ? null
    : { name, params: parametersOf(method.value.params).map((param) => param.name) };
}

function callsOf(
  files: readonly CodeFile[],
  name: string,
): { call: CallExpression; scope: Scope }[] {
  return files.flatMap((file) =>
    findAll(file.source.program, isCall).flatMap(({ node, ancestors }) =>
      node.callee.type === 'MemberExpression' && keyOf(node.callee.property) === name
        ? [{ call: node, scope: { file, ancestors } }]
        : [],
    ),
  );
}

/** Kind of a room, and the field of a payload that would name it. */
export interface Room {
  readonly of: 'user' | 'tenant' | 'other';
  readonly field: string | null;
  readonly text: string;
}

/** Reads a room from the expression that names it: `` `user:${data.userId}` ``. */
export function roomOf(file: CodeFile, node: Node): Room {
  const text = textOf(file, node);
  const leaf = leafOf(node);
  const named = leaf ? textOf(file, leaf) : '';
  const of = /tenant|organi[sz]ation|orgId|company|workspace/i.test(named)
    ? 'tenant'
    : /user|recipient|owner|member|author|assignee|customer|client\.|socket/i.test(text)
      ? 'user'
      : 'other';
  return { of, field: leaf && fieldOf(leaf, of), text };
}

function fieldOf(node: Node, of: Room['of']): string | null {
  const name = node.type === 'MemberExpression' ? keyOf(node.property) : keyOf(node);
  return of === 'user' && /^(?:id|sub|user|socketId)$/.test(name ?? 'id') ? 'userId' : name;
}

/** The variable that ends a room's name. */
function leafOf(node: Node): Node | null {
  switch (node.type) {
    case 'TemplateLiteral': {
      const last = node.expressions.at(-1);
      return last ? leafOf(last) : null;
    }
    case 'BinaryExpression':
      return leafOf(node.right);
    case 'CallExpression': {
      const last = node.arguments.at(-1);
      if (last) return leafOf(last);
      return node.callee.type === 'MemberExpression' ? leafOf(node.callee.object) : null;
    }
    case 'TSNonNullExpression':
    case 'TSAsExpression':
    case 'ParenthesizedExpression':
      return leafOf(node.expression);
    case 'ArrayExpression': {
      const [first] = node.elements;
      return first ? leafOf(first) : null;
    }
    case 'MemberExpression':
    case 'Identifier':
      return node;
    default:
      return null;
  }
}
