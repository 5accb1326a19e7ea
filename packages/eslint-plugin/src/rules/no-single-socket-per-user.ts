import { AST_NODE_TYPES } from '@typescript-eslint/utils';
import type { TSESTree } from '@typescript-eslint/utils';
import { contains, enclosingClass, keyName, memberName, methodCall, unwrap } from '../ast.js';
import type { Context } from '../ast.js';
import { gatewayOf } from '../nest.js';
import { createRule, GATEWAY } from '../rule.js';
import { kindOf } from '../sockets.js';

export default createRule({
  name: 'no-single-socket-per-user',
  only: GATEWAY,
  about: 'socket.io',
  docs: {
    description: 'Reach a user by a room, not by one socket in a Map',
    area: 'gateway',
    severity: 'medium',
    why: 'A Map from user to socket holds the last one: a second tab takes the events from the first, and its closing takes the user off. Other processes do not see it at all.',
    remedy:
      'Let each socket join a room of its user, and emit to the room: `client.join(userRoom(id))`, `server.to(userRoom(id))`.',
    cwe: 694,
    recommended: true,
  },
  messages: {
    one: 'A second tab of this user takes the place of the first, and other processes do not see either. Let each socket join a room of its user.',
  },
  create: (context) => ({
    CallExpression(node) {
      const call = methodCall(node);
      const [key, value] = node.arguments;
      if (call?.name !== 'set' || node.arguments.length !== 2 || !key || !value) return;
      const owner = enclosingClass(node);
      const list = unwrap(call.object);
      if (!owner || !gatewayOf(context, owner)) return;
      if (
        list.type !== AST_NODE_TYPES.MemberExpression ||
        list.object.type !== AST_NODE_TYPES.ThisExpression ||
        !isMap(context, owner.body.body, memberName(list))
      ) {
        return;
      }
      if (isOfSocket(context, value) && isUser(context, key)) {
        context.report({ node, messageId: 'one' });
      }
    },
  }),
});

function isMap(
  context: Context,
  members: readonly TSESTree.ClassElement[],
  name: string | undefined,
): boolean {
  return members.some(
    (member) =>
      member.type === AST_NODE_TYPES.PropertyDefinition &&
      keyName(member) === name &&
      member.value?.type === AST_NODE_TYPES.NewExpression &&
      /^Map\b/.test(context.sourceCode.getText(member.value.callee)),
  );
}

/** The socket, or its id, as it stands. */
function isOfSocket(context: Context, node: TSESTree.Node): boolean {
  const value = unwrap(node);
  if (kindOf(context, value) === 'socket') return true;
  return (
    value.type === AST_NODE_TYPES.MemberExpression &&
    memberName(value) === 'id' &&
    kindOf(context, value.object) === 'socket'
  );
}

/** Who may come twice: not the id of the socket itself. */
function isUser(context: Context, node: TSESTree.Node): boolean {
  const key = unwrap(node);
  if (key.type === AST_NODE_TYPES.MemberExpression && kindOf(context, key.object) === 'socket') {
    if (memberName(key) === 'id') return false;
  }
  return contains(
    context,
    key,
    (part) =>
      part.type === AST_NODE_TYPES.Identifier &&
      /user|account|member|customer|driver|rider|player|session|admin|agent|sub$/i.test(part.name),
  );
}
