import { AST_NODE_TYPES } from '@typescript-eslint/utils';
import type { TSESTree } from '@typescript-eslint/utils';
import { calledName, isFunction, walk } from '../ast.js';
import type { Context } from '../ast.js';
import { isSettlement } from '../amqp.js';
import { BROKER, createRule } from '../rule.js';

export default createRule({
  name: 'no-double-ack',
  only: BROKER,
  docs: {
    description: 'Settle each message once',
    area: 'broker',
    severity: 'high',
    why: 'A second ack, nack or reject of one message is a channel error (406): RabbitMQ closes the channel, Nest drops the connection, and everything in hand is delivered again.',
    remedy:
      'Settle as the last step of each path: `ack` at the end of try, `nack` in catch, none in finally.',
    recommended: false,
  },
  messages: {
    sequence: 'This message is settled already on this path: RabbitMQ closes the channel (406).',
    finally:
      'The finally block settles what try or catch has settled: RabbitMQ closes the channel (406).',
    after:
      'When this throws, the catch settles a message that is settled already. Make the ack the last step of try.',
  },
  create: (context) => ({
    BlockStatement(node) {
      const settled = new Set<string>();
      for (const statement of node.body) {
        const call = settlementOf(statement);
        if (!call) continue;
        const message = messageOf(context, call);
        if (settled.has(message)) context.report({ node: call, messageId: 'sequence' });
        settled.add(message);
      }
    },
    TryStatement(node) {
      const inBlock = own(node.block);
      const inCatch = node.handler ? own(node.handler.body) : [];
      const inFinally = node.finalizer ? own(node.finalizer) : [];
      const isSame = (left: TSESTree.CallExpression, right: TSESTree.CallExpression): boolean =>
        messageOf(context, left) === messageOf(context, right);
      for (const call of inFinally) {
        if ([...inBlock, ...inCatch].some((other) => isSame(call, other))) {
          context.report({ node: call, messageId: 'finally' });
        }
      }
      const index = node.block.body.findIndex((statement) => settlementOf(statement));
      const settled = node.block.body[index];
      const call = settled && settlementOf(settled);
      if (!call || !inCatch.some((other) => isSame(call, other))) return;
      const risk = node.block.body
        .slice(index + 1)
        .find((statement) => canThrow(context, statement));
      if (risk) context.report({ node: risk, messageId: 'after' });
    },
  }),
});

function settlementOf(statement: TSESTree.Statement): TSESTree.CallExpression | undefined {
  return statement.type === AST_NODE_TYPES.ExpressionStatement && isSettlement(statement.expression)
    ? statement.expression
    : undefined;
}

/** Settlements that a block reaches in any case: not under a condition, nor in a function. */
function own(block: TSESTree.BlockStatement): TSESTree.CallExpression[] {
  return block.body.flatMap((statement) => settlementOf(statement) ?? []);
}

function messageOf(context: Context, call: TSESTree.CallExpression): string {
  return call.arguments[0] ? context.sourceCode.getText(call.arguments[0]) : '';
}

function canThrow(context: Context, statement: TSESTree.Statement): boolean {
  let found = false;
  walk(context, statement, (node) => {
    if (isFunction(node)) return false;
    if (
      node.type === AST_NODE_TYPES.AwaitExpression ||
      node.type === AST_NODE_TYPES.ThrowStatement
    ) {
      found = true;
    }
    if (node.type !== AST_NODE_TYPES.CallExpression) return true;
    if (/^(?:log|info|debug|warn|error|verbose)$/.test(calledName(node))) return false;
    found = true;
    return true;
  });
  return found;
}
