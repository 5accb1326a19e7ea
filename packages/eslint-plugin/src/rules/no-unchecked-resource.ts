import { AST_NODE_TYPES } from '@typescript-eslint/utils';
import type { TSESTree } from '@typescript-eslint/utils';
import {
  ancestors,
  calledName,
  contains,
  isFunction,
  memberName,
  methodCall,
  unwrap,
} from '../ast.js';
import type { Context } from '../ast.js';
import { boundPattern, decorator, gatewayOf } from '../nest.js';
import type { Gateway, Handler } from '../nest.js';
import { isAuthorized, pathInPayload } from '../payload.js';
import { createRule, GATEWAY } from '../rule.js';
import { kindOf } from '../sockets.js';

/** What changes or gives away what an id names. */
const ACTS =
  /^(?:update|delete|remove|destroy|edit|patch|archive|cancel|close|approve|reject|assign|rename|findUnique|findFirst|findOne|findById|findOneBy|getById)/;

export default createRule({
  name: 'no-unchecked-resource',
  only: GATEWAY,
  docs: {
    description:
      'Ask whether this user may before a resource that a client names is read or changed',
    area: 'rooms',
    severity: 'high',
    why: 'An id in the payload names what belongs to anybody. A handler that passes it on without saying who asks serves every client that knows or guesses an id.',
    remedy:
      'Pass the user of `socket.data` along, and let the query or the service hold both: `update({ where: { id, ownerId: userId } })`.',
    cwe: 639,
    recommended: true,
  },
  messages: {
    unchecked:
      'The client names what this reads or changes, and nobody asks whether it may. Pass who asks, and check the access.',
  },
  create(context) {
    const check = (node: Gateway['node']): void => {
      const gateway = gatewayOf(context, node);
      for (const handler of gateway?.handlers ?? []) {
        const found = firstUnchecked(context, handler);
        if (found) context.report({ node: found, messageId: 'unchecked' });
      }
    };
    return { ClassDeclaration: check, ClassExpression: check };
  },
});

function firstUnchecked(context: Context, handler: Handler): TSESTree.Node | undefined {
  const { body } = handler.method.value;
  let found: TSESTree.Node | undefined;
  if (!body || knowsWho(context, handler)) return undefined;
  contains(context, body, (node) => {
    if (found || node.type !== AST_NODE_TYPES.CallExpression) return false;
    const name = calledName(node);
    const call = methodCall(node);
    if (!call || !ACTS.test(name) || !isOfService(context, call.object)) return false;
    const id = node.arguments.flatMap((argument) => idsIn(context, argument, handler)).at(0);
    if (id && !isAuthorized(context, node, handler)) found = node;
    return false;
  });
  return found;
}

/** `this.chats`, `this.prisma.message`: not a list of the gateway's own. */
function isOfService(context: Context, node: TSESTree.Node): boolean {
  let owner = unwrap(node);
  let last = owner;
  while (owner.type === AST_NODE_TYPES.MemberExpression) {
    last = owner;
    owner = unwrap(owner.object);
  }
  if (owner.type !== AST_NODE_TYPES.ThisExpression) return false;
  const name = last.type === AST_NODE_TYPES.MemberExpression ? (memberName(last) ?? '') : '';
  return (
    kindOf(context, last) === undefined &&
    /service|repo|repository|model|prisma|store|db|dao|manager|entity|orm|dataSource/i.test(name)
  );
}

/** Parts of an argument that are an id which the client sent. */
function idsIn(context: Context, root: TSESTree.Node, handler: Handler): TSESTree.Node[] {
  const ids: TSESTree.Node[] = [];
  contains(context, root, (part) => {
    const path = pathInPayload(context, part, handler);
    if (path && path[0] !== 'handshake' && /(?:^|_|[a-z])id$/i.test(path.at(-1) ?? '')) {
      ids.push(part);
    }
    return false;
  });
  return ids;
}

/** The handler looks at who asks, wherever; or a guard of its own does. */
function knowsWho(context: Context, handler: Handler): boolean {
  const { method, socket, payload } = handler;
  if (method.value.params.some((param) => param !== socket && param !== payload && isWho(param))) {
    return true;
  }
  if (decorator(context, method, 'UseGuards', 'UseInterceptors')) return true;
  return contains(context, method.value, (node) => {
    if (node.type === AST_NODE_TYPES.CallExpression) {
      // Whoever is given the socket may look.
      return node.arguments.some(
        (argument) =>
          kindOf(context, argument) === 'socket' &&
          !ancestors(argument).some(
            (ancestor) => isFunction(ancestor) && ancestor !== method.value,
          ),
      );
    }
    if (node.type !== AST_NODE_TYPES.MemberExpression || !socket) return false;
    const bound = boundPattern(socket);
    const object = unwrap(node.object);
    return (
      object.type === AST_NODE_TYPES.Identifier &&
      'name' in bound &&
      object.name === bound.name &&
      !/^(?:id|emit|join|leave|to|in|broadcast|on|off|nsp|rooms|server|disconnect|connected)$/.test(
        memberName(node) ?? '',
      )
    );
  });
}

/** `@CurrentUser() user` */
function isWho(param: TSESTree.Parameter): boolean {
  const bound = boundPattern(param);
  return (
    'name' in bound &&
    /user|account|session|auth|identity|tenant|claims|member/i.test(String(bound.name))
  );
}
