import { chainOf, kindOf } from '../sockets.js';
import { calledName } from '../ast.js';
import { AST_NODE_TYPES } from '@typescript-eslint/utils';
import type { TSESTree } from '@typescript-eslint/utils';
import { contains, property } from '../ast.js';
import { createRule } from '../rule.js';

export default createRule({
  name: 'require-ack-timeout',
  only: /emitWithAck/,
  docs: {
    description: 'Limit the time that an acknowledgement is waited for',
    area: 'client',
    severity: 'medium',
    why: '`emitWithAck` waits for ever when the other side has gone, or does not know the event: the promise never settles, and what awaits it stands still.',
    remedy: 'Say how long: `socket.timeout(5_000).emitWithAck(...)`, and handle the rejection.',
    cwe: 1088,
    recommended: true,
  },
  messages: {
    endless:
      'This waits for ever when no acknowledgement comes. Say how long: .timeout(5_000).emitWithAck(...).',
  },
  create(context) {
    let hasDefault = false;
    const found: TSESTree.CallExpression[] = [];
    return {
      Property(node) {
        // An option of the client: for every acknowledgement.
        if (property({ ...node.parent } as TSESTree.Node, 'ackTimeout')) hasDefault = true;
      },
      CallExpression(node) {
        const { root, links } = chainOf(node);
        const last = links.at(-1);
        if (last?.call !== node || last.name !== 'emitWithAck') return;
        if (links.some(({ name }) => name === 'timeout')) return;
        const kind = kindOf(context, root);
        // A server waits for all of a room, within its own limit of 5 s or none.
        const isSocket =
          kind === 'client' ||
          kind === 'socket' ||
          (kind === undefined && /socket$/i.test(nameOf(root)));
        if (isSocket && !isRaced(node) && !madeWithTimeout(root)) found.push(node);
      },
      'Program:exit'() {
        if (hasDefault) return;
        for (const node of found) context.report({ node, messageId: 'endless' });
      },
    };

    function madeWithTimeout(root: TSESTree.Node): boolean {
      return contains(
        context,
        root,
        (part) => part.type === AST_NODE_TYPES.CallExpression && calledName(part) === 'timeout',
      );
    }
  },
});

function nameOf(node: TSESTree.Node): string {
  if (node.type === AST_NODE_TYPES.Identifier) return node.name;
  return node.type === AST_NODE_TYPES.MemberExpression && 'name' in node.property
    ? node.property.name
    : '';
}

/** `Promise.race([socket.emitWithAck(...), timeout])` */
function isRaced(node: TSESTree.Node): boolean {
  const list = node.parent;
  return (
    list?.type === AST_NODE_TYPES.ArrayExpression &&
    list.parent.type === AST_NODE_TYPES.CallExpression &&
    calledName(list.parent) === 'race'
  );
}
