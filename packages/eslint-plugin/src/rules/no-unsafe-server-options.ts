import { AST_NODE_TYPES } from '@typescript-eslint/utils';
import type { TSESTree } from '@typescript-eslint/utils';
import { initializerOf, property, unwrap } from '../ast.js';
import type { Context } from '../ast.js';
import { isServerOptions, isToldElsewhere } from '../options.js';
import { createRule, SERVER } from '../rule.js';

/** Ten times the default. */
const LARGEST = 10_000_000;

export default createRule<'large' | 'old', readonly [{ readonly maxHttpBufferSize: number }]>({
  name: 'no-unsafe-server-options',
  only: SERVER,
  about: 'socket.io',
  docs: {
    description: 'Keep the limits of the server near their defaults',
    area: 'server',
    severity: 'medium',
    why: '`maxHttpBufferSize` is what one client may make the server hold per message, before anybody looks at it. `allowEIO3` lets clients of 2020 in, whose protocol has no `auth` at the handshake.',
    remedy:
      'Leave `maxHttpBufferSize` at 1 MB, and send files by HTTP. Leave `allowEIO3` off, and update the clients.',
    cwe: 770,
    recommended: true,
  },
  schema: [
    {
      type: 'object',
      properties: { maxHttpBufferSize: { type: 'integer', minimum: 1 } },
      additionalProperties: false,
    },
  ],
  defaultOptions: [{ maxHttpBufferSize: LARGEST }],
  messages: {
    large:
      'Each client may make the server hold {{size}} MB per message. Send files by HTTP, and leave the limit near 1 MB.',
    old: 'Clients of Socket.IO 2 connect without `auth`: their token can only be in the URL. Leave it off.',
  },
  create: (context, [{ maxHttpBufferSize }]) => ({
    ObjectExpression(node) {
      if (!isServerOptions(context, node) || isToldElsewhere(context, node)) return;
      const buffer = property(node, 'maxHttpBufferSize');
      const size = buffer && numberOf(context, buffer.value);
      if (buffer && size !== undefined && size > maxHttpBufferSize) {
        const data = { size: String(Math.round(size / 1e6)) };
        context.report({ node: buffer, messageId: 'large', data });
      }
      const old = property(node, 'allowEIO3');
      if (old?.value.type === AST_NODE_TYPES.Literal && old.value.value === true) {
        context.report({ node: old, messageId: 'old' });
      }
    },
  }),
});

/** `1e8`, `100 * 1024 * 1024`, and a constant of either. */
function numberOf(context: Context, node: TSESTree.Node): number | undefined {
  const value = initializerOf(context, unwrap(node)) ?? unwrap(node);
  if (value.type === AST_NODE_TYPES.Literal) {
    return typeof value.value === 'number' ? value.value : undefined;
  }
  if (value.type === AST_NODE_TYPES.Identifier)
    return value.name === 'Infinity' ? Infinity : undefined;
  if (value.type !== AST_NODE_TYPES.BinaryExpression) return undefined;
  const left = numberOf(context, value.left);
  const right = numberOf(context, value.right);
  if (left === undefined || right === undefined) return undefined;
  switch (value.operator) {
    case '*':
      return left * right;
    case '**':
      return left ** right;
    case '<<':
      return left << right;
    default:
      return undefined;
  }
}
