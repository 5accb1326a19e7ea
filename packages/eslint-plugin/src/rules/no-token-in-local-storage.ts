import { AST_NODE_TYPES } from '@typescript-eslint/utils';
import type { TSESTree } from '@typescript-eslint/utils';
import { initializerOf, methodCall, property, stringOf, unwrap, walk } from '../ast.js';
import type { Context } from '../ast.js';
import { clientOptions } from '../client.js';
import { CLIENT, createRule } from '../rule.js';
import { isCredential } from '../tokens.js';

export default createRule({
  name: 'no-token-in-local-storage',
  only: CLIENT,
  docs: {
    description: 'Keep the token in memory, not in localStorage',
    area: 'client',
    severity: 'low',
    why: 'Any script that runs on the page, of a dependency or of an injection, reads localStorage and takes the token away, where it stays valid.',
    remedy:
      'Keep a short-lived token in memory, and get a new one by a cookie that no script can read.',
    cwe: 922,
    recommended: false,
  },
  messages: {
    stored:
      'Every script of the page can read this token and take it away. Keep it in memory, and get it by a cookie that scripts cannot read.',
  },
  create(context) {
    const check = (node: TSESTree.CallExpression | TSESTree.NewExpression): void => {
      const options = clientOptions(context, node)?.options;
      for (const name of ['auth', 'query']) {
        const value = property(options, name)?.value;
        const read = value && readIn(context, value, 0);
        if (read) context.report({ node: read, messageId: 'stored' });
      }
    };
    return { CallExpression: check, NewExpression: check };
  },
});

/** `localStorage.getItem('token')`, where a value comes from. */
function readIn(context: Context, root: TSESTree.Node, depth: number): TSESTree.Node | undefined {
  let found: TSESTree.Node | undefined;
  walk(context, root, (node) => {
    if (found) return false;
    const call = methodCall(node);
    if (
      call?.name === 'getItem' &&
      node.type === AST_NODE_TYPES.CallExpression &&
      /^(?:window\.)?localStorage$/.test(context.sourceCode.getText(call.object)) &&
      isCredential(stringOf(node.arguments[0]) ?? 'token')
    ) {
      found = node;
    } else if (node.type === AST_NODE_TYPES.Identifier && depth < 3) {
      const made = initializerOf(context, unwrap(node));
      if (made) found = readIn(context, made, depth + 1);
    }
    return true;
  });
  return found;
}
