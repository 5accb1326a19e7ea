import { AST_NODE_TYPES } from '@typescript-eslint/utils';
import type { TSESTree } from '@typescript-eslint/utils';
import {
  ancestors,
  contains,
  isFunction,
  isInside,
  memberName,
  methodCall,
  stringOf,
  unwrap,
  variableOf,
} from '../ast.js';
import type { Context } from '../ast.js';
import { cleanupsOf, effectAround } from '../react.js';
import { createRule } from '../rule.js';
import { isClientFactory, kindOf } from '../sockets.js';

const REMOVES = /^(?:off|offAny|removeListener|removeAllListeners|disconnect|close)$/;

export default createRule({
  name: 'require-listener-cleanup',
  only: /[sS]ocket[^]*\.on\(/,
  about: 'react',
  docs: {
    description: 'Remove in the cleanup the listener that an effect adds',
    area: 'client',
    severity: 'medium',
    why: 'A listener on a shared socket outlives the component that added it. Each mount, and each run of the effect, adds one more: every event is handled several times, by components that are gone.',
    remedy:
      'Return a cleanup that removes it: `socket.on(event, handler); return () => { socket.off(event, handler); };`.',
    cwe: 772,
    recommended: true,
  },
  messages: {
    missing:
      'Nothing removes this listener when the effect runs again or the component goes. Return a cleanup with off(event, handler).',
  },
  create: (context) => ({
    CallExpression(node) {
      const call = methodCall(node);
      if (call?.name !== 'on' || stringOf(node.arguments[0]) === undefined) return;
      if (node.arguments.length !== 2 || !isShared(context, call.object)) return;
      const effect = effectAround(node);
      if (!effect || !isOfEffect(node, effect)) return;
      const cleanups = cleanupsOf(context, effect);
      const removes = cleanups.some(
        (cleanup) =>
          // A cleanup that is made elsewhere is not judged.
          !isFunction(cleanup) ||
          contains(
            context,
            cleanup,
            (inner) =>
              inner.type === AST_NODE_TYPES.CallExpression &&
              (REMOVES.test(methodCall(inner)?.name ?? '') ||
                /off|remove|unsub|disconnect|close|clean|destroy|reset|leave|stop/i.test(
                  context.sourceCode.getText(inner.callee),
                )),
          ),
      );
      // Taken off just before it is added.
      const isReplaced = contains(context, effect, (inner) => {
        const other = methodCall(inner);
        return (
          inner.type === AST_NODE_TYPES.CallExpression &&
          other !== undefined &&
          /^(?:off|removeAllListeners)$/.test(other.name) &&
          inner.range[0] < node.range[0] &&
          (inner.arguments.length === 0 ||
            stringOf(inner.arguments[0]) === stringOf(node.arguments[0]))
        );
      });
      if (!removes && !isReplaced) context.report({ node, messageId: 'missing' });
    },
  }),
});

/** Of another component or of a module; what the effect makes itself goes with it. */
function isShared(context: Context, node: TSESTree.Node): boolean {
  const owner = unwrap(node);
  if (owner.type === AST_NODE_TYPES.MemberExpression) {
    return memberName(owner) !== 'current' && /socket$/i.test(memberName(owner) ?? '');
  }
  if (owner.type !== AST_NODE_TYPES.Identifier) return false;
  if (!/socket$/i.test(owner.name) && kindOf(context, owner) !== 'client') return false;
  const definition = variableOf(context, owner)?.defs[0]?.node;
  if (!definition) return false;
  if (definition.type !== AST_NODE_TYPES.VariableDeclarator) {
    return definition.type !== AST_NODE_TYPES.FunctionDeclaration;
  }
  const made = definition.init && unwrap(definition.init);
  const effect = ancestors(definition).some((ancestor) => effectAround(ancestor));
  // `const socket = connect(...)` in the effect: who makes it says how long it lives.
  if (effect && made?.type === AST_NODE_TYPES.CallExpression && isFactory(context, made))
    return false;
  return !(
    made?.type === AST_NODE_TYPES.CallExpression &&
    isClientFactory(context, made) &&
    effect
  );
}

function isFactory(context: Context, call: TSESTree.CallExpression): boolean {
  return (
    isClientFactory(context, call) ||
    /^(?:new|create|make|init|connect|open|setup)/i.test(context.sourceCode.getText(call.callee))
  );
}

/** In the effect's own run, not in what answers an event. */
function isOfEffect(node: TSESTree.Node, effect: TSESTree.CallExpression): boolean {
  const [callback] = effect.arguments;
  const around = ancestors(node).find(isFunction);
  return (
    callback !== undefined &&
    around !== undefined &&
    (around === callback || isInside(callback, around))
  );
}
