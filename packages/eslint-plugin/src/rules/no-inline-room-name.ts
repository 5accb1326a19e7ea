import { AST_NODE_TYPES } from '@typescript-eslint/utils';
import { unwrap } from '../ast.js';
import { handlerAround } from '../nest.js';
import { isAuthorized, isFromClient } from '../payload.js';
import { createRule, SERVER } from '../rule.js';
import { chainOf, kindOf } from '../sockets.js';

export default createRule({
  name: 'no-inline-room-name',
  only: SERVER,
  about: 'socket.io',
  docs: {
    description: 'Build the names of rooms in one place',
    area: 'rooms',
    severity: 'low',
    why: 'A name put together where it is used is put together differently elsewhere, and an id that holds the separator names the room of somebody else.',
    remedy:
      'Call one function per kind of room, which encodes or refuses ids: `tenantRoom(tenantId)`.',
    cwe: 74,
    recommended: false,
  },
  messages: {
    inline:
      'The name of this room is put together here. Call a function that builds it for everybody and encodes the ids.',
  },
  create: (context) => ({
    CallExpression(node) {
      const { root, links } = chainOf(node);
      const last = links.at(-1);
      const [room] = node.arguments;
      if (!room || last?.call !== node) return;
      if (!/^(?:to|in|join|leave|except|socketsJoin|socketsLeave)$/.test(last.name)) return;
      const name = unwrap(room);
      const isBuilt =
        (name.type === AST_NODE_TYPES.TemplateLiteral && name.expressions.length > 0) ||
        (name.type === AST_NODE_TYPES.BinaryExpression && name.operator === '+');
      if (!isBuilt || kindOf(context, root) === undefined) return;
      // `no-room-from-client-input` says what is worse about it.
      const handler = handlerAround(context, node)?.handler;
      if (
        handler &&
        /^(?:to|in|join|socketsJoin)$/.test(last.name) &&
        isFromClient(context, room, handler) &&
        !isAuthorized(context, node, handler)
      ) {
        return;
      }
      context.report({ node: room, messageId: 'inline' });
    },
  }),
});
