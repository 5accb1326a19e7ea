import { AST_NODE_TYPES } from '@typescript-eslint/utils';
import type { TSESTree } from '@typescript-eslint/utils';
import { calledName, initializerOf, keyName, stringOf, unwrap } from '../ast.js';
import type { Context } from '../ast.js';
import { importOf } from '../imports.js';
import { createRule } from '../rule.js';

export default createRule({
  name: 'no-secret-in-source',
  only: /@nestjs\/jwt|['"]jsonwebtoken['"]/,
  docs: {
    description: 'Read the secret of tokens from the environment, without a fallback',
    area: 'authentication',
    severity: 'high',
    why: 'Whoever reads the source signs tokens for anybody. A fallback is worse: where the variable is missing nothing fails, and the secret that everybody knows is in use.',
    remedy:
      'Read it from the environment, and stop the boot when it is missing: `config.getOrThrow("JWT_SECRET")`.',
    cwe: 798,
    recommended: true,
  },
  messages: {
    written: 'Whoever reads this signs tokens for anybody. Read the secret from the environment.',
    fallback:
      'Where the variable is not set, everybody knows the secret, and nothing says so. Stop the boot instead.',
  },
  create(context) {
    const check = (node: TSESTree.Node): void => {
      const value = unwrap(node);
      const made = initializerOf(context, value) ?? value;
      if (isText(made)) context.report({ node, messageId: 'written' });
      else if (
        made.type === AST_NODE_TYPES.LogicalExpression &&
        made.operator !== '&&' &&
        isText(unwrap(made.right))
      ) {
        context.report({ node: made, messageId: 'fallback' });
      }
    };
    return {
      Property(node) {
        const name = keyName(node);
        if (name !== 'secret' && name !== 'secretOrKey' && name !== 'secretOrPrivateKey') return;
        if (isOfTokens(context, node)) check(node.value);
      },
      CallExpression(node) {
        const imported = importOf(context, node.callee);
        if (imported?.source !== 'jsonwebtoken' || !/^(?:sign|verify)$/.test(imported.name)) return;
        if (node.arguments[1]) check(node.arguments[1]);
      },
    };
  },
});

function isText(node: TSESTree.Node): boolean {
  const text = stringOf(node);
  return text !== undefined && text.length > 0;
}

/** In the options of JwtModule, of `sign`, or of `verify`. */
function isOfTokens(context: Context, node: TSESTree.Property): boolean {
  for (let current: TSESTree.Node | undefined = node.parent; current; current = current.parent) {
    if (current.type !== AST_NODE_TYPES.CallExpression) continue;
    const text = context.sourceCode.getText(current.callee);
    if (/JwtModule|[jJ]wt\w*\.(?:sign|verify)|^super$/.test(text)) return true;
    if (/^(?:signAsync|verifyAsync)$/.test(calledName(current))) return true;
  }
  return false;
}
