import type { TSESTree } from '@typescript-eslint/utils';
import { AST_NODE_TYPES } from '@typescript-eslint/utils';
import { initializerOf, stringOf, unwrap } from '../ast.js';
import type { Context } from '../ast.js';
import { clientOptions } from '../client.js';
import { CLIENT, createRule } from '../rule.js';

/** On this machine, in this house, or a name without a domain, as containers have. */
const NEAR =
  /^(?:ws|http):\/\/(?:localhost|127\.|0\.0\.0\.0|\[::1?\]|10\.|192\.168\.|172\.(?:1[6-9]|2\d|3[01])\.|host\.docker\.internal|[\w-]+(?::|\/|$)|[\w.-]+\.(?:local|internal|localhost|test)(?::|\/|$))/i;

export default createRule({
  name: 'no-cleartext-connection',
  only: CLIENT,
  docs: {
    description: 'Connect by `https` or `wss`',
    area: 'client',
    severity: 'medium',
    why: 'Without TLS everybody on the way reads the token and the events, and can answer in the name of the server. A page of `https` is not even allowed to.',
    remedy: 'Write `https://` or `wss://`, or take the address from the environment.',
    cwe: 319,
    recommended: false,
  },
  messages: {
    cleartext:
      'Everybody on the way reads the token and the events of this connection. Connect by https or wss.',
  },
  create(context) {
    const check = (node: TSESTree.CallExpression | TSESTree.NewExpression): void => {
      const url = clientOptions(context, node)?.url;
      const text = url && textOf(context, url);
      if (url && text && /^(?:ws|http):\/\/\w/i.test(text) && !NEAR.test(text)) {
        context.report({ node: url, messageId: 'cleartext' });
      }
    };
    return { CallExpression: check, NewExpression: check };
  },
});

/** A literal, or the beginning of a template that names the host. */
function textOf(context: Context, node: TSESTree.Node): string | undefined {
  const value = initializerOf(context, unwrap(node)) ?? unwrap(node);
  const text = stringOf(value);
  if (text !== undefined) return text;
  if (value.type !== AST_NODE_TYPES.TemplateLiteral) return undefined;
  const head = value.quasis[0]?.value.cooked ?? '';
  return /^\w+:\/\/[^/:]+[/:]/.test(head) ? head : undefined;
}
