import { AST_NODE_TYPES } from '@typescript-eslint/utils';
import type { TSESTree } from '@typescript-eslint/utils';
import { keyName, memberName, unwrap } from '../ast.js';
import { createRule, SERVER } from '../rule.js';
import { isCredential } from '../tokens.js';

export default createRule({
  name: 'no-token-in-query',
  only: SERVER,
  about: 'socket.io',
  docs: {
    description: 'Do not read a token from the query of the handshake',
    area: 'authentication',
    severity: 'high',
    why: 'A query is part of the URL: proxies, load balancers and browsers log it, and with it a token that lets its reader in.',
    remedy:
      'Read `handshake.auth.token`, which travels in the body of the connection, and send it as `auth` on the client.',
    cwe: 598,
    recommended: true,
  },
  messages: {
    query:
      'The token is read from the URL of the handshake, which is logged on its way. Read handshake.auth instead.',
  },
  create: (context) => ({
    MemberExpression(node) {
      if (isCredential(memberName(node)) && isQuery(node.object)) {
        context.report({ node, messageId: 'query' });
      }
    },
    VariableDeclarator({ id, init }) {
      if (id.type !== AST_NODE_TYPES.ObjectPattern || !init || !isQuery(init)) return;
      for (const entry of id.properties) {
        if (entry.type === AST_NODE_TYPES.Property && isCredential(keyName(entry))) {
          context.report({ node: entry, messageId: 'query' });
        }
      }
    },
  }),
});

function isQuery(node: TSESTree.Node): boolean {
  const query = unwrap(node);
  if (query.type !== AST_NODE_TYPES.MemberExpression) return false;
  if (!['query', '_query'].includes(memberName(query) ?? '')) return false;
  const owner = unwrap(query.object);
  return (
    owner.type === AST_NODE_TYPES.MemberExpression &&
    ['handshake', 'request'].includes(memberName(owner) ?? '')
  );
}
