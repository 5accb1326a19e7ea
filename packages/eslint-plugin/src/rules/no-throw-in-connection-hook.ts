import { AST_NODE_TYPES } from '@typescript-eslint/utils';
import { ancestors, isFunction, isInside, keyName } from '../ast.js';
import { gatewayOf } from '../nest.js';
import { enclosingClass } from '../ast.js';
import { createRule, GATEWAY } from '../rule.js';

export default createRule({
  name: 'no-throw-in-connection-hook',
  only: GATEWAY,
  docs: {
    description: 'Do not throw in handleConnection or handleDisconnect',
    area: 'gateway',
    severity: 'high',
    why: 'No exception filter runs for these hooks. What they throw is an unhandled error that ends the process, so one client can end it for all.',
    remedy: 'Refuse a client in a middleware with `next(error)`; catch and log in the hooks.',
    cwe: 248,
    recommended: true,
  },
  messages: {
    thrown:
      'No filter catches what {{hook}} throws: it ends the process. Refuse in a middleware, or catch it here.',
  },
  create: (context) => ({
    ThrowStatement(node) {
      const outer = ancestors(node);
      const around = outer.findIndex(isFunction);
      const fn = outer[around];
      const method = outer[around + 1];
      if (!fn || method?.type !== AST_NODE_TYPES.MethodDefinition) return;
      const hook = keyName(method);
      if (hook !== 'handleConnection' && hook !== 'handleDisconnect') return;
      if (!gatewayOf(context, enclosingClass(node))) return;
      const isCaught = outer
        .slice(0, around)
        .some(
          (ancestor) =>
            ancestor.type === AST_NODE_TYPES.TryStatement &&
            ancestor.handler !== null &&
            isInside(node, ancestor.block),
        );
      if (!isCaught) context.report({ node, messageId: 'thrown', data: { hook } });
    },
  }),
});
