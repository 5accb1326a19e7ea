import { isOpen, property } from '../ast.js';
import { isBoolean, rmqOptions } from '../amqp.js';
import { createRule } from '../rule.js';

export default createRule({
  name: 'no-auto-ack',
  only: /@nestjs\/microservices/,
  docs: {
    description: 'Let a consumer acknowledge what it has handled: `noAck: false`',
    area: 'broker',
    severity: 'medium',
    why: '`noAck` is true unless it is set, although its declaration says otherwise: RabbitMQ forgets a message when it is sent, so one whose handler throws, or that is in hand when the process ends, is lost.',
    remedy:
      'Set `noAck: false` with a `prefetchCount`, and settle each message in an interceptor and a filter.',
    recommended: false,
  },
  messages: {
    lost: 'A message whose handler fails is lost: noAck is true unless it is set. Set noAck: false and settle each message.',
  },
  create: (context) => ({
    ObjectExpression(node) {
      const options = rmqOptions(context, node);
      if (!options || isOpen(options)) return;
      const noAck = property(options, 'noAck');
      if (noAck && !isBoolean(noAck.value, true)) return;
      context.report({ node: noAck ?? property(options, 'queue') ?? options, messageId: 'lost' });
    },
  }),
});
