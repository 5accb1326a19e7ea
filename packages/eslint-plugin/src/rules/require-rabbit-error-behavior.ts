import { AST_NODE_TYPES } from '@typescript-eslint/utils';
import type { TSESTree } from '@typescript-eslint/utils';
import { isOpen, memberName, property, unwrap } from '../ast.js';
import type { Context } from '../ast.js';
import { importOf } from '../imports.js';
import { projectOf } from '../project.js';
import { createRule } from '../rule.js';

const KEYS = ['errorBehavior', 'errorHandler'];

export default createRule({
  name: 'require-rabbit-error-behavior',
  only: /@golevelup\/nestjs-rabbitmq/,
  docs: {
    description: 'Say what becomes of a message whose @RabbitSubscribe handler fails',
    area: 'broker',
    severity: 'high',
    why: 'By default @golevelup/nestjs-rabbitmq puts a failed message back into its queue: one that always fails goes round for ever, as fast as a core can. Without a dead-letter exchange what is rejected instead is gone.',
    remedy:
      'Set `errorBehavior: MessageHandlerErrorBehavior.NACK`, or `defaultSubscribeErrorBehavior` once, and give the queue a `deadLetterExchange`.',
    cwe: 835,
    recommended: true,
    usesProject: true,
  },
  messages: {
    requeue:
      'A message whose handler fails is put back and comes again at once, for ever. Set errorBehavior to NACK, and give the queue a deadLetterExchange.',
    chosen:
      'A message that always fails goes round for ever. Set NACK, with a dead-letter exchange.',
    deadLetter:
      'What fails here is dropped: the queue has no dead-letter exchange. Name one in queueOptions.deadLetterExchange.',
  },
  create: (context) => ({
    Decorator(node) {
      const { expression } = node;
      if (expression.type !== AST_NODE_TYPES.CallExpression) return;
      const imported = importOf(context, expression.callee);
      if (imported?.source !== '@golevelup/nestjs-rabbitmq') return;
      if (!/^Rabbit(?:Subscribe|RPC)$/.test(imported.name)) return;
      const [options] = expression.arguments;
      if (options?.type !== AST_NODE_TYPES.ObjectExpression || isOpen(options)) return;
      if (catchesAll(node.parent)) return;
      const facts = projectOf(context)?.facts;
      const own = KEYS.map((key) => property(options, key)).find((entry) => entry);
      const behavior = own ? behaviorOf(own.value) : facts?.rabbitBehavior;
      if (!own && facts?.rabbitBehavior === undefined) {
        // RPC answers the error, and acknowledges.
        if (imported.name === 'RabbitSubscribe') {
          context.report({ node: expression.callee, messageId: 'requeue' });
        }
        return;
      }
      if (behavior === 'REQUEUE' && own) context.report({ node: own, messageId: 'chosen' });
      if (behavior !== 'NACK' || !property(options, 'queue')) return;
      const queueOptions = property(options, 'queueOptions')?.value;
      if (queueOptions && queueOptions.type !== AST_NODE_TYPES.ObjectExpression) return;
      if (queueOptions && isOpen(queueOptions)) return;
      if (!queueOptions || !namesDeadLetter(context, queueOptions)) {
        context.report({ node: queueOptions ?? expression.callee, messageId: 'deadLetter' });
      }
    },
  }),
});

/** `MessageHandlerErrorBehavior.NACK` */
function behaviorOf(node: TSESTree.Node): string | undefined {
  const value = unwrap(node);
  return value.type === AST_NODE_TYPES.MemberExpression ? memberName(value) : undefined;
}

function namesDeadLetter(context: Context, node: TSESTree.Node): boolean {
  return /dead-?letter/i.test(context.sourceCode.getText(node));
}

/** The whole handler is a try that settles or swallows: nothing reaches the library. */
function catchesAll(method: TSESTree.Node): boolean {
  if (method.type !== AST_NODE_TYPES.MethodDefinition) return true;
  const statements = method.value.body?.body ?? [];
  const rest = statements.filter(({ type }) => type !== AST_NODE_TYPES.VariableDeclaration);
  const attempt = rest.find(
    (statement): statement is TSESTree.TryStatement =>
      statement.type === AST_NODE_TYPES.TryStatement,
  );
  if (!attempt?.handler) return false;
  const { body } = attempt.handler.body;
  return !body.some(({ type }) => type === AST_NODE_TYPES.ThrowStatement);
}
