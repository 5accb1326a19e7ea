import { AST_NODE_TYPES } from '@typescript-eslint/utils';
import type { TSESTree } from '@typescript-eslint/utils';
import { calledName, contains, initializerOf, isFunction, memberName, walk } from '../ast.js';
import type { ClassNode, Context } from '../ast.js';
import { decorator, gatewayOf, methodsOf } from '../nest.js';
import { projectOf } from '../project.js';
import { createRule, GATEWAY } from '../rule.js';

export default createRule({
  name: 'require-gateway-auth',
  only: GATEWAY,
  about: 'socket.io',
  docs: {
    description: 'Authenticate every namespace that has a gateway',
    area: 'authentication',
    severity: 'high',
    why: 'Nothing that protects the HTTP routes applies to a gateway. Without a middleware of its own anybody may connect and send.',
    remedy:
      'Authenticate all namespaces in the adapter, with a middleware; it also covers gateways that are added later.',
    cwe: 306,
    recommended: true,
    usesProject: true,
  },
  messages: {
    open: 'Nobody asks who connects to {{name}}: no middleware, no guard, no adapter. Authenticate in a middleware of the namespace, in the adapter.',
  },
  create(context) {
    const check = (node: ClassNode): void => {
      const gateway = gatewayOf(context, node);
      if (!gateway?.decorator) return;
      if (decorator(context, node, 'UseGuards', 'UseInterceptors')) return;
      // One of the host's own, such as `@UseGlobalWsGuards()`.
      if (node.decorators.some((use) => OWN_GUARD.test(context.sourceCode.getText(use)))) return;
      if (methodsOf(node).some((method) => decorator(context, method, 'UseGuards'))) return;
      const project = projectOf(context);
      if (!project?.isWhole) return;
      if (project.facts.hasGuardedAdapter || project.facts.usesWs) return;
      // A base class may do it.
      const bases = node.superClass ? project.basesOf(node) : [];
      if (!bases || bases.some((base) => asksWho(base.getText()))) return;
      // Another gateway of the namespace sees the same sockets.
      const own = project.facts.gateways.get(project.tsNode(node) as never);
      const others = [...project.facts.gateways.values()].filter((other) => other !== own);
      if (others.some(({ asks, namespace }) => asks && namespace === own?.namespace)) return;
      let asks = false;
      walk(context, node.body, (inner) => {
        asks ||= isTrace(context, inner);
        return !asks;
      });
      if (!asks) {
        context.report({
          node: gateway.decorator.node,
          messageId: 'open',
          data: { name: node.id?.name ?? 'this gateway' },
        });
      }
    };
    return { ClassDeclaration: check, ClassExpression: check };
  },
});

const OWN_GUARD = /^@\w*(?:Guard|Auth)/;

const VERIFIES =
  /^(?:verify|jwtVerify|authenticate|authorize|introspect)(?:$|[A-Z])|^(?:verify|validate|decode|extract|parse|check|get)\w*(?:Token|Jwt|Auth|Authentication|Session|Identity)(?:$|[A-Z])/;

function asksWho(text: string): boolean {
  return /\.use\(|\.disconnect\(|\bverify|handshake\.auth|token|jwt|UseGuards/i.test(text);
}

/** A middleware that always goes on lets everybody in; one that is made elsewhere is not judged. */
function mayRefuse(context: Context, call: TSESTree.CallExpression): boolean {
  const [given] = call.arguments;
  const middleware = given && (initializerOf(context, given) ?? given);
  if (!isFunction(middleware)) return true;
  const next = middleware.params[1];
  const name = next?.type === AST_NODE_TYPES.Identifier ? next.name : 'next';
  return contains(
    context,
    middleware.body,
    (node) =>
      node.type === AST_NODE_TYPES.ThrowStatement ||
      (node.type === AST_NODE_TYPES.CallExpression &&
        (calledName(node) === name
          ? node.arguments.length > 0
          : /^disconnect$/.test(calledName(node)) ||
            node.arguments.some((argument) => isNamed(argument, name)))),
  );
}

function isNamed(node: TSESTree.Node, name: string): boolean {
  return node.type === AST_NODE_TYPES.Identifier && node.name === name;
}

/** What only code that asks who a client is has in it. */
function isTrace(context: Context, node: TSESTree.Node): boolean {
  if (node.type === AST_NODE_TYPES.CallExpression) {
    const name = calledName(node);
    if (name === 'use') return mayRefuse(context, node);
    // `nameVerify` and `sessionCount` only sound like it.
    return /^disconnect(?:Sockets)?$/.test(name) || VERIFIES.test(name);
  }
  return (
    node.type === AST_NODE_TYPES.MemberExpression &&
    /^(?:token|jwt|session|user|authorization|cookies?)$/i.test(memberName(node) ?? '')
  );
}
