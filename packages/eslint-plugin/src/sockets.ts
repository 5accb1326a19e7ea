import { AST_NODE_TYPES } from '@typescript-eslint/utils';
import type { TSESTree } from '@typescript-eslint/utils';
import {
  enclosingClass,
  initializerOf,
  isFunction,
  keyName,
  memberName,
  methodCall,
  unwrap,
  variableOf,
} from './ast.js';
import type { ClassNode, Context } from './ast.js';
import { importOf } from './imports.js';
import {
  annotationOf,
  boundPattern,
  decorator,
  gatewayOf,
  handlerAround,
  lastName,
  methodAround,
  typeNames,
} from './nest.js';

/** A server or namespace; a server's socket; a client's socket. */
export type Kind = 'server' | 'socket' | 'client';

/** What an expression is in Socket.IO's terms, as far as its file tells. */
export function kindOf(context: Context, node: TSESTree.Node): Kind | undefined {
  const expression = unwrap(node);
  switch (expression.type) {
    case AST_NODE_TYPES.Identifier:
      return kindOfVariable(context, expression);
    case AST_NODE_TYPES.MemberExpression:
      return kindOfMember(context, expression);
    case AST_NODE_TYPES.NewExpression:
      return importOf(context, expression.callee)?.source === 'socket.io' ? 'server' : undefined;
    case AST_NODE_TYPES.CallExpression: {
      if (isClientFactory(context, expression)) return 'client';
      const call = methodCall(expression);
      return call?.name === 'of' && kindOf(context, call.object) === 'server'
        ? 'server'
        : undefined;
    }
    default:
      return undefined;
  }
}

/** `io(url)`, also under `connect`, `socketIOClient` and other local names. */
export function isClientFactory(context: Context, call: TSESTree.CallExpression): boolean {
  const imported = importOf(context, call.callee);
  return (
    imported?.source === 'socket.io-client' &&
    ['io', 'default', 'connect', 'lookup', '*'].includes(imported.name)
  );
}

function kindOfMember(context: Context, node: TSESTree.MemberExpression): Kind | undefined {
  const name = memberName(node);
  if (name === undefined) return undefined;
  if (node.object.type === AST_NODE_TYPES.ThisExpression) {
    return kindOfProperty(context, enclosingClass(node), name);
  }
  if (SERVERS.test(name) && isGatewayOfOther(node.object)) {
    return 'server';
  }
  const owner = kindOf(context, node.object);
  if (owner === 'server' && ['sockets', 'local', 'volatile'].includes(name)) return 'server';
  if (owner === 'socket' && ['nsp', 'server'].includes(name)) return 'server';
  // A ref: `socketRef.current`.
  return name === 'current' ? kindOf(context, node.object) : undefined;
}

/** What a gateway calls its server. */
const SERVERS = /^(?:server|io|wss?|namespace)$/;

/** `this.gateway`, injected as a gateway of the host, with its public server. */
function isGatewayOfOther(node: TSESTree.Node): boolean {
  const object = unwrap(node);
  if (
    object.type !== AST_NODE_TYPES.MemberExpression ||
    object.object.type !== AST_NODE_TYPES.ThisExpression
  ) {
    return false;
  }
  const name = memberName(object);
  const declared = (enclosingClass(node)?.body.body ?? []).flatMap((member): TSESTree.Node[] => {
    if (member.type === AST_NODE_TYPES.PropertyDefinition) {
      return keyName(member) === name ? [member] : [];
    }
    return member.type === AST_NODE_TYPES.MethodDefinition && member.kind === 'constructor'
      ? member.value.params
          .map(boundPattern)
          .filter((bound) => 'name' in bound && bound.name === name)
      : [];
  });
  return declared
    .flatMap((bound) => typeNames(annotationOf(bound)))
    .some((type) => /Gateway$/.test(lastName(type)));
}

function kindOfProperty(
  context: Context,
  owner: ClassNode | undefined,
  name: string,
): Kind | undefined {
  for (const member of owner?.body.body ?? []) {
    if (member.type === AST_NODE_TYPES.PropertyDefinition && keyName(member) === name) {
      const byType = kindOfType(context, annotationOf(member));
      if (byType !== undefined) return byType ?? undefined;
      if (decorator(context, member, 'WebSocketServer')) return 'server';
      return member.value ? kindOf(context, member.value) : undefined;
    }
    if (member.type !== AST_NODE_TYPES.MethodDefinition || member.kind !== 'constructor') continue;
    for (const param of member.value.params) {
      const bound = boundPattern(param);
      if (
        param.type === AST_NODE_TYPES.TSParameterProperty &&
        bound.type === AST_NODE_TYPES.Identifier &&
        bound.name === name
      ) {
        return kindOfType(context, annotationOf(bound)) ?? undefined;
      }
    }
  }
  return undefined;
}

function kindOfVariable(context: Context, node: TSESTree.Identifier): Kind | undefined {
  const definition = variableOf(context, node)?.defs[0];
  if (!definition) return undefined;
  const byType = kindOfType(context, annotationOf(definition.name));
  if (byType !== undefined) return byType ?? undefined;
  if (definition.type === 'Parameter') return kindOfParameter(context, definition.name);
  const initializer = initializerOf(context, node);
  if (initializer) return kindOfInitializer(context, initializer);
  return undefined;
}

/** `useRef<Socket>(null)` and `useState<Socket>()` say it in their type argument. */
function kindOfInitializer(context: Context, initializer: TSESTree.Expression): Kind | undefined {
  const value = unwrap(initializer);
  if (value.type === AST_NODE_TYPES.CallExpression) {
    for (const argument of value.typeArguments?.params ?? []) {
      const byType = kindOfType(context, argument);
      if (byType) return byType;
    }
  }
  return kindOf(context, value);
}

function kindOfParameter(context: Context, node: TSESTree.Node): Kind | undefined {
  const handler = handlerAround(context, node)?.handler;
  if (handler?.socket && boundPattern(handler.socket) === node) return 'socket';
  const method = methodAround(node);
  if (
    method &&
    gatewayOf(context, enclosingClass(node)) &&
    ['handleConnection', 'handleDisconnect', 'afterInit'].includes(keyName(method) ?? '')
  ) {
    const [first] = method.value.params;
    if (first && boundPattern(first) === node) {
      return keyName(method) === 'afterInit' ? 'server' : 'socket';
    }
  }
  const listener = node.parent;
  if (!isFunction(listener) || listener.params[0] !== node) return undefined;
  const call = listener.parent && methodCall(listener.parent);
  return call &&
    ['on', 'once', 'use'].includes(call.name) &&
    kindOf(context, call.object) === 'server'
    ? 'socket'
    : undefined;
}

/** `null`: a type that is none of them, such as the `Server` of `ws`. */
function kindOfType(
  context: Context,
  type: TSESTree.TypeNode | undefined,
): Kind | null | undefined {
  const names = typeNames(type);
  for (const name of names) {
    const imported = importOf(context, name);
    const own = lastName(name);
    if (imported?.source === 'socket.io-client') return 'client';
    if (imported?.source === 'socket.io') {
      if (['Server', 'Namespace'].includes(imported.name)) return 'server';
      if (['Socket', 'RemoteSocket'].includes(imported.name)) return 'socket';
    } else if (
      /Socket$/.test(own) &&
      !(imported && /^(?:ws|net|node:net)$/.test(imported.source))
    ) {
      // A host's own type of its sockets: left to what else is known of it.
      return undefined;
    }
  }
  return names.length > 0 ? null : undefined;
}

/** The links of a chain of calls from its object on: `to`, `except`, `emit`. */
export function chainOf(node: TSESTree.Node): {
  root: TSESTree.Node;
  links: { name: string; call?: TSESTree.CallExpression }[];
} {
  const links: { name: string; call?: TSESTree.CallExpression }[] = [];
  let current = unwrap(node);
  for (;;) {
    const call = current.type === AST_NODE_TYPES.CallExpression ? current : undefined;
    const member = call ? unwrap(call.callee) : current;
    if (member.type !== AST_NODE_TYPES.MemberExpression) break;
    const name = memberName(member);
    const isOfThis = member.object.type === AST_NODE_TYPES.ThisExpression;
    if (name === undefined || (isOfThis && !call)) break;
    if (!call && SERVERS.test(name) && isGatewayOfOther(member.object)) break;
    links.unshift(call ? { name, call } : { name });
    current = unwrap(member.object);
  }
  return { root: current, links };
}
