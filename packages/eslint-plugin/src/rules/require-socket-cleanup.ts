import { AST_NODE_TYPES } from '@typescript-eslint/utils';
import type { TSESTree } from '@typescript-eslint/utils';
import { ancestors, calledName, contains, isFunction, variableOf } from '../ast.js';
import type { Context, FunctionNode } from '../ast.js';
import { cleanupsOf, componentAround, effectAround, isEffect } from '../react.js';
import { CLIENT, createRule } from '../rule.js';
import { isClientFactory } from '../sockets.js';

const CLOSES =
  /^(?:disconnect|close)$|disconnect|cleanup|clean[A-Z]|teardown|destroy|dispose|release/i;

export default createRule({
  name: 'require-socket-cleanup',
  only: CLIENT,
  about: 'react',
  docs: {
    description: 'Disconnect in the cleanup the socket that an effect creates',
    area: 'client',
    severity: 'high',
    why: "A socket that nobody disconnects stays when its component goes: each mount, and StrictMode's second one, leaves a connection more, and every event arrives once for each.",
    remedy: 'Return a cleanup from the effect: `return () => { socket.disconnect(); }`.',
    cwe: 772,
    recommended: true,
  },
  messages: {
    missing:
      'Nothing disconnects this socket when the component goes. Return a cleanup from the effect that calls disconnect().',
  },
  create: (context) => ({
    CallExpression(node) {
      if (!isClientFactory(context, node)) return;
      const component = componentAround(node);
      if (!component || !isCreatedByReact(node, component)) return;
      // Whoever gets it from here disconnects it, or nobody can tell.
      if (isHandedOut(context, node)) return;
      if (!isClosed(context, component)) context.report({ node, messageId: 'missing' });
    },
  }),
});

/** In an effect, a memo or a state, and not in what answers an event of the user. */
function isCreatedByReact(node: TSESTree.Node, component: FunctionNode): boolean {
  if (effectAround(node)) return true;
  for (const ancestor of ancestors(node)) {
    if (ancestor === component) return false;
    const { parent } = ancestor;
    if (
      isFunction(ancestor) &&
      parent?.type === AST_NODE_TYPES.CallExpression &&
      /^use(?:Memo|State)$/.test(calledName(parent))
    ) {
      return true;
    }
  }
  return false;
}

/** Returned to who asked for it, or kept in a variable of the module, which outlives components on purpose. */
function isHandedOut(context: Context, node: TSESTree.CallExpression): boolean {
  const { parent } = node;
  if (parent.type === AST_NODE_TYPES.ReturnStatement) {
    return !ancestors(node).some((ancestor) => isEffect(ancestor));
  }
  return (
    parent.type === AST_NODE_TYPES.AssignmentExpression &&
    parent.left.type === AST_NODE_TYPES.Identifier &&
    /^(?:module|global)$/.test(variableOf(context, parent.left)?.scope.type ?? '')
  );
}

function isClosed(context: Context, component: FunctionNode): boolean {
  return contains(
    context,
    component,
    (node) =>
      isEffect(node) &&
      cleanupsOf(context, node).some(
        (cleanup) =>
          // A cleanup that is made elsewhere is not judged.
          !isFunction(cleanup) ||
          contains(
            context,
            cleanup,
            (inner) =>
              inner.type === AST_NODE_TYPES.CallExpression && CLOSES.test(calledName(inner)),
          ),
      ),
  );
}
