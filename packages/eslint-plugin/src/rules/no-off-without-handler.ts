import { AST_NODE_TYPES } from '@typescript-eslint/utils';
import type { TSESTree } from '@typescript-eslint/utils';
import {
  calledName,
  contains,
  enclosingFunction,
  initializerOf,
  isInside,
  memberName,
  methodCall,
  unwrap,
  variableOf,
  walk,
} from '../ast.js';
import type { Context } from '../ast.js';
import { componentAround, effectAround } from '../react.js';
import { createRule } from '../rule.js';
import { isClientFactory, kindOf } from '../sockets.js';

export default createRule({
  name: 'no-off-without-handler',
  only: /[sS]ocket[\s\S]*\.(?:off|removeAllListeners|removeListener)\b/,
  about: 'react',
  docs: {
    description: 'Remove a listener with the function that was added',
    area: 'client',
    severity: 'medium',
    why: '`off(event)` removes the listeners of every other component on that socket too: they hear nothing from then on.',
    remedy:
      'Keep the function and pass it: `socket.on(event, handler)` and `socket.off(event, handler)`.',
    recommended: true,
  },
  fixable: 'code',
  messages: {
    all: 'This removes the listeners of all other components as well. Pass the function that was added.',
  },
  create: (context) => ({
    CallExpression(node) {
      const call = methodCall(node);
      if (!call || !/^(?:off|removeAllListeners|removeListener)$/.test(call.name)) return;
      if (node.arguments.length > 1 || !isSharedSocket(context, node, call.object)) return;
      if (node.arguments.length === 0 && call.name === 'removeListener') return;
      const handler = node.arguments[0] && addedHandler(context, node, call.object);
      context.report({
        node,
        messageId: 'all',
        fix: handler
          ? (fixer) => [
              fixer.replaceText(call.property, 'off'),
              fixer.insertTextAfter(node.arguments[0] as TSESTree.Node, `, ${handler}`),
            ]
          : null,
      });
    },
  }),
});

/** A socket that other components may listen to: not one that this very effect made and drops. */
function isSharedSocket(
  context: Context,
  node: TSESTree.CallExpression,
  object: TSESTree.Node,
): boolean {
  const owner = unwrap(object);
  if (!componentAround(node) || isDropped(context, node, owner)) return false;
  if (owner.type === AST_NODE_TYPES.Identifier) {
    if (!/socket$/i.test(owner.name) && kindOf(context, owner) !== 'client') return false;
    const made = initializerOf(context, owner);
    const value = made && unwrap(made);
    // Its own socket, made in this function or in the one around it.
    if (value?.type === AST_NODE_TYPES.CallExpression && isClientFactory(context, value)) {
      const scope = variableOf(context, owner)?.scope;
      return scope?.type === 'module' || scope?.type === 'global';
    }
    return true;
  }
  if (owner.type !== AST_NODE_TYPES.MemberExpression) return false;
  const name = memberName(owner);
  // A ref holds the socket of its own component.
  if (name === 'current') return false;
  return /socket$/i.test(name ?? '');
}

/** The same function disconnects it: nobody is left to hear. */
function isDropped(context: Context, node: TSESTree.CallExpression, owner: TSESTree.Node): boolean {
  const around = enclosingFunction(node);
  const name = context.sourceCode.getText(owner);
  return (
    around !== undefined &&
    contains(context, around, (inner) => {
      if (inner.type !== AST_NODE_TYPES.CallExpression) return false;
      const call = methodCall(inner);
      return call
        ? /^(?:disconnect|close)$/.test(call.name) &&
            context.sourceCode.getText(unwrap(call.object)) === name
        : /^(?:disconnect|close|reset|destroy|stop)\w*Socket$|^disconnect$/.test(calledName(inner));
    })
  );
}

/** The one function that the same effect adds for the same event, where it has a name. */
function addedHandler(
  context: Context,
  node: TSESTree.CallExpression,
  object: TSESTree.Node,
): string | undefined {
  const effect = effectAround(node) ?? enclosingFunction(node);
  if (!effect) return undefined;
  const text = (part: TSESTree.Node | undefined): string =>
    part ? context.sourceCode.getText(part) : '';
  const owner = text(object).replace('?.', '.');
  const handlers: (TSESTree.Node | undefined)[] = [];
  walk(context, effect, (inner) => {
    const call = methodCall(inner);
    if (call?.name !== 'on' || inner.type !== AST_NODE_TYPES.CallExpression) return;
    if (text(call.object).replace('?.', '.') !== owner) return;
    if (text(inner.arguments[0]) === text(node.arguments[0])) handlers.push(inner.arguments[1]);
  });
  const [handler] = handlers;
  if (handlers.length !== 1 || handler?.type !== AST_NODE_TYPES.Identifier) return undefined;
  // The name must mean the same function where it is removed.
  const scope = variableOf(context, handler)?.scope.block;
  return scope && isInside(node, scope) ? handler.name : undefined;
}
