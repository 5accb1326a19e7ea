import { AST_NODE_TYPES } from '@typescript-eslint/utils';
import type { TSESTree } from '@typescript-eslint/utils';
import { keyName, property } from '../ast.js';
import { clientOptions } from '../client.js';
import { CLIENT, createRule } from '../rule.js';
import { isCredential } from '../tokens.js';

export default createRule({
  name: 'no-token-in-url',
  only: CLIENT,
  docs: {
    description: 'Do not send a token in the URL of the connection',
    area: 'client',
    severity: 'high',
    why: 'The query of the connection is part of its URL, which proxies, load balancers and the browser keep and log.',
    remedy:
      'Send it as `auth: (callback) => callback({ token })`, which is asked again at each reconnect.',
    cwe: 598,
    recommended: true,
  },
  hasSuggestions: true,
  messages: {
    url: 'The token becomes part of a URL, which is logged on its way. Send it in `auth`.',
    auth: 'Send it in `auth` (the server must read handshake.auth)',
  },
  create(context) {
    const check = (node: TSESTree.CallExpression | TSESTree.NewExpression): void => {
      const client = clientOptions(context, node);
      if (!client) return;
      if (client.url && hasTokenInText(client.url)) {
        context.report({ node: client.url, messageId: 'url' });
      }
      const query = property(client.options, 'query');
      if (query?.value.type !== AST_NODE_TYPES.ObjectExpression) return;
      const names = query.value.properties.map((entry) =>
        'key' in entry ? keyName(entry) : undefined,
      );
      const token = query.value.properties[names.findIndex(isCredential)];
      if (!token) return;
      const isAlone = names.length === 1 && !property(client.options, 'auth') && !query.shorthand;
      context.report({
        node: token,
        messageId: 'url',
        suggest: isAlone
          ? [{ messageId: 'auth', fix: (fixer) => fixer.replaceText(query.key, 'auth') }]
          : [],
      });
    };
    return { CallExpression: check, NewExpression: check };
  },
});

function hasTokenInText(node: TSESTree.Node): boolean {
  if (node.type === AST_NODE_TYPES.TemplateLiteral) {
    return node.quasis.slice(0, -1).some(({ value }) => endsInCredential(value.raw));
  }
  if (node.type !== AST_NODE_TYPES.BinaryExpression || node.operator !== '+') return false;
  const text = node.left.type === AST_NODE_TYPES.BinaryExpression ? node.left.right : node.left;
  return (
    text.type === AST_NODE_TYPES.Literal &&
    typeof text.value === 'string' &&
    endsInCredential(text.value)
  );
}

/** `...?session_api_key=` */
function endsInCredential(text: string): boolean {
  return isCredential(/[?&]([\w-]+)=$/.exec(text)?.[1]);
}
