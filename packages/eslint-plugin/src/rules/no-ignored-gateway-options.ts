import type { ClassNode } from '../ast.js';
import { gatewayOf } from '../nest.js';
import { projectOf } from '../project.js';
import { createRule } from '../rule.js';

export default createRule({
  name: 'no-ignored-gateway-options',
  only: /WebSocketGateway/,
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
      'Of the gateways on this port only the first gets its options, and others ask for different ones. Set them once, in the adapter.',
  },
  create(context) {
    const check = (node: ClassNode): void => {
      const gateway = gatewayOf(context, node);
      const project = gateway?.decorator && projectOf(context);
      if (!gateway?.decorator || !project || project.facts.usesWs) return;
      const own = project.facts.gateways.get(project.tsNode(node) as never);
      if (!own?.options) return;
      const differs = [...project.facts.gateways.values()].some(
        ({ port, options }) => port === own.port && options !== own.options,
      );
      if (differs) {
        context.report({ node: gateway.options ?? gateway.decorator.node, messageId: 'ignored' });
      }
    };
    return { ClassDeclaration: check, ClassExpression: check };
  },
});
