import { AST_NODE_TYPES } from '@typescript-eslint/utils';
import type { TSESTree } from '@typescript-eslint/utils';
import { ancestors, memberName, unwrap } from '../ast.js';
import { handlerAround } from '../nest.js';
import { createRule, SERVER } from '../rule.js';
import { chainOf, kindOf } from '../sockets.js';

export default createRule({
  name: 'no-stack-to-client',
  only: SERVER,
  docs: {
    description: 'Send a client a code, not the stack of an error',
    area: 'gateway',
    severity: 'medium',
    why: 'A stack names files, versions and queries of the server to whoever makes it fail.',
    remedy: 'Log the error with an id, and answer a code and that id.',
    cwe: 209,
    recommended: false,
  },
  messages: {
    stack: 'This tells the client about the inside of the server. Log it, and answer a code.',
  },
  create: (context) => ({
    MemberExpression(node) {
      if (memberName(node) !== 'stack') return;
      const owner = unwrap(node.object);
      if (
        owner.type !== AST_NODE_TYPES.Identifier ||
        !/^e(?:rr(?:or)?|x(?:ception)?)?$/i.test(owner.name)
      ) {
        return;
      }
      const isSent = ancestors(node).some((ancestor) => {
        if (ancestor.type === AST_NODE_TYPES.ReturnStatement) {
          return handlerAround(context, ancestor) !== undefined && isBuilt(ancestor.argument);
        }
        if (ancestor.type !== AST_NODE_TYPES.CallExpression) return false;
        const { root, links } = chainOf(ancestor);
        const last = links.at(-1);
        if (last?.call !== ancestor || !/^(?:emit|send)$/.test(last.name)) return false;
        const kind = kindOf(context, root);
        return kind === 'server' || kind === 'socket';
      });
      if (isSent) context.report({ node, messageId: 'stack' });
    },
  }),
});

function isBuilt(node: TSESTree.Expression | null): boolean {
  return (
    node?.type === AST_NODE_TYPES.ObjectExpression || node?.type === AST_NODE_TYPES.MemberExpression
  );
}
