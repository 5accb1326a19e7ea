import { AST_NODE_TYPES } from '@typescript-eslint/utils';
import { ancestors, calledName, isFunction } from '../ast.js';
import { isComponentOrHook } from '../react.js';
import { CLIENT, createRule } from '../rule.js';
import { isClientFactory } from '../sockets.js';

export default createRule({
  name: 'no-socket-in-render',
  only: CLIENT,
  about: 'react',
  docs: {
    description: 'Do not create a socket while a component renders',
    area: 'client',
    severity: 'high',
    why: 'A component renders again at each change, twice under StrictMode, and on the server: each time another connection is opened, and none is closed.',
    remedy:
      'Create it in an effect that also disconnects it, or once in a module that components share.',
    recommended: true,
  },
  messages: {
    render:
      'Each render opens another connection. Create the socket in an effect with a cleanup, or outside of the component.',
    initial:
      'This runs at each render, although only the first result is kept: every other one is a connection that nobody closes.',
  },
  create: (context) => ({
    CallExpression(node) {
      if (!isClientFactory(context, node)) return;
      const outer = ancestors(node);
      const index = outer.findIndex(isFunction);
      if (!isComponentOrHook(outer[index])) return;
      const between = outer.slice(0, index);
      // `ref.current ??= io()` and `if (!ref.current)` run once.
      const isOnce = between.some(
        (ancestor) =>
          ancestor.type === AST_NODE_TYPES.IfStatement ||
          ancestor.type === AST_NODE_TYPES.LogicalExpression ||
          ancestor.type === AST_NODE_TYPES.ConditionalExpression ||
          (ancestor.type === AST_NODE_TYPES.AssignmentExpression && ancestor.operator === '??='),
      );
      if (isOnce) return;
      const isInitial = between.some(
        (ancestor) =>
          ancestor.type === AST_NODE_TYPES.CallExpression &&
          /^use(?:Ref|State)$/.test(calledName(ancestor)),
      );
      context.report({ node, messageId: isInitial ? 'initial' : 'render' });
    },
  }),
});
