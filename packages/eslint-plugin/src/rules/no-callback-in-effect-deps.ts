import { AST_NODE_TYPES } from '@typescript-eslint/utils';
import type { TSESTree } from '@typescript-eslint/utils';
import {
  ancestors,
  calledName,
  contains,
  isFunction,
  methodCall,
  unwrap,
  variableOf,
} from '../ast.js';
import type { Context } from '../ast.js';
import { isComponentOrHook, isEffect } from '../react.js';
import { CLIENT, createRule } from '../rule.js';
import { isClientFactory } from '../sockets.js';

const CALLBACK = /^(?:on[A-Z]\w*|handle[A-Z]\w*|callback|cb|handler|listener)$/;

export default createRule({
  name: 'no-callback-in-effect-deps',
  only: CLIENT,
  docs: {
    description: 'Keep callbacks out of the dependencies of the effect that connects',
    area: 'client',
    severity: 'medium',
    why: 'A callback, object or list that is made in render is new each time: the effect runs again, and the connection is closed and opened at each render.',
    remedy:
      'Keep the latest callback in a ref, or use useEffectEvent, and let the effect depend on what the connection is made of.',
    recommended: true,
  },
  messages: {
    parameter:
      '{{name}} comes from the caller, who makes a new one at each render: each render reconnects. Keep the latest one in a ref.',
    local:
      '{{name}} is new at each render: each render reconnects. Keep it in a ref, or make it in the effect.',
  },
  create: (context) => ({
    CallExpression(node) {
      if (!isEffect(node)) return;
      const [callback, dependencies] = node.arguments;
      if (!callback || dependencies?.type !== AST_NODE_TYPES.ArrayExpression) return;
      const connects = contains(
        context,
        callback,
        (inner) => inner.type === AST_NODE_TYPES.CallExpression && isClientFactory(context, inner),
      );
      if (!connects) return;
      for (const element of dependencies.elements) {
        if (!element) continue;
        const found = unstable(context, element);
        if (found) context.report({ node: element, ...found });
      }
    },
  }),
});

function unstable(
  context: Context,
  element: TSESTree.Node,
): { messageId: 'parameter' | 'local'; data: { name: string } } | undefined {
  const value = unwrap(element);
  const data = { name: context.sourceCode.getText(element) };
  if (value.type === AST_NODE_TYPES.MemberExpression) {
    // `props.onMessage`
    const name = 'name' in value.property ? value.property.name : '';
    const owner = value.object;
    if (owner.type !== AST_NODE_TYPES.Identifier || !CALLBACK.test(name)) return undefined;
    return isOfComponent(context, owner) ? { messageId: 'parameter', data } : undefined;
  }
  if (value.type !== AST_NODE_TYPES.Identifier) return undefined;
  const definition = variableOf(context, value)?.defs[0];
  if (!definition) return undefined;
  if (definition.type === 'Parameter') {
    return CALLBACK.test(value.name) && isOfComponent(context, value)
      ? { messageId: 'parameter', data }
      : undefined;
  }
  // Declared in the component itself, so made anew by each render.
  if (!ancestors(definition.node).some((ancestor) => isComponentOrHook(ancestor))) return undefined;
  if (definition.node.type === AST_NODE_TYPES.FunctionDeclaration)
    return { messageId: 'local', data };
  if (definition.node.type !== AST_NODE_TYPES.VariableDeclarator) return undefined;
  const { init, id } = definition.node;
  if (id.type !== AST_NODE_TYPES.Identifier || !init) return undefined;
  const made = unwrap(init);
  const isNew =
    isFunction(made) ||
    made.type === AST_NODE_TYPES.ObjectExpression ||
    made.type === AST_NODE_TYPES.ArrayExpression ||
    (methodCall(made) !== undefined &&
      /^(?:map|filter|slice|concat)$/.test(calledName(made as TSESTree.CallExpression)));
  return isNew ? { messageId: 'local', data } : undefined;
}

function isOfComponent(context: Context, node: TSESTree.Identifier): boolean {
  const definition = variableOf(context, node)?.defs[0];
  return definition?.type === 'Parameter' && isComponentOrHook(definition.node as TSESTree.Node);
}
