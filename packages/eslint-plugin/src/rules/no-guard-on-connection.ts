import { AST_NODE_TYPES } from '@typescript-eslint/utils';
import type { TSESTree } from '@typescript-eslint/utils';
import { calledName, keyName, memberName, walk } from '../ast.js';
import type { ClassNode, Context } from '../ast.js';
import { boundPattern, decorator, gatewayOf, methodOf, methodsOf } from '../nest.js';
import { projectOf } from '../project.js';
import { createRule, GATEWAY } from '../rule.js';

const HOOKS = new Set(['handleConnection', 'handleDisconnect', 'afterInit']);

export default createRule({
  name: 'no-guard-on-connection',
  only: GATEWAY,
  docs: {
    description: 'Do not rely on a guard when a client connects',
    area: 'authentication',
    severity: 'high',
    why: 'Nest runs guards, pipes, interceptors and filters for @SubscribeMessage handlers only. On a connection hook they never run.',
    remedy:
      'Authenticate in a middleware, which runs before the client is connected, and leave to the guard what concerns one message.',
    cwe: 862,
    recommended: true,
    usesProject: true,
  },
  messages: {
    hook: '@{{decorator}} has no effect on {{hook}}: Nest applies it to @SubscribeMessage handlers only. Use a middleware of the namespace.',
    user: 'The guard that would set this has not run when a client connects. Set it in a middleware of the namespace.',
  },
  create(context) {
    const check = (node: ClassNode): void => {
      if (!gatewayOf(context, node)) return;
      for (const method of methodsOf(node)) {
        const hook = keyName(method) ?? '';
        if (!HOOKS.has(hook)) continue;
        for (const name of ['UseGuards', 'UsePipes', 'UseInterceptors', 'UseFilters']) {
          const use = decorator(context, method, name);
          if (use) {
            context.report({ node: use.node, messageId: 'hook', data: { decorator: name, hook } });
          }
        }
      }
      const read = decorator(context, node, 'UseGuards') && readOfUser(context, node);
      if (read) context.report({ node: read, messageId: 'user' });
    };
    return { ClassDeclaration: check, ClassExpression: check };
  },
});

/** A user that handleConnection takes from the socket, and nothing but a guard can have put there. */
function readOfUser(context: Context, owner: ClassNode): TSESTree.Node | undefined {
  const hook = methodOf(owner, 'handleConnection');
  const socket = hook?.value.params[0] && boundPattern(hook.value.params[0]);
  if (owner.superClass || !hook?.value.body || socket?.type !== AST_NODE_TYPES.Identifier) {
    return undefined;
  }
  const project = projectOf(context);
  if (project?.facts.hasGuardedAdapter || project?.isWhole === false) return undefined;
  let found: TSESTree.Node | undefined;
  let isSet = false;
  walk(context, owner.body, (node) => {
    if (node.type === AST_NODE_TYPES.CallExpression && calledName(node) === 'use') isSet = true;
  });
  walk(context, hook.value.body, (node) => {
    if (
      node.type === AST_NODE_TYPES.CallExpression &&
      node.arguments.some((a) => isName(a, socket.name))
    ) {
      // Whoever is given the socket may set it.
      isSet = true;
    }
    if (node.type !== AST_NODE_TYPES.MemberExpression || memberName(node) !== 'user') return;
    const { object, parent } = node;
    const isOfSocket =
      isName(object, socket.name) ||
      (object.type === AST_NODE_TYPES.MemberExpression &&
        memberName(object) === 'data' &&
        isName(object.object, socket.name));
    if (!isOfSocket) return;
    if (parent.type === AST_NODE_TYPES.AssignmentExpression && parent.left === node) isSet = true;
    else found ??= node;
  });
  return isSet ? undefined : found;
}

function isName(node: TSESTree.Node, name: string): boolean {
  return node.type === AST_NODE_TYPES.Identifier && node.name === name;
}
