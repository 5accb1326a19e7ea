import { AST_NODE_TYPES } from '@typescript-eslint/utils';
import type { TSESTree } from '@typescript-eslint/utils';
import { contains, initializerOf, unwrap, variableOf } from '../ast.js';
import type { Context } from '../ast.js';
import { handlerAround, hookAround } from '../nest.js';
import { isAuthorized, isFromClient, pathInHandshake } from '../payload.js';
import { createRule, SERVER } from '../rule.js';
import { chainOf, kindOf } from '../sockets.js';

export default createRule({
  name: 'no-room-from-client-input',
  only: SERVER,
  about: 'socket.io',
  docs: {
    description: 'Do not let a client name the room that it joins or emits to',
    area: 'rooms',
    severity: 'high',
    why: "Whoever sends the name of a room gets what is sent there: another tenant's room, another user's, or the id of another socket, which is a room too.",
    remedy:
      'Take the id of a resource, ask whether this user may see it, and build the name of the room on the server.',
    cwe: 639,
    recommended: true,
  },
  messages: {
    join: "The client chooses which room it joins, and nobody asks whether it may. Check the access to the resource first and build the room's name from ids.",
    emit: 'The client chooses who receives this, and nobody asks whether it may. Check the access to the resource first.',
  },
  create: (context) => ({
    CallExpression(node) {
      const { root, links } = chainOf(node);
      const last = links.at(-1);
      const [room] = node.arguments;
      if (!room || last?.call !== node) return;
      const isJoin = /^(?:join|socketsJoin)$/.test(last.name);
      if (!isJoin && !/^(?:to|in)$/.test(last.name)) return;
      const kind = kindOf(context, root);
      if (kind !== 'server' && kind !== 'socket') return;
      const handler = handlerAround(context, node)?.handler ?? hookAround(context, node);
      if (!handler || !isFromClient(context, room, handler)) return;
      if (isAuthorized(context, node, handler, saidIn(context, room))) return;
      context.report({ node: room, messageId: isJoin ? 'join' : 'emit' });
    },
  }),
});

/** The part of a room's name that the client said when it connected. */
function saidIn(context: Context, room: TSESTree.Node): TSESTree.Node | undefined {
  let found: TSESTree.Node | undefined;
  contains(context, room, (part) => {
    const value = initializerOf(context, unwrap(part)) ?? part;
    const isOuter = pathInHandshake(value) !== undefined || isTaken(context, part);
    if (isOuter) found ??= part;
    return isOuter;
  });
  return found;
}

/** `const { room } = socket.handshake.query` */
function isTaken(context: Context, node: TSESTree.Node): boolean {
  return (
    node.type === AST_NODE_TYPES.Identifier &&
    (variableOf(context, node)?.defs ?? []).some(
      ({ node: definition }) =>
        definition.type === AST_NODE_TYPES.VariableDeclarator &&
        definition.init !== null &&
        pathInHandshake(definition.init) !== undefined,
    )
  );
}
