import { AST_NODE_TYPES } from '@typescript-eslint/utils';
import type { TSESTree } from '@typescript-eslint/utils';
import { ancestors, contains, isFunction, methodCall, stringOf, unwrap } from '../ast.js';
import type { Context } from '../ast.js';
import { effectAround } from '../react.js';
import { createRule } from '../rule.js';
import { kindOf } from '../sockets.js';

const JOINS =
  /(?:^|[._:\-\s])(?:join|subscribe|watch|enter)(?:$|[._:\-\s])|^(?:join|subscribe|watch|enter)[A-Z_]/;

export default createRule({
  name: 'require-rejoin',
  only: /[sS]ocket[^]*emit\(/,
  about: 'react',
  docs: {
    description: 'Join again after each reconnect',
    area: 'client',
    severity: 'medium',
    why: 'A server forgets the rooms of a socket when its connection ends. After the next interruption the page is connected again, and hears nothing of the rooms that it had asked for.',
    remedy:
      'Ask in a listener of `connect`, which is called at the first connection and at each later one: `socket.on("connect", join)`.',
    recommended: true,
  },
  messages: {
    once: 'This is asked once: after a reconnect the server has forgotten it, and the page hears nothing. Ask again in a listener of "connect".',
  },
  create: (context) => ({
    CallExpression(node) {
      const call = methodCall(node);
      const event = stringOf(node.arguments[0]);
      if (!call || !/^(?:emit|emitWithAck)$/.test(call.name) || !event || !JOINS.test(event))
        return;
      if (!isSocket(context, call.object)) return;
      const effect = effectAround(node);
      if (!effect) return;
      // In the effect itself: what answers an event, `connect` above all, is asked whenever it comes.
      const [callback] = effect.arguments;
      if (ancestors(node).find(isFunction) !== callback) return;
      if (repeats(context, effect) || isRepeatedElsewhere(context, event)) return;
      context.report({ node, messageId: 'once' });
    },
  }),
});

function isSocket(context: Context, node: TSESTree.Node): boolean {
  const owner = unwrap(node);
  if (kindOf(context, owner) === 'client') return true;
  const name =
    owner.type === AST_NODE_TYPES.Identifier
      ? owner.name
      : owner.type === AST_NODE_TYPES.MemberExpression && 'name' in owner.property
        ? owner.property.name
        : '';
  return /socket$|^current$/i.test(name);
}

/** Another effect of the file asks for the same whenever the connection comes. */
function isRepeatedElsewhere(context: Context, event: string): boolean {
  const { text } = context.sourceCode;
  return /\.on\(\s*['"](?:re)?connect['"]/.test(text) && text.split(event).length > 2;
}

/** It listens to `connect` too, or runs again with the state of the connection. */
function repeats(context: Context, effect: TSESTree.CallExpression): boolean {
  const [callback, dependencies] = effect.arguments;
  const listens = (root: TSESTree.Node | undefined): boolean =>
    root !== undefined &&
    contains(context, root, (inner) => {
      const call = methodCall(inner);
      return (
        inner.type === AST_NODE_TYPES.CallExpression &&
        call !== undefined &&
        /^(?:on|once)$/.test(call.name) &&
        /^(?:connect|reconnect)$/.test(stringOf(inner.arguments[0]) ?? '')
      );
    });
  return (
    listens(callback) ||
    (dependencies !== undefined &&
      /connect|online|status|ready|epoch|attempt|socket_?id/i.test(
        context.sourceCode.getText(dependencies),
      ))
  );
}
