import { AST_NODE_TYPES } from '@typescript-eslint/utils';
import type { TSESTree } from '@typescript-eslint/utils';
import { methodCall } from '../ast.js';
import type { Context } from '../ast.js';
import { isBoolean, isSettlement } from '../amqp.js';
import { importOf } from '../imports.js';
import { projectOf } from '../project.js';
import { BROKER, createRule } from '../rule.js';

export default createRule({
  name: 'no-requeue-on-error',
  only: BROKER,
  docs: {
    description: 'Do not put a message that failed back into its queue',
    area: 'broker',
    severity: 'high',
    why: 'A requeued message is delivered again at once. One that always fails goes round for ever and keeps a core busy; from RabbitMQ 4.3 on `nack` does not count toward a delivery limit either.',
    remedy:
      'Dead-letter it: `nack(message, false, false)`. To retry, use `reject(message, true)` on a quorum queue with `x-delivery-limit`.',
    cwe: 835,
    recommended: true,
    usesProject: true,
  },
  hasSuggestions: true,
  messages: {
    requeue:
      'A message that always fails goes round for ever. Dead-letter it: nack(message, false, false).',
    deadLetter: 'Dead-letter the message (needs a dead-letter exchange)',
  },
  create: (context) => ({
    CallExpression(node) {
      if (!isSettlement(node)) return;
      const { name, property } = methodCall(node) ?? {};
      if (name === 'ack' || !property) return;
      const [message, second, third] = node.arguments;
      const requeue = name === 'nack' ? third : second;
      if (requeue && !isBoolean(requeue, true)) return;
      if (name === 'reject') {
        const facts = projectOf(context)?.facts;
        if (facts?.hasDeliveryLimit || context.sourceCode.text.includes('x-delivery-limit')) return;
      }
      if (isLimited(context, node)) return;
      context.report({
        node,
        messageId: 'requeue',
        suggest: message
          ? [
              {
                messageId: 'deadLetter',
                fix: (fixer) => {
                  const text = context.sourceCode.getText(message);
                  const end = node.range[1];
                  return fixer.replaceTextRange(
                    [property.range[0], end],
                    `nack(${text}, false, false)`,
                  );
                },
              },
            ]
          : [],
      });
    },
    NewExpression(node) {
      const imported = importOf(context, node.callee);
      if (imported?.source !== '@golevelup/nestjs-rabbitmq' || imported.name !== 'Nack') return;
      if (!isBoolean(node.arguments[0], true) || isLimited(context, node)) return;
      context.report({ node, messageId: 'requeue' });
    },
  }),
});

/** What a condition asks that ends the retries: how often, or what kind of failure it is. */
const LIMIT =
  /attempt|retr(?:y|ies|i)|deliver|death|count|limit|max|transient|temporar|instanceof|recover|\.(?:code|status|name)\b|isClosed|[<>]/i;

/** Under a condition: on a count of attempts, or on what kind of failure it is. */
function isLimited(context: Context, node: TSESTree.Node): boolean {
  for (let current = node; current.parent; current = current.parent) {
    const { parent } = current;
    if (
      parent.type === AST_NODE_TYPES.CatchClause ||
      parent.type === AST_NODE_TYPES.MethodDefinition
    ) {
      return false;
    }
    if (
      (parent.type === AST_NODE_TYPES.IfStatement ||
        parent.type === AST_NODE_TYPES.ConditionalExpression) &&
      parent.test !== current &&
      LIMIT.test(context.sourceCode.getText(parent.test))
    ) {
      return true;
    }
    if (
      parent.type === AST_NODE_TYPES.BlockStatement &&
      parent.body
        .slice(0, parent.body.indexOf(current as TSESTree.Statement))
        .some(
          (statement) =>
            statement.type === AST_NODE_TYPES.IfStatement &&
            LIMIT.test(context.sourceCode.getText(statement.test)),
        )
    ) {
      return true;
    }
  }
  return false;
}
