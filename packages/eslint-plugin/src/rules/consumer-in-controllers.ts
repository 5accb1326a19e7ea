import type { TSESTree } from '@typescript-eslint/utils';
import { AST_NODE_TYPES } from '@typescript-eslint/utils';
import { property, removeEntry } from '../ast.js';
import { consumersOf, decorator, listed } from '../nest.js';
import { consumes, decoratorNames, projectOf } from '../project.js';
import { createRule } from '../rule.js';

export default createRule({
  name: 'consumer-in-controllers',
  only: /@nestjs\/microservices|@nx-realtime\/nest|@Module\b/,
  docs: {
    description: 'List a consumer in the controllers of its module',
    area: 'broker',
    severity: 'high',
    why: 'Nest looks for @EventPattern and @MessagePattern in controllers only. In a provider, also in a gateway, they are ignored without a word and events are lost.',
    remedy:
      'Give the handlers a class of their own with @Controller(), and list it in `controllers`.',
    recommended: true,
    usesProject: true,
  },
  fixable: 'code',
  messages: {
    decorator:
      'Nest ignores @EventPattern and @MessagePattern of a class that is {{is}}. Move them to a class with @Controller(), listed in controllers.',
    listed:
      '{{name}} handles broker messages, which Nest looks for in controllers only. List it there.',
  },
  create: (context) => ({
    ClassDeclaration(node) {
      if (node.abstract || consumersOf(context, node).length === 0) return;
      if (decorator(context, node, 'Controller', 'Resolver')) return;
      const gateway = decorator(context, node, 'WebSocketGateway');
      const use = gateway ?? decorator(context, node, 'Injectable');
      const project = projectOf(context);
      if (!use) return;
      if (project?.listingsOf(project.tsNode(node)).some(({ list }) => list === 'controllers'))
        return;
      const is = gateway ? 'a gateway' : 'a provider';
      context.report({ node: use.node, messageId: 'decorator', data: { is } });
    },
    Decorator(node) {
      const metadata = moduleMetadata(node);
      if (!metadata || !decorator(context, node.parent, 'Module')) return;
      const project = projectOf(context);
      const controllers = new Set(listed(metadata, 'controllers').map(({ name }) => name));
      for (const element of listed(metadata, 'providers')) {
        const declaration = project?.classOf(element);
        // The consumer itself says what is wrong where it is no controller.
        if (!declaration || !consumes(declaration)) continue;
        if (!decoratorNames(declaration).includes('Controller')) continue;
        if (controllers.has(element.name)) continue;
        context.report({
          node: element,
          messageId: 'listed',
          data: { name: element.name },
          fix: (fixer) => {
            const list = property(metadata, 'controllers')?.value;
            const removal = removeEntry(context, fixer, element);
            if (list?.type === AST_NODE_TYPES.ArrayExpression) {
              const last = list.elements.at(-1);
              return [
                removal,
                last
                  ? fixer.insertTextAfter(last, `, ${element.name}`)
                  : fixer.replaceText(list, `[${element.name}]`),
              ];
            }
            if (list) return null;
            const providers = property(metadata, 'providers');
            return providers
              ? [removal, fixer.insertTextBefore(providers, `controllers: [${element.name}],\n  `)]
              : null;
          },
        });
      }
    },
  }),
});

function moduleMetadata(node: TSESTree.Decorator): TSESTree.ObjectExpression | undefined {
  const { expression } = node;
  const argument =
    expression.type === AST_NODE_TYPES.CallExpression ? expression.arguments[0] : undefined;
  return argument?.type === AST_NODE_TYPES.ObjectExpression ? argument : undefined;
}
