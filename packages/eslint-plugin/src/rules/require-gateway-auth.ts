import { AST_NODE_TYPES } from '@typescript-eslint/utils';
import type { TSESTree } from '@typescript-eslint/utils';
import { calledName, memberName, walk } from '../ast.js';
import type { ClassNode } from '../ast.js';
import { decorator, gatewayOf, methodsOf } from '../nest.js';
import { projectOf } from '../project.js';
import { createRule, GATEWAY } from '../rule.js';

export default createRule({
  name: 'require-gateway-auth',
  only: GATEWAY,
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
      // A base class may do it.
      if (!gateway?.decorator || node.superClass) return;
      if (decorator(context, node, 'UseGuards', 'UseInterceptors')) return;
      if (methodsOf(node).some((method) => decorator(context, method, 'UseGuards'))) return;
      const project = projectOf(context);
      if (!project?.isWhole) return;
      if (project.facts.hasGuardedAdapter || project.facts.usesWs) return;
      // Another gateway of the namespace sees the same sockets.
      const own = project.facts.gateways.get(project.tsNode(node) as never);
      const others = [...project.facts.gateways.values()].filter((other) => other !== own);
      if (others.some(({ asks, namespace }) => asks && namespace === own?.namespace)) return;
      let asks = false;
      walk(context, node.body, (inner) => {
        asks ||= isTrace(inner);
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

/** What only code that asks who a client is has in it. */
function isTrace(node: TSESTree.Node): boolean {
  if (node.type === AST_NODE_TYPES.CallExpression) {
    const name = calledName(node);
    return /^(?:use|disconnect|disconnectSockets)$|verify|auth|token|jwt|session/i.test(name);
  }
  return (
    node.type === AST_NODE_TYPES.MemberExpression &&
    /^(?:auth|token|jwt|session|user|headers)$/i.test(memberName(node) ?? '')
  );
}
