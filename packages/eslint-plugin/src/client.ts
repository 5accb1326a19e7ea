import { AST_NODE_TYPES } from '@typescript-eslint/utils';
import type { TSESTree } from '@typescript-eslint/utils';
import { initializerOf, unwrap } from './ast.js';
import type { Context } from './ast.js';
import { importOf } from './imports.js';
import { isClientFactory } from './sockets.js';

/** `io(url, options)` and `new Manager(url, options)`, with the options where they are written here. */
export function clientOptions(
  context: Context,
  node: TSESTree.CallExpression | TSESTree.NewExpression,
): { url: TSESTree.Node | undefined; options: TSESTree.ObjectExpression | undefined } | undefined {
  const isManager =
    node.type === AST_NODE_TYPES.NewExpression &&
    importOf(context, node.callee)?.source === 'socket.io-client';
  if (
    !isManager &&
    !(node.type === AST_NODE_TYPES.CallExpression && isClientFactory(context, node))
  ) {
    return undefined;
  }
  const [first, second] = node.arguments.map((argument) => {
    const value = unwrap(argument);
    return initializerOf(context, value) ?? value;
  });
  if (first?.type === AST_NODE_TYPES.ObjectExpression) return { url: undefined, options: first };
  return {
    url: first,
    options: second?.type === AST_NODE_TYPES.ObjectExpression ? second : undefined,
  };
}
