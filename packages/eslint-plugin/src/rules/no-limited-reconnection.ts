import { AST_NODE_TYPES } from '@typescript-eslint/utils';
import type { TSESTree } from '@typescript-eslint/utils';
import {
  contains,
  enclosingFunction,
  initializerOf,
  methodCall,
  property,
  removeEntry,
} from '../ast.js';
import type { Context } from '../ast.js';
import { clientOptions } from '../client.js';
import { isReact } from '../libraries.js';
import { CLIENT, createRule } from '../rule.js';

/** The file connects again by its own means. */
const BY_HAND =
  /\breconnect(?!ion)\w*|[rR]econnect(?:Attempt|Timer|Timeout|Delay)\w*Ref|\.connect\(\)/;

export default createRule({
  name: 'no-limited-reconnection',
  only: CLIENT,
  docs: {
    description: 'Let the client reconnect for as long as it is wanted',
    area: 'client',
    severity: 'medium',
    why: 'After that many attempts the client stops for ever, silently: when the server comes back after a deployment, the page that was left open stays dead.',
    remedy:
      'Leave `reconnectionAttempts` at Infinity and set `reconnectionDelayMax` to some 30 s. Stop where the server refuses the token instead.',
    recommended: true,
  },
  fixable: 'code',
  messages: {
    limited:
      'After this many attempts the client stays disconnected for ever. Leave it at Infinity and raise reconnectionDelayMax.',
    off: 'The client stays disconnected after the first interruption. Leave reconnection on.',
  },
  create(context) {
    const check = (node: TSESTree.CallExpression | TSESTree.NewExpression): void => {
      const options = clientOptions(context, node)?.options;
      if (!options || isOfOneRequest(context, node)) return;
      const attempts = property(options, 'reconnectionAttempts');
      if (attempts && isNumber(initializerOf(context, attempts.value) ?? attempts.value)) {
        context.report({
          node: attempts,
          messageId: 'limited',
          fix: (fixer) => removeEntry(context, fixer, attempts),
        });
      }
      const reconnection = property(options, 'reconnection');
      if (
        reconnection?.value.type === AST_NODE_TYPES.Literal &&
        reconnection.value.value === false &&
        isReact(context) &&
        !BY_HAND.test(context.sourceCode.text)
      ) {
        context.report({ node: reconnection, messageId: 'off' });
      }
    };
    return { CallExpression: check, NewExpression: check };
  },
});

function isNumber(node: TSESTree.Node): boolean {
  return node.type === AST_NODE_TYPES.Literal && typeof node.value === 'number';
}

/** Opened on a server by the function that also closes it: no page stays open. */
function isOfOneRequest(context: Context, node: TSESTree.Node): boolean {
  const around = enclosingFunction(node);
  return (
    around !== undefined &&
    !isReact(context) &&
    contains(context, around, (inner) =>
      /^(?:disconnect|close)$/.test(methodCall(inner)?.name ?? ''),
    )
  );
}
