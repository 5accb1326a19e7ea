import { AST_NODE_TYPES } from '@typescript-eslint/utils';
import type { TSESTree } from '@typescript-eslint/utils';
import { contains, isFunction, keyName, memberName, methodCall, property, unwrap } from '../ast.js';
import { clientOptions } from '../client.js';
import { CLIENT, createRule } from '../rule.js';
import { isCredential } from '../tokens.js';

export default createRule({
  name: 'no-captured-token',
  only: CLIENT,
  docs: {
    description: 'Give the token by a function that is asked at each connection',
    area: 'client',
    severity: 'medium',
    why: 'An object in `auth` is read once: every reconnect sends the token of the first connection, which has expired meanwhile, and is refused for ever.',
    remedy:
      'Give a function, `auth: (callback) => callback({ token: getToken() })`, which is asked again at each connection, or set `socket.auth` before each one.',
    cwe: 613,
    recommended: true,
  },
  messages: {
    captured:
      'This token is captured once, and sent again at each reconnect after it has expired. Give a function: auth: (callback) => callback({ ... }).',
  },
  create(context) {
    const captured: TSESTree.Node[] = [];
    let isRenewed = false;
    const check = (node: TSESTree.CallExpression | TSESTree.NewExpression): void => {
      const options = clientOptions(context, node)?.options;
      const auth = property(options, 'auth')?.value;
      // Each connection is one of its own.
      const reconnection = property(options, 'reconnection')?.value;
      if (reconnection?.type === AST_NODE_TYPES.Literal && reconnection.value === false) return;
      if (auth?.type !== AST_NODE_TYPES.ObjectExpression) return;
      const token = auth.properties.find((entry): entry is TSESTree.Property => {
        if (entry.type !== AST_NODE_TYPES.Property || !isCredential(keyName(entry))) return false;
        const value = unwrap(entry.value);
        // A key that does not change does not expire.
        return value.type !== AST_NODE_TYPES.Literal && !isKey(keyName(entry));
      });
      if (token) captured.push(token);
    };
    return {
      CallExpression(node) {
        check(node);
        // Each attempt is one of its own.
        const call = methodCall(node);
        if (call?.name === 'on' && /reconnect_attempt/.test(context.sourceCode.getText(node))) {
          isRenewed ||= contains(
            context,
            node,
            (inner) =>
              isFunction(inner) && /\bauth\b|token/i.test(context.sourceCode.getText(inner)),
          );
        }
      },
      NewExpression: check,
      AssignmentExpression({ left }) {
        if (left.type !== AST_NODE_TYPES.MemberExpression) return;
        const owner = unwrap(left.object);
        isRenewed ||=
          memberName(left) === 'auth' ||
          (owner.type === AST_NODE_TYPES.MemberExpression && memberName(owner) === 'auth');
      },
      'Program:exit'() {
        if (isRenewed) return;
        for (const node of captured) context.report({ node, messageId: 'captured' });
      },
    };
  },
});

const isKey = (name: string | undefined): boolean => /key|secret|passw/i.test(name ?? '');
