import { AST_NODE_TYPES } from '@typescript-eslint/utils';
import type { TSESTree } from '@typescript-eslint/utils';
import { ancestors, calledName, methodCall } from './ast.js';
import type { Context } from './ast.js';
import { importOf } from './imports.js';
import { decorator } from './nest.js';
import { projectOf } from './project.js';

/**
 * Whether an object literal is the options of a Socket.IO server: of a gateway's decorator, `new Server()`, or what an
 * adapter passes to `createIOServer`.
 */
export function isServerOptions(context: Context, node: TSESTree.ObjectExpression): boolean {
  const { parent } = node;
  if (parent.type === AST_NODE_TYPES.NewExpression) {
    return importOf(context, parent.callee)?.source === 'socket.io';
  }
  if (parent.type === AST_NODE_TYPES.CallExpression) {
    if (parent.parent.type === AST_NODE_TYPES.Decorator) {
      const isOfGateway = isGatewayDecorator(context, parent.parent);
      return isOfGateway && !projectOf(context)?.facts.usesWs;
    }
    return methodCall(parent)?.name === 'createIOServer';
  }
  // `const options: ServerOptions = {...}` and `{...} as ServerOptions` in an adapter.
  return ancestors(node)
    .slice(0, 3)
    .some((ancestor) => {
      const declared =
        ancestor.type === AST_NODE_TYPES.VariableDeclarator
          ? ancestor.id
          : ancestor.type === AST_NODE_TYPES.TSAsExpression
            ? ancestor
            : undefined;
      return (
        declared !== undefined && /\bServerOptions\b/.test(context.sourceCode.getText(declared))
      );
    });
}

export function isGatewayDecorator(context: Context, node: TSESTree.Decorator): boolean {
  return (
    node.expression.type === AST_NODE_TYPES.CallExpression &&
    calledName(node.expression) !== '' &&
    decorator(context, node.parent, 'WebSocketGateway')?.node === node
  );
}
