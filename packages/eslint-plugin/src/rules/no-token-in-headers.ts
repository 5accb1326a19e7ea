import { AST_NODE_TYPES } from '@typescript-eslint/utils';
import type { TSESTree } from '@typescript-eslint/utils';
import { calledName, keyName, memberName, unwrap } from '../ast.js';
import { createRule, SERVER } from '../rule.js';

export default createRule({
  name: 'no-token-in-headers',
  only: SERVER,
  about: 'socket.io',
  docs: {
    description: 'Do not authenticate a socket by a header or cookie of the handshake',
    area: 'authentication',
    severity: 'medium',
    why: 'A browser sends its cookies with a websocket that any site opens (cross-site websocket hijacking), and cannot set other headers on one at all.',
    remedy: 'Read `handshake.auth.token` alone, without a header or cookie as a fallback.',
    cwe: 1385,
    recommended: true,
  },
  messages: {
    cookie:
      'Any site can open a websocket that carries this cookie. Read a token from handshake.auth; check the Origin too if cookies must stay.',
    header: 'A browser cannot set this header on a websocket. Read handshake.auth.token.',
  },
  create(context) {
    const report = (node: TSESTree.Node, name: string | undefined): void => {
      if (name === undefined || isOnlyLookedAt(node)) return;
      if (/^cookies?$/i.test(name)) context.report({ node, messageId: 'cookie' });
      else if (/^(?:authorization|(?:x-)?(?:access-|auth-)?token)$/i.test(name)) {
        context.report({ node, messageId: 'header' });
      }
    };
    return {
      MemberExpression(node) {
        if (isHeaders(node.object)) report(node, memberName(node));
      },
      VariableDeclarator({ id, init }) {
        if (id.type !== AST_NODE_TYPES.ObjectPattern || !init || !isHeaders(init)) return;
        for (const entry of id.properties) {
          if (entry.type === AST_NODE_TYPES.Property) report(entry, keyName(entry));
        }
      },
    };
  },
});

/** Assigned to, logged, or looked at for the origin: nobody is let in by it. */
function isOnlyLookedAt(node: TSESTree.Node): boolean {
  for (let current = node; current.parent; current = current.parent) {
    const { parent } = current;
    if (parent.type === AST_NODE_TYPES.AssignmentExpression) return parent.left === current;
    if (parent.type === AST_NODE_TYPES.UnaryExpression && parent.operator === 'delete') return true;
    if (parent.type === AST_NODE_TYPES.CallExpression && parent.callee !== current) {
      return /^(?:log|info|debug|verbose|warn|error|trace)$|origin/i.test(calledName(parent));
    }
    if (/Statement|Declarat|Function/.test(parent.type)) return false;
  }
  return false;
}

function isHeaders(node: TSESTree.Node): boolean {
  const headers = unwrap(node);
  if (headers.type !== AST_NODE_TYPES.MemberExpression || memberName(headers) !== 'headers') {
    return false;
  }
  const owner = unwrap(headers.object);
  return owner.type === AST_NODE_TYPES.MemberExpression && memberName(owner) === 'handshake';
}
