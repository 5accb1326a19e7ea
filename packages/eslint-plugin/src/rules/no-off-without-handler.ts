import { AST_NODE_TYPES } from '@typescript-eslint/utils';
import type { TSESTree } from '@typescript-eslint/utils';
import {
  calledName,
  contains,
  enclosingFunction,
  initializerOf,
  isFunction,
  isInside,
  memberName,
  methodCall,
  stringOf,
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
  hasSuggestions: true,
  messages: {
    hoist: 'Give the listener a name, and remove it by that',
    all: 'This removes the listeners of all other components as well. Pass the function that was added.',
  },
  create: (context) => ({
    CallExpression(node) {
      const call = methodCall(node);
      if (!call || !/^(?:off|removeAllListeners|removeListener)$/.test(call.name)) return;
      if (node.arguments.length > 1 || !isSharedSocket(context, node, call.object)) return;
      if (node.arguments.length === 0 && call.name === 'removeListener') return;
      const handler = node.arguments[0] && addedHandler(context, node, call.object);
      const inline = handler ? undefined : inlineHandler(context, node, call.object);
      context.report({
        node,
        messageId: 'all',
        suggest: inline
          ? [
              {
                messageId: 'hoist',
                fix: (fixer) => [
                  fixer.insertTextBefore(
                    inline.statement,
                    `const ${inline.name} = ${context.sourceCode.getText(inline.handler)};\n${indentOf(context, inline.statement)}`,
                  ),
                  fixer.replaceText(inline.handler, inline.name),
                  fixer.replaceText(call.property, 'off'),
                  fixer.insertTextAfter(node.arguments[0] as TSESTree.Node, `, ${inline.name}`),
                ],
              },
            ]
          : [],
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

function indentOf(context: Context, node: TSESTree.Node): string {
  const line = context.sourceCode.lines[node.loc.start.line - 1] ?? '';
  return /^\s*/.exec(line)?.[0] ?? '';
}

/** The one function without a name that the same effect adds for the event, where it can be given one. */
function inlineHandler(
  context: Context,
  node: TSESTree.CallExpression,
  object: TSESTree.Node,
): { name: string; handler: TSESTree.Node; statement: TSESTree.ExpressionStatement } | undefined {
  const event = stringOf(node.arguments[0]);
  const effect = effectAround(node);
  if (event === undefined || !effect) return undefined;
  const owner = context.sourceCode.getText(object).replace('?.', '.');
  const added: TSESTree.CallExpression[] = [];
  walk(context, effect, (inner) => {
    const call = methodCall(inner);
    if (call?.name !== 'on' || inner.type !== AST_NODE_TYPES.CallExpression) return;
    if (context.sourceCode.getText(call.object).replace('?.', '.') !== owner) return;
    if (stringOf(inner.arguments[0]) === event) added.push(inner);
  });
  const [only] = added;
  const handler = only?.arguments[1];
  if (added.length !== 1 || !only || !isFunction(handler)) return undefined;
  const expression =
    only.parent.type === AST_NODE_TYPES.ChainExpression ? only.parent.parent : only.parent;
  if (expression.type !== AST_NODE_TYPES.ExpressionStatement) return undefined;
  // It must be seen where it is removed, and mean nothing else there.
  const block = expression.parent;
  const words = event.split(/[^A-Za-z0-9]+/).filter((word) => word !== '');
  const name = `on${words.map((word) => word.charAt(0).toUpperCase() + word.slice(1)).join('')}`;
  if (block.type !== AST_NODE_TYPES.BlockStatement || !isInside(node, block)) return undefined;
  return new RegExp(`\\b${name}\\b`).test(context.sourceCode.text)
    ? undefined
    : { name, handler, statement: expression };
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
