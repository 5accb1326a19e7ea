import { AST_NODE_TYPES } from '@typescript-eslint/utils';
import type { TSESTree } from '@typescript-eslint/utils';
import {
  ancestors,
  calledName,
  contains,
  enclosingClass,
  initializerOf,
  keyName,
  memberName,
  methodCall,
  unwrap,
  variableOf,
} from './ast.js';
import type { Context } from './ast.js';
import { boundPattern, decorator, methodAround, PAYLOAD } from './nest.js';
import type { Handler } from './nest.js';

/** Calls that give back what they were given, in another form. */
const HARMLESS = new Set(['String', 'toString', 'trim', 'toLowerCase', 'toUpperCase', 'valueOf']);

/** The member path of an expression that comes from the client as it stands, such as `['tenantId']`. */
export function pathInPayload(
  context: Context,
  node: TSESTree.Node,
  handler: Handler,
): string[] | undefined {
  const expression = unwrap(node);
  switch (expression.type) {
    case AST_NODE_TYPES.Identifier:
      return pathOfVariable(context, expression, handler);
    case AST_NODE_TYPES.MemberExpression: {
      const said = pathInHandshake(expression);
      if (said) return said;
      const path = pathInPayload(context, expression.object, handler);
      const { property } = expression;
      if (!path) return undefined;
      return [...path, !expression.computed && 'name' in property ? property.name : '*'];
    }
    default:
      return undefined;
  }
}

function pathOfVariable(
  context: Context,
  node: TSESTree.Identifier,
  handler: Handler,
): string[] | undefined {
  const definition = variableOf(context, node)?.defs[0];
  if (!definition) return undefined;
  if (definition.type === 'Parameter') {
    if (!handler.payload) return undefined;
    const pattern = boundPattern(handler.payload);
    if (!isWithin(definition.name, pattern)) return undefined;
    const [key] = decorator(context, handler.payload, ...PAYLOAD)?.args ?? [];
    const outer = key?.type === AST_NODE_TYPES.Literal ? [String(key.value)] : [];
    return [...outer, ...pathInPattern(definition.name, pattern)];
  }
  if (definition.node.type !== AST_NODE_TYPES.VariableDeclarator) return undefined;
  const { id, init } = definition.node;
  const source = init && pathInPayload(context, init, handler);
  return source ? [...source, ...pathInPattern(definition.name, id)] : undefined;
}

/** What the client says of itself when it connects: `['handshake', 'query', 'room']` of `socket.handshake.query.room`. */
export function pathInHandshake(node: TSESTree.Node): string[] | undefined {
  const expression = unwrap(node);
  if (expression.type !== AST_NODE_TYPES.MemberExpression) return undefined;
  const name = memberName(expression);
  const owner = unwrap(expression.object);
  if (name === undefined || owner.type !== AST_NODE_TYPES.MemberExpression) return undefined;
  if (memberName(owner) === 'handshake') {
    return ['auth', 'query'].includes(name) ? ['handshake', name] : undefined;
  }
  const outer = pathInHandshake(owner);
  return outer ? [...outer, name] : undefined;
}

function isWithin(node: TSESTree.Node, outer: TSESTree.Node): boolean {
  return node === outer || ancestors(node).includes(outer);
}

/** The keys that lead from a pattern to a name in it. */
function pathInPattern(name: TSESTree.Node, pattern: TSESTree.Node): string[] {
  const path: string[] = [];
  for (const ancestor of [name, ...ancestors(name)]) {
    if (ancestor === pattern) break;
    if (ancestor.type === AST_NODE_TYPES.Property && 'name' in ancestor.key) {
      path.unshift(ancestor.key.name as string);
    }
  }
  return path;
}

/** Whether a value is, or is built as text from, what the client sent. */
export function isFromClient(context: Context, node: TSESTree.Node, handler: Handler): boolean {
  const expression = unwrap(node);
  const isTainted = (inner: TSESTree.Node): boolean => isFromClient(context, inner, handler);
  switch (expression.type) {
    case AST_NODE_TYPES.Identifier: {
      if (pathInPayload(context, expression, handler)) return true;
      const initializer = initializerOf(context, expression);
      return initializer !== undefined && isTainted(initializer);
    }
    case AST_NODE_TYPES.MemberExpression:
      return pathInPayload(context, expression, handler) !== undefined;
    case AST_NODE_TYPES.TemplateLiteral:
      return expression.expressions.some(isTainted);
    case AST_NODE_TYPES.BinaryExpression:
      return expression.operator === '+' && [expression.left, expression.right].some(isTainted);
    case AST_NODE_TYPES.LogicalExpression:
      return isTainted(expression.left) || isTainted(expression.right);
    case AST_NODE_TYPES.ConditionalExpression:
      return isTainted(expression.consequent) || isTainted(expression.alternate);
    case AST_NODE_TYPES.ArrayExpression:
      return expression.elements.some((element) => element !== null && isTainted(element));
    case AST_NODE_TYPES.CallExpression: {
      if (!HARMLESS.has(calledName(expression))) return false;
      const object = methodCall(expression)?.object;
      return [...expression.arguments, ...(object ? [object] : [])].some(isTainted);
    }
    default:
      return false;
  }
}

const CHECKS =
  /^(?:assert|authori[sz]e|can[A-Z_]|check|ensure|enforce|has[A-Z]|is[A-Z]|may|must|permit|require|validate|verify)/;

const READS = /^(?:find|get|load|fetch|lookup|query|resolve)/;

/**
 * Whether a handler asks somebody about what the client sent before a node is reached: a check that throws, or a
 * condition on what a call answered or on what is known of the socket. What the condition says is not judged.
 */
export function isAuthorized(
  context: Context,
  node: TSESTree.Node,
  handler: Handler,
  about?: TSESTree.Node,
): boolean {
  if (hasOwnGuard(context, node)) return true;
  const body = handler.method.value;
  const namesUser = (argument: TSESTree.Node): boolean =>
    contains(
      context,
      argument,
      (part) =>
        part.type === AST_NODE_TYPES.Identifier &&
        /user|account|member|identity/i.test(part.name) &&
        !isFromClient(context, part, handler) &&
        !isFromClient(context, part.parent, handler),
    );
  // A token that was verified says nothing of the room that stands beside it.
  const said = about && pathInPayload(context, resolved(context, about), handler);
  const mentionsSame = (argument: TSESTree.Node): boolean =>
    said?.[0] === 'handshake'
      ? contains(
          context,
          argument,
          (part) =>
            pathInPayload(context, resolved(context, part), handler)?.join('.') === said.join('.'),
        )
      : mentionsClient(context, argument, handler);
  const isAsked = (call: TSESTree.Node): boolean =>
    call.type === AST_NODE_TYPES.CallExpression &&
    !isBookkeeping(context, call) &&
    !/^(?:log|warn|error|debug|verbose|info|emit|to|in|join|leave)$/.test(calledName(call)) &&
    call.arguments.some((argument) => mentionsSame(argument));
  return contains(context, body, (candidate) => {
    if (candidate.range[0] >= node.range[0]) return false;
    if (candidate.type === AST_NODE_TYPES.CallExpression) {
      const name = calledName(candidate);
      // What is read for this user alone is what this user may see.
      // So is what a service is asked to do for this user: it may refuse.
      const isScoped =
        (READS.test(name) && candidate.arguments.some(namesUser)) ||
        (candidate.parent.type === AST_NODE_TYPES.AwaitExpression &&
          candidate.arguments.some(
            (argument) => argument.type !== AST_NODE_TYPES.ObjectExpression && namesUser(argument),
          ));
      return (CHECKS.test(name) || isScoped) && isAsked(candidate);
    }
    if (
      candidate.type !== AST_NODE_TYPES.IfStatement &&
      candidate.type !== AST_NODE_TYPES.ConditionalExpression
    ) {
      return false;
    }
    return restsOnAnswer(candidate.test);
  });

  /** A call is asked, or was asked for a name that is looked at: `if (!isMember)`. */
  function restsOnAnswer(condition: TSESTree.Node, seen = new Set<TSESTree.Node>()): boolean {
    return contains(context, condition, (part) => {
      if (isAsked(part)) return true;
      const initializer = answerOf(context, part);
      if (!initializer) return isKnownOfSocket(part, handler);
      if (seen.has(initializer)) return false;
      seen.add(initializer);
      return restsOnAnswer(initializer, seen);
    });
  }
}

function resolved(context: Context, node: TSESTree.Node): TSESTree.Node {
  return initializerOf(context, unwrap(node)) ?? node;
}

/** `this.online.has(id)`: a list that the gateway keeps says what exists, not who may. */
function isBookkeeping(context: Context, node: TSESTree.Node): boolean {
  const call = methodCall(node);
  if (!call || !/^(?:has|get|includes|find|some|indexOf|values|keys)$/.test(call.name))
    return false;
  const object = unwrap(call.object);
  const made =
    object.type === AST_NODE_TYPES.MemberExpression &&
    object.object.type === AST_NODE_TYPES.ThisExpression
      ? enclosingClass(node)?.body.body.find(
          (member): member is TSESTree.PropertyDefinition =>
            member.type === AST_NODE_TYPES.PropertyDefinition &&
            keyName(member) === memberName(object),
        )?.value
      : initializerOf(context, object);
  return (
    made?.type === AST_NODE_TYPES.ArrayExpression ||
    (made?.type === AST_NODE_TYPES.NewExpression && /^(?:Map|Set)$/.test(calledName(made)))
  );
}

/** What a name was given, also by destructuring. */
function answerOf(context: Context, node: TSESTree.Node): TSESTree.Node | undefined {
  if (node.type !== AST_NODE_TYPES.Identifier) return undefined;
  const definition = variableOf(context, node)?.defs[0]?.node;
  return definition?.type === AST_NODE_TYPES.VariableDeclarator
    ? (definition.init ?? undefined)
    : undefined;
}

function mentionsClient(context: Context, node: TSESTree.Node, handler: Handler): boolean {
  return contains(context, node, (part) => isFromClient(context, part, handler));
}

/** `socket.data.rooms` and `socket.rooms`, compared with what the client sent. */
function isKnownOfSocket(node: TSESTree.Node, handler: Handler): boolean {
  if (node.type !== AST_NODE_TYPES.MemberExpression || !handler.socket) return false;
  const { object } = node;
  const socket = boundPattern(handler.socket);
  return (
    object.type === AST_NODE_TYPES.Identifier &&
    socket.type === AST_NODE_TYPES.Identifier &&
    object.name === socket.name &&
    ['data', 'rooms', 'user', 'id', 'userId'].includes(
      'name' in node.property ? node.property.name : '',
    )
  );
}

/** A guard of the method's own, other than the one that only says who is asking. */
function hasOwnGuard(context: Context, node: TSESTree.Node): boolean {
  const method = methodAround(node);
  const args = decorator(context, method, 'UseGuards')?.args ?? [];
  return args.some(
    (argument) => !/jwt|auth(?!or)|token/i.test(context.sourceCode.getText(argument)),
  );
}
