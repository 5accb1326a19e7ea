import { AST_NODE_TYPES } from '@typescript-eslint/utils';
import type { TSESTree } from '@typescript-eslint/utils';
import { ancestors, calledName, contains, keyName, memberName, methodCall } from '../ast.js';
import type { Context } from '../ast.js';
import { handlerAround, hookAround } from '../nest.js';
import type { Handler } from '../nest.js';
import { isAuthorized, pathInPayload } from '../payload.js';
import { createRule, SERVER } from '../rule.js';
import { kindOf } from '../sockets.js';

const WHO =
  /^(?:user|sender|author|actor|owner|from|my|current_?user|account|customer|driver|member|creator|from_?user|created_?by|requested_?by)(?:_?id)?$|^(?:user|sender|from)_?(?:name|email)$/i;

export default createRule({
  name: 'no-identity-from-client',
  only: SERVER,
  about: 'socket.io',
  docs: {
    description: 'Take who a client is from its verified token, not from what it says',
    area: 'authentication',
    severity: 'high',
    why: 'A client that says who it is can say somebody else: it reads their rooms, and writes and is online in their name.',
    remedy:
      'Read the id from the claims that a middleware verified, `socket.data.userId`, and leave it out of payload and handshake.',
    cwe: 290,
    recommended: true,
  },
  messages: {
    said: 'The client says who it is, and is believed. Take {{name}} from the claims of the verified token.',
  },
  create: (context) => ({
    MemberExpression(node) {
      const name = memberName(node);
      if (!name || !WHO.test(name) || !isOutermost(node)) return;
      const handler = handlerAround(context, node)?.handler ?? hookAround(context, node);
      const path = handler && pathInPayload(context, node, handler);
      if (!handler || !path) return;
      if (isBelieved(context, node, handler, path)) {
        context.report({ node, messageId: 'said', data: { name } });
      }
    },
    VariableDeclarator({ id, init }) {
      if (id.type !== AST_NODE_TYPES.ObjectPattern || !init) return;
      const handler = handlerAround(context, init)?.handler ?? hookAround(context, init);
      if (!handler) return;
      const path = pathInPayload(context, init, handler);
      // Of a payload, what it is used for is looked at where it is used.
      if (path?.[0] !== 'handshake') return;
      for (const entry of id.properties) {
        if (entry.type !== AST_NODE_TYPES.Property) continue;
        const name = keyName(entry) ?? '';
        if (!WHO.test(name) || verifies(context, handler)) continue;
        context.report({ node: entry, messageId: 'said', data: { name } });
      }
    },
  }),
});

/** `data.user` of `data.user.id` is told by its id. */
function isOutermost(node: TSESTree.MemberExpression): boolean {
  const { parent } = node;
  return !(
    parent.type === AST_NODE_TYPES.MemberExpression &&
    parent.object === node &&
    WHO.test(memberName(parent) ?? '')
  );
}

function isBelieved(
  context: Context,
  node: TSESTree.MemberExpression,
  handler: Handler,
  path: readonly string[],
): boolean {
  if (path[0] === 'handshake') return !verifies(context, handler);
  const name = memberName(node) ?? '';
  // The receiver of a message is the client's to choose; so is whom a list is about.
  const isActor = /^(?:sender|author|actor|from|my|current|creator|created|requested)/i.test(name);
  const isKept = ancestors(node).some((ancestor) => {
    if (ancestor.type === AST_NODE_TYPES.AssignmentExpression) {
      const { left } = ancestor;
      return (
        left.type === AST_NODE_TYPES.MemberExpression &&
        (kindOf(context, left.object) === 'socket' ||
          (left.object.type === AST_NODE_TYPES.MemberExpression &&
            memberName(left.object) === 'data' &&
            kindOf(context, left.object.object) === 'socket'))
      );
    }
    if (ancestor.type !== AST_NODE_TYPES.CallExpression) return false;
    const call = methodCall(ancestor);
    // `this.sockets.set(dto.userId, client.id)`
    return (
      call?.name === 'set' &&
      ancestor.arguments[0] === node &&
      ancestor.arguments
        .slice(1)
        .some((argument) =>
          contains(context, argument, (part) => kindOf(context, part) === 'socket'),
        )
    );
  });
  if ((!isKept && !isActor) || isLogged(node)) return false;
  // Looked at against what is known: `dto.senderId !== client.data.userId`.
  const isCompared = node.parent.type === AST_NODE_TYPES.BinaryExpression;
  return !isCompared && !isAuthorized(context, node, handler);
}

function isLogged(node: TSESTree.Node): boolean {
  return ancestors(node).some(
    (ancestor) =>
      ancestor.type === AST_NODE_TYPES.CallExpression &&
      /^(?:log|info|debug|verbose|warn|error|trace)$/.test(calledName(ancestor)),
  );
}

/** What the hook or the handler takes from a token that it verifies. */
function verifies(context: Context, handler: Handler): boolean {
  return contains(
    context,
    handler.method,
    (node) =>
      node.type === AST_NODE_TYPES.CallExpression &&
      /^(?:verify|authenticate|introspect)|Token$|Jwt$/.test(calledName(node)),
  );
}
