import { AST_NODE_TYPES } from '@typescript-eslint/utils';
import type { TSESTree } from '@typescript-eslint/utils';
import {
  ancestors,
  calledName,
  memberName,
  methodCall,
  property,
  unwrap,
  variableOf,
} from './ast.js';
import type { Context } from './ast.js';

const SETTLES = /^(?:ack|nack|reject)$/;

/**
 * `channel.ack(message)` and its like, also by a service that is given the context; `ackAll` and `nackAll` are not of
 * one message.
 */
export function isSettlement(node: TSESTree.Node): node is TSESTree.CallExpression {
  const call = methodCall(node);
  if (!call || node.type !== AST_NODE_TYPES.CallExpression) return false;
  const [first] = node.arguments;
  if (
    first?.type === AST_NODE_TYPES.Identifier &&
    /^(?:ctx|(?:rmq)?context)$/i.test(first.name) &&
    /^(?:ack|acknowledge|nack|reject)(?:$|[A-Z])/.test(call.name)
  ) {
    return true;
  }
  if (!SETTLES.test(call.name)) return false;
  const owner = unwrap(call.object);
  const name =
    owner.type === AST_NODE_TYPES.Identifier
      ? owner.name
      : owner.type === AST_NODE_TYPES.MemberExpression
        ? (memberName(owner) ?? '')
        : owner.type === AST_NODE_TYPES.CallExpression
          ? calledName(owner)
          : '';
  return /chan|^ch$|getChannelRef|amqp|rmq|rabbit/i.test(name);
}

/** The options of a RabbitMQ microservice that is booted, and of its queue. */
export function rmqOptions(
  context: Context,
  node: TSESTree.ObjectExpression,
): TSESTree.ObjectExpression | undefined {
  const transport = property(node, 'transport')?.value;
  if (transport?.type !== AST_NODE_TYPES.MemberExpression || memberName(transport) !== 'RMQ') {
    return undefined;
  }
  const options = property(node, 'options')?.value;
  if (options?.type !== AST_NODE_TYPES.ObjectExpression) return undefined;
  // A client of the broker consumes nothing but replies.
  const isClient = ancestors(node).some(
    (ancestor) =>
      (ancestor.type === AST_NODE_TYPES.CallExpression &&
        /ClientsModule|ClientProxyFactory|^Client$/.test(
          context.sourceCode.getText(ancestor.callee),
        )) ||
      (ancestor.type === AST_NODE_TYPES.Property &&
        'name' in ancestor.key &&
        // Clients are registered by factories, microservices are not.
        ['clients', 'useFactory'].includes(ancestor.key.name as string)),
  );
  if (isClient || property(node, 'name') || isGivenToClient(context, node)) return undefined;
  return options;
}

/** `const options: RmqOptions = {...}` that a client is made of: what consumes its replies must not settle them. */
function isGivenToClient(context: Context, node: TSESTree.ObjectExpression): boolean {
  const declarator = ancestors(node).find(
    (ancestor): ancestor is TSESTree.VariableDeclarator =>
      ancestor.type === AST_NODE_TYPES.VariableDeclarator,
  );
  if (!declarator || declarator.id.type !== AST_NODE_TYPES.Identifier) return false;
  if (declarator.init && unwrap(declarator.init) !== node) return false;
  const references = variableOf(context, declarator.id)?.references ?? [];
  return references.some(({ identifier }) =>
    ancestors(identifier).some(
      (ancestor) =>
        (ancestor.type === AST_NODE_TYPES.CallExpression ||
          ancestor.type === AST_NODE_TYPES.NewExpression) &&
        /ClientsModule|Client(?:Proxy)?Factory|^Client|RMQ$/.test(
          context.sourceCode.getText(ancestor.callee),
        ),
    ),
  );
}

export function isBoolean(node: TSESTree.Node | undefined, value: boolean): boolean {
  return node?.type === AST_NODE_TYPES.Literal && node.value === value;
}
