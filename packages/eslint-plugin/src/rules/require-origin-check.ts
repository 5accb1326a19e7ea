import { isOpen, property } from '../ast.js';
import { isServerOptions, isToldElsewhere } from '../options.js';
import { projectOf } from '../project.js';
import { createRule, SERVER } from '../rule.js';

export default createRule({
  name: 'require-origin-check',
  only: SERVER,
  about: 'socket.io',
  docs: {
    description: 'Check the origin of websockets; `cors` does not',
    area: 'server',
    severity: 'medium',
    why: 'Browsers apply CORS to HTTP requests only. A websocket from any site is accepted, whatever `cors.origin` says.',
    remedy:
      'Compare the Origin with the list of allowed ones in `allowRequest`, and decide there what happens without an Origin.',
    cwe: 1385,
    recommended: false,
    usesProject: true,
  },
  messages: {
    cors: 'CORS does not apply to websockets: this refuses none of them. Compare the Origin in allowRequest.',
  },
  create: (context) => ({
    ObjectExpression(node) {
      if (!isServerOptions(context, node) || isOpen(node)) return;
      const cors = property(node, 'cors');
      if (!cors || property(node, 'allowRequest')) return;
      if (projectOf(context)?.facts.hasAllowRequest || isToldElsewhere(context, node)) return;
      context.report({ node: cors, messageId: 'cors' });
    },
  }),
});
