import { AST_NODE_TYPES } from '@typescript-eslint/utils';
import { enclosingClass, calledName, contains } from '../ast.js';
import { handlerAround, methodAround } from '../nest.js';
import { keyName } from '../ast.js';
import { isFromClient, pathInHandshake } from '../payload.js';
import { createRule } from '../rule.js';

const VERIFIES = /^(?:verify|verifyAsync|jwtVerify|verifyToken|verifyJwt)$/;

export default createRule({
  name: 'no-verify-per-message',
  only: /SubscribeMessage|switchToWs/,
  docs: {
    description: 'Do not verify the token again for each message',
    area: 'authentication',
    severity: 'low',
    why: 'The token of the handshake does not change while the socket lives: verifying it again costs on each message and tells nothing but its expiry, while a silent socket stays connected.',
    remedy:
      'Verify once in a middleware, keep the claims in `socket.data`, disconnect the socket at `exp`, and let the guard look at `socket.data`.',
    recommended: false,
  },
  messages: {
    again:
      'The token is verified for every message. Verify it once at the handshake, keep the claims in socket.data and cut the socket at exp.',
  },
  create: (context) => ({
    CallExpression(node) {
      if (!VERIFIES.test(calledName(node))) return;
      const method = methodAround(node);
      const isGuard =
        method !== undefined &&
        keyName(method) === 'canActivate' &&
        contains(
          context,
          enclosingClass(node) ?? node,
          (inner) =>
            inner.type === AST_NODE_TYPES.CallExpression && calledName(inner) === 'switchToWs',
        );
      const handler = handlerAround(context, node)?.handler;
      // A token that the message brings is verified for the first time.
      const [token] = node.arguments;
      const isAgain =
        handler &&
        token &&
        (pathInHandshake(token) !== undefined || !isFromClient(context, token, handler));
      if (isGuard || isAgain) context.report({ node, messageId: 'again' });
    },
  }),
});
