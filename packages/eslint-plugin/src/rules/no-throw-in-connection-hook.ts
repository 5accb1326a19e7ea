import { AST_NODE_TYPES } from '@typescript-eslint/utils';
import type { TSESTree } from '@typescript-eslint/utils';
import {
  ancestors,
  calledName,
  enclosingClass,
  isFunction,
  isInside,
  isThis,
  keyName,
  methodCall,
  walk,
} from '../ast.js';
import type { Context, FunctionNode } from '../ast.js';
import { gatewayOf, methodOf } from '../nest.js';
import type { Method } from '../nest.js';
import { createRule, GATEWAY } from '../rule.js';
import { chainOf, kindOf } from '../sockets.js';

const HOOKS = ['handleConnection', 'handleDisconnect'];
/** What Socket.IO itself answers by a promise, which does not reject. */
const SAFE = /^(?:join|leave|socketsJoin|socketsLeave|disconnect|sleep|delay|allSettled)$/;

export default createRule({
  name: 'no-throw-in-connection-hook',
  only: GATEWAY,
  docs: {
    description: 'Let nothing fail out of handleConnection or handleDisconnect',
    area: 'gateway',
    severity: 'high',
    why: 'No exception filter runs for these hooks, and Nest 11 does not wait for them. What they throw, or a promise of theirs that rejects, is an unhandled error that ends the process: one client, or a moment without the database, ends it for all.',
    remedy:
      'Refuse a client in a middleware with `next(error)`. Put what a hook awaits into try, and log in catch.',
    cwe: 248,
    recommended: true,
  },
  messages: {
    thrown:
      'No filter catches what {{hook}} throws: it ends the process. Refuse in a middleware, or catch it here.',
    rejected:
      'When this rejects nobody catches it, and the process ends: no filter runs for {{hook}}. Put what it awaits into try, and log in catch.',
  },
  create(context) {
    const check = (node: Parameters<typeof gatewayOf>[1]): void => {
      if (!node || !gatewayOf(context, node)) return;
      for (const hook of HOOKS) {
        const method = methodOf(node, hook);
        const rejected = method && rejection(context, method, new Set([hook]));
        if (rejected) context.report({ node: rejected, messageId: 'rejected', data: { hook } });
      }
    };
    return {
      ThrowStatement(node) {
        const outer = ancestors(node);
        const around = outer.findIndex(isFunction);
        const method = outer[around + 1];
        if (!outer[around] || method?.type !== AST_NODE_TYPES.MethodDefinition) return;
        const hook = keyName(method);
        if (hook === undefined || !HOOKS.includes(hook)) return;
        if (!gatewayOf(context, enclosingClass(node))) return;
        if (!isCaught(node, outer[around])) {
          context.report({ node, messageId: 'thrown', data: { hook } });
        }
      },
      ClassDeclaration: check,
      ClassExpression: check,
    };
  },
});

/** The first thing of a hook, or of a method of the class that it waits for, that may reject. */
function rejection(context: Context, method: Method, seen: Set<string>): TSESTree.Node | undefined {
  const body = method.value.body;
  let found: TSESTree.Node | undefined;
  if (!body) return undefined;
  walk(context, body, (node) => {
    if (found || isFunction(node)) return false;
    const waited =
      node.type === AST_NODE_TYPES.AwaitExpression
        ? node.argument
        : node.type === AST_NODE_TYPES.ReturnStatement && isPromise(context, node.argument, method)
          ? node.argument
          : undefined;
    if (waited && !isCaught(node, method.value) && mayReject(context, waited, method, seen)) {
      found = node;
    }
    return true;
  });
  return found;
}

function isPromise(
  context: Context,
  node: TSESTree.Expression | null,
  method: Method,
): node is TSESTree.Expression {
  if (node?.type === AST_NODE_TYPES.NewExpression) return calledName(node) === 'Promise';
  const call = node && methodCall(node);
  return (
    call !== null &&
    call !== undefined &&
    node?.type === AST_NODE_TYPES.CallExpression &&
    method.value.async &&
    kindOf(context, call.object) === undefined
  );
}

function mayReject(
  context: Context,
  waited: TSESTree.Node,
  method: Method,
  seen: Set<string>,
): boolean {
  if (waited.type === AST_NODE_TYPES.NewExpression) {
    const [executor] = waited.arguments;
    return isFunction(executor) && executor.params.length > 1 && calledName(waited) === 'Promise';
  }
  if (waited.type !== AST_NODE_TYPES.CallExpression) return false;
  const name = calledName(waited);
  const call = methodCall(waited);
  if (SAFE.test(name) || name === 'catch') return false;
  if (call?.name === 'then' && waited.arguments.length > 1) return false;
  if (call && kindOf(context, chainOf(waited).root) !== undefined) return false;
  // `.catch(...)` further inside of the chain.
  if (call && call.name === 'finally') return mayReject(context, call.object, method, seen);
  const owner = enclosingClass(method);
  const own = call && isThis(context, call.object) && owner ? methodOf(owner, name) : undefined;
  if (!own) return true;
  if (seen.has(name)) return false;
  seen.add(name);
  return rejection(context, own, seen) !== undefined;
}

function isCaught(node: TSESTree.Node, around: TSESTree.Node | FunctionNode): boolean {
  return ancestors(node)
    .filter((ancestor) => isInside(ancestor, around))
    .some(
      (ancestor) =>
        ancestor.type === AST_NODE_TYPES.TryStatement &&
        ancestor.handler !== null &&
        isInside(node, ancestor.block),
    );
}
