import { enclosingClass, enclosingFunction } from '../ast.js';
import { isSettlement } from '../amqp.js';
import { methodAround, rmqConsumersOf } from '../nest.js';
import { projectOf } from '../project.js';
import { createRule } from '../rule.js';

export default createRule({
  name: 'no-ack-under-no-ack',
  only: /@nestjs\/microservices/,
  docs: {
    description: 'Do not acknowledge by hand while `noAck` is true',
    area: 'broker',
    severity: 'high',
    why: '`noAck: true`, which is the default of Nest, settles a message when it is sent. An ack of it is a channel error (406) that drops the connection at each message.',
    remedy:
      'Set `noAck: false` in the options of the microservice, or leave the ack away and accept that a failed event is lost.',
    recommended: false,
    usesProject: true,
  },
  messages: {
    settled:
      'The microservice runs with noAck: true (the default), so this is a channel error (406) for each message. Set noAck: false.',
  },
  create: (context) => ({
    CallExpression(node) {
      if (!isSettlement(node) || !enclosingFunction(node)) return;
      const owner = enclosingClass(node);
      const method = methodAround(node);
      if (!owner || !method || !rmqConsumersOf(context, owner).includes(method)) return;
      const { noAcks } = projectOf(context)?.facts ?? { noAcks: [] };
      if (noAcks.length > 0 && noAcks.every((noAck) => noAck === true)) {
        context.report({ node, messageId: 'settled' });
      }
    },
  }),
});
