import { AST_NODE_TYPES } from '@typescript-eslint/utils';
import type { TSESTree } from '@typescript-eslint/utils';
import { initializerOf, memberName, property, stringOf, unwrap } from '../ast.js';
import type { Context } from '../ast.js';
import { corsDecides, isServerOptions, isToldElsewhere } from '../options.js';
import { createRule, SERVER } from '../rule.js';

type Fault = 'wildcard' | 'reflected' | 'unchecked';

export default createRule({
  name: 'no-permissive-cors',
  only: SERVER,
  about: 'socket.io',
  docs: {
    description: 'Allow named origins, not all',
    area: 'server',
    severity: 'high',
    why: 'With `*`, `true`, or a variable that is not set (which Socket.IO takes for `*`), any site may talk to the server in the name of its visitor.',
    remedy:
      'List the origins of your own front ends, from a variable that stops the boot when it is missing.',
    cwe: 942,
    recommended: true,
  },
  messages: {
    wildcard: 'Every site may connect. List the origins of your front ends.',
    reflected:
      'This gives every site its own origin back: all may connect, with cookies. List the origins of your front ends.',
    unchecked:
      'When this variable is not set every site may connect. Check it at boot, or give it a value here.',
  },
  create: (context) => ({
    ObjectExpression(node) {
      if (!isServerOptions(context, node)) return;
      const cors = property(node, 'cors')?.value;
      if (!cors || !corsDecides(context, node) || isToldElsewhere(context, node)) return;
      const value = resolve(context, cors);
      if (value.type === AST_NODE_TYPES.Literal && (value.value === true || value.value === '*')) {
        context.report({ node: cors, messageId: 'wildcard' });
        return;
      }
      if (value.type !== AST_NODE_TYPES.ObjectExpression) return;
      const origin = property(value, 'origin');
      if (!origin) {
        const isClosed = value.properties.every(({ type }) => type === AST_NODE_TYPES.Property);
        if (isClosed) context.report({ node: cors, messageId: 'wildcard' });
        return;
      }
      const fault = faultOf(context, origin.value);
      if (fault) context.report({ node: origin, messageId: fault });
    },
  }),
});

function resolve(context: Context, node: TSESTree.Node): TSESTree.Node {
  const value = unwrap(node);
  return initializerOf(context, value) ?? value;
}

function faultOf(context: Context, node: TSESTree.Node): Fault | undefined {
  const value = resolve(context, node);
  if (stringOf(value) === '*') return 'wildcard';
  switch (value.type) {
    case AST_NODE_TYPES.Literal:
      return value.value === true ? 'reflected' : undefined;
    case AST_NODE_TYPES.ArrayExpression: {
      const faults = value.elements.map((element) => element && faultOf(context, element));
      // A variable that is not set is an entry that matches nothing here.
      return faults.find((fault) => fault && fault !== 'unchecked') ?? undefined;
    }
    case AST_NODE_TYPES.LogicalExpression:
      return faultOf(context, value.right);
    case AST_NODE_TYPES.ConditionalExpression:
      return faultOf(context, value.consequent) ?? faultOf(context, value.alternate);
    case AST_NODE_TYPES.MemberExpression:
      return isVariable(value) ? 'unchecked' : undefined;
    case AST_NODE_TYPES.ArrowFunctionExpression:
    case AST_NODE_TYPES.FunctionExpression:
      return allowsAll(value) ? 'reflected' : undefined;
    case AST_NODE_TYPES.Identifier:
      return undefined;
    default:
      return undefined;
  }
}

/** `process.env.FRONTEND_URL` as it stands. */
function isVariable(node: TSESTree.MemberExpression): boolean {
  const { object } = node;
  return (
    object.type === AST_NODE_TYPES.MemberExpression &&
    memberName(object) === 'env' &&
    object.object.type === AST_NODE_TYPES.Identifier &&
    object.object.name === 'process'
  );
}

/** `(origin, callback) => callback(null, true)`, whatever the origin is. */
function allowsAll(node: TSESTree.ArrowFunctionExpression | TSESTree.FunctionExpression): boolean {
  const [, callback] = node.params;
  const only =
    node.body.type === AST_NODE_TYPES.BlockStatement
      ? node.body.body.length === 1 &&
        node.body.body[0]?.type === AST_NODE_TYPES.ExpressionStatement
        ? node.body.body[0].expression
        : undefined
      : node.body;
  if (
    only?.type !== AST_NODE_TYPES.CallExpression ||
    callback?.type !== AST_NODE_TYPES.Identifier
  ) {
    return false;
  }
  const [, allowed] = only.arguments;
  return (
    only.callee.type === AST_NODE_TYPES.Identifier &&
    only.callee.name === callback.name &&
    allowed?.type === AST_NODE_TYPES.Literal &&
    allowed.value === true
  );
}
