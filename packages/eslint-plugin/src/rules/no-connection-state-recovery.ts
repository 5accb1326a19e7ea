import { AST_NODE_TYPES } from '@typescript-eslint/utils';
import { keyName, removeEntry } from '../ast.js';
import { createRule } from '../rule.js';

export default createRule({
  name: 'no-connection-state-recovery',
  only: /connectionStateRecovery/,
  docs: {
    description: 'Leave connection state recovery off',
    area: 'server',
    severity: 'high',
    why: 'A client that comes back gets its missed events before a middleware looks at its token, and its old rooms whatever the new token says; by default the middlewares are skipped.',
    remedy:
      'Catch up in the application: after the connection is authenticated, the client asks for what came since the last event that it has.',
    cwe: 613,
    recommended: false,
  },
  fixable: 'code',
  messages: {
    recovery:
      'Missed events and rooms are restored before the token of the new connection is looked at. Leave it off.',
  },
  create: (context) => ({
    Property(node) {
      if (keyName(node) !== 'connectionStateRecovery') return;
      if (node.parent.type !== AST_NODE_TYPES.ObjectExpression) return;
      const { value } = node;
      const isOff =
        (value.type === AST_NODE_TYPES.Identifier && value.name === 'undefined') ||
        (value.type === AST_NODE_TYPES.Literal && !value.value);
      if (isOff) return;
      context.report({
        node,
        messageId: 'recovery',
        fix: (fixer) => removeEntry(context, fixer, node),
      });
    },
  }),
});
