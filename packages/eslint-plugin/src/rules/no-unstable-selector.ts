import { AST_NODE_TYPES } from '@typescript-eslint/utils';
import type { TSESTree } from '@typescript-eslint/utils';
import { calledName, initializerOf, isFunction, methodCall, unwrap } from '../ast.js';
import type { Context } from '../ast.js';
import { importOf } from '../imports.js';
import { majorOf } from '../libraries.js';
import { projectOf } from '../project.js';
import { createRule } from '../rule.js';

export default createRule({
  name: 'no-unstable-selector',
  only: /\buse\w*Store\b|['"]zustand/,
  docs: {
    description: 'Let a selector of a store return what is in the store',
    area: 'client',
    severity: 'medium',
    why: 'A selector that returns a new array or object returns another value each time: Zustand 5 throws "Maximum update depth exceeded", and older ones render at every change of the store.',
    remedy:
      'Select the list itself and derive with useMemo, take a constant for an empty one, or wrap a flat result in useShallow.',
    recommended: true,
  },
  messages: {
    renders:
      'This is new at every call, so the component renders at every change of the store. Select what is in the store and derive with useMemo, or give an equality function.',
    fresh:
      'This is new at every call, so Zustand 5 renders for ever. Select what is in the store and derive with useMemo, or use useShallow for a flat result.',
    empty:
      'The fallback is new at every call, so Zustand 5 renders for ever. Use one constant for the empty value.',
  },
  create: (context) => ({
    CallExpression(node) {
      const selector = selectorOf(context, node);
      if (!selector || !isFunction(selector)) return;
      if (hasOwnEquality(context, node.callee)) return;
      const isOld = (majorOf(context, 'zustand') ?? 5) < 5;
      for (const result of results(selector)) {
        const fault = faultOf(result);
        if (fault) context.report({ node: result, messageId: isOld ? 'renders' : fault });
      }
    },
  }),
});

/** The selector of `useXStore(selector)` and `useStore(store, selector)`; none with an equality function. */
function selectorOf(context: Context, node: TSESTree.CallExpression): TSESTree.Node | undefined {
  if (node.callee.type !== AST_NODE_TYPES.Identifier) return undefined;
  const imported = importOf(context, node.callee);
  const isUseStore = imported?.source === 'zustand' && imported.name === 'useStore';
  const position = isUseStore ? 1 : 0;
  if (node.arguments.length !== position + 1) return undefined;
  if (!isUseStore && !isStoreHook(context, node.callee)) return undefined;
  const selector = node.arguments[position];
  if (!selector) return undefined;
  const value = unwrap(selector);
  return initializerOf(context, value) ?? value;
}

/** Made by `create` of zustand here, or imported under the usual name from a file of the host. */
function isStoreHook(context: Context, callee: TSESTree.Identifier): boolean {
  const made = initializerOf(context, callee);
  if (made) {
    let call: TSESTree.Node = made;
    // `create<State>()(...)`
    while (
      call.type === AST_NODE_TYPES.CallExpression &&
      call.callee.type === AST_NODE_TYPES.CallExpression
    ) {
      call = call.callee;
    }
    return (
      call.type === AST_NODE_TYPES.CallExpression &&
      /^zustand(?:$|\/)/.test(importOf(context, call.callee)?.source ?? '')
    );
  }
  if (!/^use[A-Z]\w*Store$/.test(callee.name)) return false;
  const imported = importOf(context, callee);
  return (
    imported !== undefined &&
    /^(?:[.@~]|src\/)/.test(imported.source) &&
    !/redux|pinia/.test(imported.source)
  );
}

/** Made with an equality function, here or in the file that it comes from. */
function hasOwnEquality(context: Context, callee: TSESTree.Node): boolean {
  if (callee.type !== AST_NODE_TYPES.Identifier) return false;
  const made = initializerOf(context, callee);
  const text = made ? context.sourceCode.getText(made) : (projectOf(context)?.textOf(callee) ?? '');
  return /createWithEqualityFn|useStoreWithEqualityFn/.test(text);
}

function results(selector: TSESTree.Node): TSESTree.Node[] {
  if (!isFunction(selector) || selector.params.length === 0) return [];
  const { body } = selector;
  if (body.type !== AST_NODE_TYPES.BlockStatement) return [unwrap(body)];
  return body.body.flatMap((statement) =>
    statement.type === AST_NODE_TYPES.ReturnStatement && statement.argument
      ? [unwrap(statement.argument)]
      : [],
  );
}

function faultOf(node: TSESTree.Node): 'fresh' | 'empty' | undefined {
  if (isLiteral(node)) return 'fresh';
  switch (node.type) {
    case AST_NODE_TYPES.LogicalExpression:
      return isLiteral(unwrap(node.right)) ? 'empty' : undefined;
    case AST_NODE_TYPES.ConditionalExpression:
      return [node.consequent, node.alternate].some((branch) => isLiteral(unwrap(branch)))
        ? 'empty'
        : undefined;
    case AST_NODE_TYPES.CallExpression: {
      const call = methodCall(node);
      if (!call) return undefined;
      const { object } = call;
      const isObject = object.type === AST_NODE_TYPES.Identifier && object.name === 'Object';
      if (isObject)
        return /^(?:keys|values|entries|fromEntries|assign)$/.test(call.name) ? 'fresh' : undefined;
      const isCopy = /^(?:map|filter|flatMap|toSorted|toReversed|toSpliced)$/.test(
        calledName(node),
      );
      // `list.filter(...).length` is a number; `slice` also exists on strings.
      return isCopy ? 'fresh' : undefined;
    }
    default:
      return undefined;
  }
}

function isLiteral(node: TSESTree.Node): boolean {
  return (
    node.type === AST_NODE_TYPES.ObjectExpression ||
    node.type === AST_NODE_TYPES.ArrayExpression ||
    isFunction(node)
  );
}
