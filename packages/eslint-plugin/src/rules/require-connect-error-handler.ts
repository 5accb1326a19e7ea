import { AST_NODE_TYPES } from '@typescript-eslint/utils';
import type { TSESTree } from '@typescript-eslint/utils';
import { contains, methodCall, stringOf } from '../ast.js';
import { CLIENT, createRule } from '../rule.js';
import { isClientFactory, kindOf } from '../sockets.js';

export default createRule({
  name: 'require-connect-error-handler',
  only: CLIENT,
  docs: {
    description: 'Handle `connect_error`',
    area: 'client',
    severity: 'medium',
    why: 'When a middleware refuses the handshake the client does not try again by itself. Without a listener nobody learns of it, and an expired token leaves a page that waits for ever.',
    remedy:
      'Listen to `connect_error`: get a new token and connect again, or show that the user must sign in. Without `data` it is the network, and the client tries again.',
    recommended: true,
  },
  messages: {
    missing:
      'Nobody hears when the server refuses this connection, and the client does not try again by itself. Listen to "connect_error".',
  },
  create(context) {
    const made: TSESTree.CallExpression[] = [];
    let listens = false;
    let handles = false;
    return {
      CallExpression(node) {
        if (isClientFactory(context, node)) made.push(node);
        const call = methodCall(node);
        if (!call || !/^(?:on|once|onAny|addEventListener)$/.test(call.name)) return;
        if (
          call.name === 'onAny' ||
          /_?error|reconnect_failed/.test(stringOf(node.arguments[0]) ?? '')
        ) {
          handles = true;
        }
        // Events from a table or a constant may hold it.
        if (stringOf(node.arguments[0]) === undefined) handles ||= isClient(call.object);
        listens ||= isClient(call.object);
      },
      'Program:exit'() {
        if (!listens || handles) return;
        for (const node of made) context.report({ node, messageId: 'missing' });
      },
    };

    function isClient(object: TSESTree.Node): boolean {
      return (
        kindOf(context, object) === 'client' ||
        contains(
          context,
          object,
          (part) => part.type === AST_NODE_TYPES.Identifier && /socket/i.test(part.name),
        )
      );
    }
  },
});
