import { AST_NODE_TYPES } from '@typescript-eslint/utils';
import type { TSESTree } from '@typescript-eslint/utils';
import { isOpen, property, stringOf } from '../ast.js';
import { isBoolean, rmqOptions } from '../amqp.js';
import { projectOf } from '../project.js';
import { createRule } from '../rule.js';

const KEYS = ['deadLetterExchange', 'x-dead-letter-exchange'];

export default createRule({
  name: 'require-dead-letter-exchange',
  only: /@nestjs\/microservices|['"]amqp/,
  docs: {
    description: 'Give a queue a dead-letter exchange that exists',
    area: 'broker',
    severity: 'medium',
    why: 'RabbitMQ drops a rejected message when its queue has no dead-letter exchange, and also when that exchange or its queue was never declared. Nest declares neither.',
    remedy:
      "Declare the exchange and a bound queue before consuming, and name it in the queue's arguments or in a policy of the broker.",
    recommended: true,
    usesProject: true,
  },
  messages: {
    none: 'What this queue rejects is dropped: it has no dead-letter exchange. Name one in queueOptions.arguments; disable this rule where a policy of the broker does.',
    undeclared:
      'Nothing in this program declares the exchange "{{name}}": what is dead-lettered to it is dropped.',
  },
  create: (context) => ({
    ObjectExpression(node) {
      for (const key of KEYS) {
        const entry = property(node, key);
        const name = stringOf(entry?.value);
        if (!entry || !name) continue;
        const project = projectOf(context);
        const exchanges = project?.facts.exchanges;
        if (!project?.isWhole || exchanges?.has(name) || exchanges?.has('*')) continue;
        context.report({ node: entry, messageId: 'undeclared', data: { name } });
      }
      const options = rmqOptions(context, node);
      if (!options || isOpen(options)) return;
      if (!isBoolean(property(options, 'noAck')?.value, false)) return;
      const queueOptions = property(options, 'queueOptions');
      if (queueOptions && !isJudged(queueOptions.value)) return;
      const args = property(queueOptions?.value, 'arguments');
      if (args && !isJudged(args.value)) return;
      const isNamed = KEYS.some(
        (key) => property(queueOptions?.value, key) ?? property(args?.value, key),
      );
      if (!isNamed) context.report({ node: queueOptions ?? options, messageId: 'none' });
    },
  }),
});

function isJudged(node: TSESTree.Node): boolean {
  return node.type === AST_NODE_TYPES.ObjectExpression && !isOpen(node);
}
