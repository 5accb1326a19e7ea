import { AST_NODE_TYPES } from '@typescript-eslint/utils';
import type { TSESTree } from '@typescript-eslint/utils';
import { ancestors, enclosingClass, isFunction, keyName, methodCall } from '../ast.js';
import type { ClassNode } from '../ast.js';
import { consumersOf, gatewayOf } from '../nest.js';
import { createRule } from '../rule.js';

const METHODS: Record<string, string> = {
  log: 'log',
  info: 'log',
  debug: 'debug',
  warn: 'warn',
  error: 'error',
  trace: 'verbose',
};

export default createRule({
  name: 'prefer-logger',
  only: /console\s*\./,
  docs: {
    description: "Log with Nest's Logger in gateways and consumers",
    area: 'gateway',
    severity: 'low',
    why: '`console` has no level that can be turned off and no context, writes to standard output at once, and does not reach the logger that the app was given.',
    remedy:
      'Have `private readonly logger = new Logger(MyGateway.name)` and call it. Log ids, not payloads or tokens.',
    cwe: 532,
    recommended: false,
  },
  fixable: 'code',
  messages: {
    logger:
      "This does not reach the app's logger and cannot be turned off. Use Logger of @nestjs/common.",
  },
  create: (context) => ({
    CallExpression(node) {
      const call = methodCall(node);
      if (call?.object.type !== AST_NODE_TYPES.Identifier || call.object.name !== 'console') return;
      const method = METHODS[call.name];
      const owner = enclosingClass(node);
      if (!method || !owner) return;
      const isRealtime =
        gatewayOf(context, owner) ??
        (consumersOf(context, owner).length > 0 ||
          (owner.superClass &&
            /(?:Io|WebSocket)Adapter$/.test(context.sourceCode.getText(owner.superClass))));
      if (!isRealtime) return;
      // The last of several arguments would become the context of the line.
      const isSafe =
        node.arguments.length === 1 &&
        isText(node.arguments[0]) &&
        hasLogger(owner) &&
        enclosesThis(node);
      context.report({
        node,
        messageId: 'logger',
        fix: isSafe ? (fixer) => fixer.replaceText(node.callee, `this.logger.${method}`) : null,
      });
    },
  }),
});

function isText(node: TSESTree.Node | undefined): boolean {
  return (
    node?.type === AST_NODE_TYPES.TemplateLiteral ||
    (node?.type === AST_NODE_TYPES.Literal && typeof node.value === 'string')
  );
}

/** No function of its own `this` stands between the call and the class's member. */
function enclosesThis(node: TSESTree.Node): boolean {
  const outer = ancestors(node).find(
    (ancestor) => isFunction(ancestor) && ancestor.type !== AST_NODE_TYPES.ArrowFunctionExpression,
  );
  const member = outer?.parent;
  return member?.type === AST_NODE_TYPES.MethodDefinition && !member.static;
}

function hasLogger(owner: ClassNode): boolean {
  return owner.body.body.some(
    (member) =>
      member.type === AST_NODE_TYPES.PropertyDefinition &&
      keyName(member) === 'logger' &&
      !member.static,
  );
}
