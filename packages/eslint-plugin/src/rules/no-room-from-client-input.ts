import { handlerAround } from '../nest.js';
import { isAuthorized, isFromClient } from '../payload.js';
import { createRule, GATEWAY } from '../rule.js';
import { chainOf, kindOf } from '../sockets.js';

export default createRule({
  name: 'no-room-from-client-input',
  only: GATEWAY,
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
      const handler = handlerAround(context, node)?.handler;
      if (!handler || !isFromClient(context, room, handler)) return;
      if (isAuthorized(context, node, handler)) return;
      context.report({ node: room, messageId: isJoin ? 'join' : 'emit' });
    },
  }),
});
