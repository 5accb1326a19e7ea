import { AST_NODE_TYPES } from '@typescript-eslint/utils';
import type { TSESTree } from '@typescript-eslint/utils';
import { calledName, keyName, memberName, methodCall, walk } from '../ast.js';
import type { ClassNode, Context } from '../ast.js';
import { gatewayOf, methodOf, methodsOf } from '../nest.js';
import { createRule, GATEWAY } from '../rule.js';
import { kindOf } from '../sockets.js';

const VERIFIES =
  /^(?:verify\w*|jwtVerify|authenticate\w*|decode\w*|(?:validate|check|parse|extract)\w*(?:Token|Jwt|Auth\w*|User|Session)|get\w*From(?:Token|Socket|Jwt|Handshake|Client))$/;

export default createRule({
  name: 'no-auth-in-handle-connection',
  only: GATEWAY,
  docs: {
    description: 'Do not authenticate in handleConnection',
    area: 'authentication',
    severity: 'high',
    why: 'Nest does not await handleConnection and binds the message handlers in the same tick: a client that emits at once is served before its token is looked at.',
    remedy:
      'Authenticate in a Socket.IO middleware, set for every namespace in the adapter: `io.on("new_namespace", (namespace) => namespace.use(...))`.',
    cwe: 696,
    recommended: true,
  },
  messages: {
    late: 'Handlers are bound before this is decided: a client that emits at once is served unauthenticated. Authenticate in a middleware of the namespace (server.use), in the adapter.',
  },
  create(context) {
    const check = (node: ClassNode): void => {
      if (!gatewayOf(context, node)) return;
      const hook = methodOf(node, 'handleConnection');
      if (!hook?.value.body) return;
      // A middleware decides; the hook may still look at what it left.
      if (usesMiddleware(context, node)) return;
      const found = authentication(context, node, hook.value.body, new Set(['handleConnection']));
      if (found) context.report({ node: found, messageId: 'late' });
    };
    return { ClassDeclaration: check, ClassExpression: check };
  },
});

/** Where a hook, or a method of the class that it calls, decides who the client is. */
function authentication(
  context: Context,
  owner: ClassNode,
  body: TSESTree.Node,
  seen: Set<string>,
): TSESTree.Node | undefined {
  let verification: TSESTree.Node | undefined;
  let token: TSESTree.Node | undefined;
  let refuses = false;
  walk(context, body, (node) => {
    if (node.type === AST_NODE_TYPES.MemberExpression && memberName(node) === 'handshake') {
      token ??= node;
    }
    if (node.type !== AST_NODE_TYPES.CallExpression) return;
    const name = calledName(node);
    if (VERIFIES.test(name)) verification ??= node;
    const call = methodCall(node);
    if (name === 'disconnect' && call && kindOf(context, call.object) !== 'server') refuses = true;
    if (call?.object.type !== AST_NODE_TYPES.ThisExpression || seen.has(name)) return;
    seen.add(name);
    const called = methodOf(owner, name)?.value.body;
    if (called && authentication(context, owner, called, seen)) verification ??= node;
  });
  return verification ?? (refuses ? token : undefined);
}

function usesMiddleware(context: Context, owner: ClassNode): boolean {
  return methodsOf(owner).some((method) => {
    if (keyName(method) !== 'afterInit' || !method.value.body) return false;
    let found = false;
    walk(context, method.value.body, (node) => {
      found ||= node.type === AST_NODE_TYPES.CallExpression && calledName(node) === 'use';
    });
    return found;
  });
}
