import { AST_NODE_TYPES } from '@typescript-eslint/utils';
import { initializerOf, isOpen, property, stringOf, unwrap } from '../ast.js';
import { importOf } from '../imports.js';
import { isServerOptions, isToldElsewhere } from '../options.js';
import { projectOf } from '../project.js';
import { createRule } from '../rule.js';
import { isClientFactory } from '../sockets.js';

export default createRule({
  name: 'websocket-only',
  only: /socket\.io|@nestjs\/websockets/,
  about: 'socket.io',
  docs: {
    description: 'Leave long polling off',
    area: 'server',
    severity: 'medium',
    why: 'Polling needs sticky sessions behind a load balancer, is the part that CORS and its mistakes apply to, and is what several advisories about engine.io attack.',
    remedy: 'Set `transports: ["websocket"]` on both sides.',
    recommended: false,
    usesProject: true,
  },
  messages: {
    polling:
      'Polling needs sticky sessions and opens the attack surface of HTTP. Leave "websocket" alone in the list.',
    unset: 'Polling is on unless transports says otherwise. Set transports: ["websocket"].',
  },
  create: (context) => ({
    ObjectExpression(node) {
      const { parent } = node;
      const isClient =
        (parent.type === AST_NODE_TYPES.CallExpression && isClientFactory(context, parent)) ||
        (parent.type === AST_NODE_TYPES.NewExpression &&
          importOf(context, parent.callee)?.source === 'socket.io-client');
      if (!isClient && !isServerOptions(context, node)) return;
      const transports = property(node, 'transports');
      if (transports) {
        const list = initializerOf(context, transports.value) ?? unwrap(transports.value);
        const hasPolling =
          list.type === AST_NODE_TYPES.ArrayExpression &&
          list.elements.some((element) => stringOf(element) === 'polling');
        if (hasPolling) context.report({ node: transports, messageId: 'polling' });
        return;
      }
      if (isClient || isOpen(node)) return;
      // A decorator that sets nothing for the server leaves it to the adapter.
      if (node.properties.every((option) => 'key' in option && nameIs(option.key, 'namespace'))) {
        return;
      }
      if (projectOf(context)?.facts.isWebsocketOnly || isToldElsewhere(context, node)) return;
      context.report({ node, messageId: 'unset' });
    },
  }),
});

function nameIs(key: unknown, name: string): boolean {
  return (key as { name?: string }).name === name;
}
