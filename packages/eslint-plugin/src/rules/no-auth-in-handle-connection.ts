import { AST_NODE_TYPES } from '@typescript-eslint/utils';
import type { TSESTree } from '@typescript-eslint/utils';
import { calledName, contains, isThis, keyName, memberName, methodCall, walk } from '../ast.js';
import type { ClassNode, Context } from '../ast.js';
import { decorator, gatewayOf, methodOf, methodsOf } from '../nest.js';
import type { Method } from '../nest.js';
import { createRule, GATEWAY } from '../rule.js';
import { kindOf } from '../sockets.js';

const VERIFIES =
  /^(?:verify\w*|jwtVerify|authenticate\w*|decode\w*|(?:validate|check|parse|extract)\w*(?:Token|Jwt|Auth\w*|User|Session|Socket|Client)|get\w*From(?:Token|Socket|Jwt|Handshake|Client))$/;

export default createRule({
  name: 'no-auth-in-handle-connection',
  only: GATEWAY,
  about: 'socket.io',
  docs: {
    description: 'Do not authenticate in handleConnection',
    area: 'authentication',
    severity: 'high',
    why: 'Nest does not await handleConnection and binds the message handlers in the same tick: a client that emits at once is served before its token is looked at.',
    remedy:
      'Authenticate in a Socket.IO middleware, set for every namespace in the adapter: `io.on("new_namespace", (namespace) => namespace.use(...))`.',
    cwe: 696,
    severities: { meanwhile: 'medium' },
    recommended: true,
  },
  messages: {
    meanwhile:
      'No handler serves a client before this is decided, but what is sent to the whole namespace reaches it meanwhile. Authenticate in a middleware of the namespace (server.use), in the adapter.',
    late: 'Handlers are bound before this is decided: a client that emits at once is served unauthenticated. Authenticate in a middleware of the namespace (server.use), in the adapter.',
  },
  create(context) {
    const check = (node: ClassNode): void => {
      const gateway = gatewayOf(context, node);
      if (!gateway) return;
      const hook = methodOf(node, 'handleConnection');
      if (!hook?.value.body) return;
      // A middleware decides; the hook may still look at what it left.
      if (usesMiddleware(context, node)) return;
      const found = authentication(context, node, hook.value.body, new Set(['handleConnection']));
      if (found) {
        const isServed = gateway.handlers.some((handler) => !refusesFirst(context, handler.method));
        const isOpen = isServed || (node.superClass !== null && gateway.handlers.length === 0);
        context.report({ node: found, messageId: isOpen ? 'late' : 'meanwhile' });
      }
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
    if (!call || !isThis(context, call.object) || seen.has(name)) return;
    seen.add(name);
    const called = methodOf(owner, name)?.value.body;
    if (called && authentication(context, owner, called, seen)) verification ??= node;
  });
  return verification ?? (refuses ? token : undefined);
}

/** A handler that begins by turning away whom the hook has not let in, or whose guard does. */
function refusesFirst(context: Context, method: Method): boolean {
  if (decorator(context, method, 'UseGuards')) return true;
  const [first, second] = method.value.body?.body ?? [];
  return [first, first?.type === AST_NODE_TYPES.VariableDeclaration ? second : undefined].some(
    (statement) => {
      if (statement?.type !== AST_NODE_TYPES.IfStatement) return false;
      const isOfSocket = contains(
        context,
        statement.test,
        (part) =>
          (part.type === AST_NODE_TYPES.MemberExpression &&
            /^(?:data|user\w*|auth\w*|account|session\w*|\w*[iI]d)$/.test(memberName(part) ?? '') &&
            kindOf(context, part.object) === 'socket') ||
          (part.type === AST_NODE_TYPES.Identifier &&
            first?.type === AST_NODE_TYPES.VariableDeclaration &&
            contains(
              context,
              first,
              (inner) => inner.type === AST_NODE_TYPES.Identifier && inner.name === part.name,
            )),
      );
      return (
        isOfSocket &&
        contains(
          context,
          statement.consequent,
          (part) =>
            part.type === AST_NODE_TYPES.ReturnStatement ||
            part.type === AST_NODE_TYPES.ThrowStatement,
        )
      );
    },
  );
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
