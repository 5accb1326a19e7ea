import type { ClassNode } from '../ast.js';
import { gatewayOf } from '../nest.js';
import { projectOf } from '../project.js';
import { createRule } from '../rule.js';

export default createRule({
  name: 'no-ignored-gateway-options',
  only: /WebSocketGateway/,
  about: 'socket.io',
  docs: {
    description: 'Set the options of the server once, in the adapter',
    area: 'server',
    severity: 'medium',
    why: 'Gateways on one port share a server, which is made with the options of the gateway that Nest happens to bind first. What the others ask for is ignored.',
    remedy:
      'Leave the namespace alone in each decorator, and set `cors`, limits and transports in the adapter.',
    recommended: true,
    usesProject: true,
  },
  messages: {
    ignored:
      'Of the gateways on this port only the first gets its options, and the others ask for different ones than this. Set them once, in the adapter.',
  },
  create(context) {
    const check = (node: ClassNode): void => {
      const gateway = gatewayOf(context, node);
      const project = gateway?.decorator && projectOf(context);
      if (!gateway?.decorator || !project || project.facts.usesWs) return;
      const own = project.facts.gateways.get(project.tsNode(node) as never);
      if (!own) return;
      const rivals = [...project.facts.gateways.values()].filter(({ port }) => port === own.port);
      const counts = new Map<string, number>();
      for (const { options } of rivals) counts.set(options, (counts.get(options) ?? 0) + 1);
      // Of two it is the one that asks for something.
      const rank = ([options, count]: [string, number]): number =>
        count + (options === '' ? 0.5 : 0);
      const usual = [...counts].reduce((a, b) => (rank(b) > rank(a) ? b : a))[0];
      if (own.options === usual) return;
      // The odd one out is the cause; each kind of it is told once.
      if (rivals.find(({ options }) => options === own.options) !== own) return;
      context.report({ node: gateway.options ?? gateway.decorator.node, messageId: 'ignored' });
    };
    return { ClassDeclaration: check, ClassExpression: check };
  },
});
