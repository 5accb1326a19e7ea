import { AST_NODE_TYPES } from '@typescript-eslint/utils';
import type { TSESTree } from '@typescript-eslint/utils';
import { ancestors, calledName, enclosingClass, methodCall, property, stringOf } from './ast.js';
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

/** Whether the CORS rules of a server decide who may talk to it: not beside `allowRequest`, nor without polling. */
export function corsDecides(context: Context, node: TSESTree.ObjectExpression): boolean {
  if (property(node, 'allowRequest')) return false;
  const { hasAllowRequest, isWebsocketOnly } = projectOf(context)?.facts ?? {};
  if (hasAllowRequest || isWebsocketOnly) return false;
  const transports = property(node, 'transports')?.value;
  return !(
    transports?.type === AST_NODE_TYPES.ArrayExpression &&
    transports.elements.length > 0 &&
    transports.elements.every((element) => stringOf(element) === 'websocket')
  );
}

/** Gateways of one server that ask for the same have one cause: it is told of the first of them. */
export function isToldElsewhere(context: Context, node: TSESTree.ObjectExpression): boolean {
  if (node.parent.parent?.type !== AST_NODE_TYPES.Decorator) return false;
  const project = projectOf(context);
  const owner = enclosingClass(node);
  const own = owner && project?.facts.gateways.get(project.tsNode(owner) as never);
  if (!own || !project) return false;
  const [first] = [...project.facts.gateways.values()].filter(
    ({ port, options }) => port === own.port && options === own.options,
  );
  return first !== own;
}
