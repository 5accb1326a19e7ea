import { AST_NODE_TYPES } from '@typescript-eslint/utils';
import type { TSESLint, TSESTree } from '@typescript-eslint/utils';
import { ancestors, isFunction, isInside, walk } from '../ast.js';
import type { ClassNode, Context } from '../ast.js';
import { isSettlement } from '../amqp.js';
import { decorator, rmqConsumersOf } from '../nest.js';
import type { Method } from '../nest.js';
import { projectOf } from '../project.js';
import { BROKER, createRule } from '../rule.js';

type Reporter = Readonly<TSESLint.RuleContext<'missing' | 'failure', readonly []>>;

export default createRule({
  name: 'require-ack',
  only: BROKER,
  docs: {
    description: 'Settle every message of a consumer that acknowledges by hand, also when it fails',
    area: 'broker',
    severity: 'high',
    why: 'With `noAck: false` Nest settles nothing. A message whose handler throws stays unacknowledged, and after `prefetchCount` of them the consumer gets no more, without an error.',
    remedy:
      'Settle in one place for all handlers, an interceptor with a filter, or with try, catch and `nack(message, false, false)` in each.',
    recommended: true,
    usesProject: true,
  },
  messages: {
    missing:
      'Nobody acknowledges this message: after prefetchCount of them the consumer stands still.',
    failure:
      'When what comes before this throws, the message is never settled. Settle it in a catch too, or in an interceptor and a filter.',
  },
  create(context) {
    const check = (node: ClassNode): void => {
      for (const method of rmqConsumersOf(context, node)) checkMethod(context, node, method);
    };
    return { ClassDeclaration: check, ClassExpression: check };
  },
});

function checkMethod(context: Reporter, owner: ClassNode, method: Method): void {
  const { body } = method.value;
  if (!body || owner.superClass) return;
  if (settlesAround(context, owner) || settlesAround(context, method)) return;
  const settlements: TSESTree.CallExpression[] = [];
  walk(context, body, (node) => {
    if (isSettlement(node)) settlements.push(node);
  });
  const [first] = settlements;
  if (!first) {
    const { noAcks, hasOtherTransport } = projectOf(context)?.facts ?? { noAcks: [] };
    const isManual = noAcks.length > 0 && noAcks.every((noAck) => noAck === false);
    // Which of the app's transports brings it is not said here.
    if (hasOtherTransport && !/RmqContext|\.RMQ\b/.test(context.sourceCode.getText(method))) return;
    const mayDelegate = settlesElsewhere(context, body);
    if (isManual && !mayDelegate) context.report({ node: method.key, messageId: 'missing' });
    return;
  }
  const isCovered = settlements.some((node) =>
    ancestors(node).some(
      (ancestor) =>
        ancestor.type === AST_NODE_TYPES.TryStatement &&
        ((ancestor.handler && isInside(node, ancestor.handler)) ||
          (ancestor.finalizer && isInside(node, ancestor.finalizer))),
    ),
  );
  if (isCovered || settlements.some((node) => isDeferred(node, method))) return;
  if (canFailBefore(context, body, first)) context.report({ node: first, messageId: 'failure' });
}

/** In a `.catch()` or `.finally()` of a promise, or in another callback. */
function isDeferred(node: TSESTree.Node, method: Method): boolean {
  return ancestors(node).some(
    (ancestor) => isFunction(ancestor) && ancestor !== method.value && isInside(ancestor, method),
  );
}

function settlesAround(context: Context, node: TSESTree.Node): boolean {
  return decorator(context, node, 'UseInterceptors', 'UseFilters') !== undefined;
}

/** The context or the channel is handed to somebody else. */
function settlesElsewhere(context: Context, body: TSESTree.Node): boolean {
  let found = false;
  const names = new Set<string>();
  walk(context, body.parent ?? body, (node) => {
    if (node.type === AST_NODE_TYPES.Identifier && /context|ctx|channel|rmq/i.test(node.name)) {
      names.add(node.name);
    }
  });
  walk(context, body, (node) => {
    if (node.type !== AST_NODE_TYPES.CallExpression) return;
    found ||= node.arguments.some(
      (argument) => argument.type === AST_NODE_TYPES.Identifier && names.has(argument.name),
    );
  });
  return found;
}

/** Something that may throw is awaited or called before the message is settled. */
function canFailBefore(
  context: Context,
  body: TSESTree.Node,
  settlement: TSESTree.CallExpression,
): boolean {
  let found = false;
  walk(context, body, (node) => {
    if (node.range[0] >= settlement.range[0]) return false;
    if (node.type === AST_NODE_TYPES.AwaitExpression && !isInside(settlement, node)) found = true;
    if (node.type === AST_NODE_TYPES.ThrowStatement) found = true;
    return true;
  });
  return found;
}
