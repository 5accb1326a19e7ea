import { AST_NODE_TYPES } from '@typescript-eslint/utils';
import { decorator, listed } from '../nest.js';
import { decoratorNames, projectOf } from '../project.js';
import { createRule } from '../rule.js';

export default createRule({
  name: 'gateway-in-one-module',
  only: /@Module\b/,
  docs: {
    description: 'List a gateway in the providers of one module',
    area: 'gateway',
    severity: 'high',
    why: 'A gateway in the providers of two modules is made and bound twice: each message and each connection is handled twice. In controllers it is not bound at all.',
    remedy: 'List it in one module, export it there, and import that module where it is injected.',
    recommended: true,
    usesProject: true,
  },
  messages: {
    twice:
      '{{name}} is provided by {{modules}} too: it handles everything once for each. Export it from one module and import that module.',
    controller: 'Nest binds gateways among providers only: {{name}} gets no message here.',
  },
  create: (context) => ({
    Decorator(node) {
      if (!decorator(context, node.parent, 'Module')) return;
      const { expression } = node;
      const metadata =
        expression.type === AST_NODE_TYPES.CallExpression ? expression.arguments[0] : undefined;
      const project = projectOf(context);
      if (!metadata || !project) return;
      const owner =
        node.parent.type === AST_NODE_TYPES.ClassDeclaration ? node.parent.id?.name : '';
      for (const list of ['providers', 'controllers'] as const) {
        for (const element of listed(metadata, list)) {
          const declaration = project.classOf(element);
          if (!declaration || !decoratorNames(declaration).includes('WebSocketGateway')) continue;
          const { name } = element;
          const listings = project.listingsOf(declaration);
          if (list === 'controllers') {
            if (!decoratorNames(declaration).includes('Controller')) {
              context.report({ node: element, messageId: 'controller', data: { name } });
            }
            continue;
          }
          const others = listings.filter(
            (listing) => listing.list === 'providers' && listing.module !== owner,
          );
          if (others.length === 0) continue;
          const modules = others.map(({ module }) => module).join(', ');
          context.report({ node: element, messageId: 'twice', data: { name, modules } });
        }
      }
    },
  }),
});
