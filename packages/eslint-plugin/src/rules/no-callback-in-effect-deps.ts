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
  about: 'react',
  docs: {
    description: 'Keep callbacks out of the dependencies of the effect that connects',
    area: 'client',
    severity: 'medium',
    why: 'A callback, object or list that is made in render is new each time: the effect runs again, and the connection is closed and opened at each render.',
    remedy:
      'Keep the latest callback in a ref, or use useEffectEvent, and let the effect depend on what the connection is made of.',
    recommended: false,
  },
  messages: {
    through:
      '{{name}} is new whenever {{cause}} is, which is at each render: each render reconnects. Keep the latest {{cause}} in a ref.',
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
      if (!connects(context, callback)) return;
      for (const element of dependencies.elements) {
        if (!element) continue;
        const found = unstable(context, element);
        if (found) context.report({ node: element, ...found });
      }
    },
  }),
});

/** It makes a socket, itself or by a function of the component that it calls. */
function connects(context: Context, root: TSESTree.Node, seen = new Set<TSESTree.Node>()): boolean {
  return contains(context, root, (inner) => {
    if (inner.type !== AST_NODE_TYPES.CallExpression) return false;
    if (isClientFactory(context, inner)) return true;
    const { callee } = inner;
    const called = callee.type === AST_NODE_TYPES.Identifier ? bodyOf(context, callee) : undefined;
    if (!called || seen.has(called)) return false;
    seen.add(called);
    return connects(context, called, seen);
  });
}

/** The function that a name of the component stands for, also inside of `useCallback`. */
function bodyOf(context: Context, node: TSESTree.Identifier): TSESTree.Node | undefined {
  const definition = variableOf(context, node)?.defs[0]?.node;
  if (!definition || !ancestors(definition).some((outer) => isComponentOrHook(outer))) {
    return undefined;
  }
  if (definition.type === AST_NODE_TYPES.FunctionDeclaration) return definition;
  if (definition.type !== AST_NODE_TYPES.VariableDeclarator || !definition.init) return undefined;
  const made = unwrap(definition.init);
  if (isFunction(made)) return made;
  return isCallback(made) ? made.arguments[0] : undefined;
}

function isCallback(node: TSESTree.Node): node is TSESTree.CallExpression {
  return (
    node.type === AST_NODE_TYPES.CallExpression && /^use(?:Callback|Memo)$/.test(calledName(node))
  );
}

function unstable(
  context: Context,
  element: TSESTree.Node,
  seen = new Set<TSESTree.Node>(),
):
  | { messageId: 'parameter' | 'local' | 'through'; data: { name: string; cause?: string } }
  | undefined {
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
  // As stable as what it depends on.
  if (isCallback(made)) {
    const [, dependencies] = made.arguments;
    if (dependencies?.type !== AST_NODE_TYPES.ArrayExpression || seen.has(made)) return undefined;
    seen.add(made);
    const cause = dependencies.elements
      .map((dependency) => dependency && unstable(context, dependency, seen))
      .find((found) => found);
    return cause ? { messageId: 'through', data: { ...data, cause: cause.data.name } } : undefined;
  }
  const isNew =
    isFunction(made) ||
    made.type === AST_NODE_TYPES.ObjectExpression ||
    made.type === AST_NODE_TYPES.ArrayExpression ||
    (methodCall(made) !== undefined &&
      /^(?:map|filter|slice|concat)$/.test(methodCall(made)?.name ?? ''));
  return isNew ? { messageId: 'local', data } : undefined;
}

function isOfComponent(context: Context, node: TSESTree.Identifier): boolean {
  const definition = variableOf(context, node)?.defs[0];
  return definition?.type === 'Parameter' && isComponentOrHook(definition.node as TSESTree.Node);
}
