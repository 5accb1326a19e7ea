import { AST_NODE_TYPES } from '@typescript-eslint/utils';
import type { TSESTree } from '@typescript-eslint/utils';
import { calledName, contains, enclosingFunction, methodCall, unwrap } from '../ast.js';
import type { Context } from '../ast.js';
import { importOf } from '../imports.js';
import { createRule } from '../rule.js';

export default createRule({
  name: 'no-decode-as-verification',
  only: /@nestjs\/websockets|['"]socket\.io['"]|switchToWs/,
  docs: {
    description: 'Verify a token; do not only decode it',
    area: 'authentication',
    severity: 'high',
    why: 'Decoding reads what a token says without looking at its signature: anybody writes a token that says anything.',
    remedy: 'Call `verifyAsync(token, { algorithms: [...] })`, and use the claims that it gives.',
    cwe: 347,
    recommended: false,
  },
  messages: {
    decoded:
      'Nobody looks at the signature: anybody can write a token that says this. Verify it instead.',
  },
  create: (context) => ({
    CallExpression(node) {
      if (!isDecode(context, node)) return;
      const around = enclosingFunction(node);
      // What was verified may be decoded too, for its expiry.
      const isVerified =
        around !== undefined &&
        contains(
          context,
          around,
          (inner) =>
            inner.type === AST_NODE_TYPES.CallExpression &&
            /^(?:verify|jwtVerify|introspect)/.test(calledName(inner)),
        );
      if (!isVerified) context.report({ node, messageId: 'decoded' });
    },
  }),
});

function isDecode(context: Context, node: TSESTree.CallExpression): boolean {
  const imported = importOf(context, node.callee);
  if (imported) {
    return (
      (/^(?:jsonwebtoken|jose)$/.test(imported.source) && /^decode(?:Jwt)?$/.test(imported.name)) ||
      /^jwt-decode$/.test(imported.source)
    );
  }
  const call = methodCall(node);
  if (call?.name !== 'decode') return false;
  const owner = unwrap(call.object);
  const name =
    owner.type === AST_NODE_TYPES.MemberExpression && 'name' in owner.property
      ? owner.property.name
      : '';
  return /jwt/i.test(name);
}
