import { AST_NODE_TYPES } from '@typescript-eslint/utils';
import type { TSESTree } from '@typescript-eslint/utils';
import { calledName, keyName, memberName, unwrap, walk } from '../ast.js';
import type { ClassNode, Context } from '../ast.js';
import { boundPattern, decorator, gatewayOf, methodOf, methodsOf } from '../nest.js';
import { projectOf } from '../project.js';
import { createRule, GATEWAY } from '../rule.js';
import { kindOf } from '../sockets.js';

const HOOKS = new Set(['handleConnection', 'handleDisconnect', 'afterInit']);

export default createRule({
  name: 'no-guard-on-connection',
  only: GATEWAY,
  about: 'socket.io',
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
      const uses = [node, ...methodsOf(node)].flatMap(
        (guarded) => decorator(context, guarded, 'UseGuards') ?? [],
      );
      const project = projectOf(context);
      // The kernel runs such a guard at each handshake.
      const isEarly = uses.some(({ args }) =>
        args.some(
          (guard) =>
            guard.type === AST_NODE_TYPES.Identifier && project?.isHandshakeGuard(guard) === true,
        ),
      );
      const read = uses.length > 0 && !isEarly && readOfUser(context, node);
      if (read) context.report({ node: read, messageId: 'user' });
    };
    return { ClassDeclaration: check, ClassExpression: check };
  },
});

/** What a socket has by itself. */
const OWN =
  /^(?:id|handshake|rooms|data|nsp|client|conn|connected|recovered|request|server|volatile|broadcast|local|emit\w*|join|leave|to|in|on\w*|once|off|use|disconnect\w*|send|write|timeout|except|compress|listeners\w*|removeListener|removeAllListeners|eventNames|prepend\w*|setMaxListeners)$/;

/** What handleConnection takes from the socket, and nothing but a guard can have put there. */
function readOfUser(context: Context, owner: ClassNode): TSESTree.Node | undefined {
  const hook = methodOf(owner, 'handleConnection');
  const socket = hook?.value.params[0] && boundPattern(hook.value.params[0]);
  if (!hook?.value.body || socket?.type !== AST_NODE_TYPES.Identifier) return undefined;
  const project = projectOf(context);
  if (project?.facts.hasGuardedAdapter || project?.isWhole === false) return undefined;
  const bases = owner.superClass ? project?.basesOf(owner) : [];
  if (!bases) return undefined;
  const outer = bases.map((base) => base.getText());
  if (outer.some((text) => /\.use\(/.test(text))) return undefined;

  let isOpen = false;
  const set = new Set<string>();
  walk(context, owner.body, (node) => {
    if (node.type === AST_NODE_TYPES.CallExpression) {
      if (calledName(node) === 'use') isOpen = true;
      const [target] = node.arguments;
      if (calledName(node) === 'assign' && target && isSocketOrData(target)) isOpen = true;
    }
    if (node.type !== AST_NODE_TYPES.AssignmentExpression) return;
    const { left } = node;
    if (left.type !== AST_NODE_TYPES.MemberExpression) return;
    if (memberName(left) === 'data' && isSocketOrData(left.object)) isOpen = true;
    else set.add(memberName(left) ?? '');
  });
  let found: TSESTree.Node | undefined;
  walk(context, hook.value.body, (node) => {
    if (found || isOpen) return false;
    // Whoever is given the socket may set it; a logger and Socket.IO do not.
    if (
      node.type === AST_NODE_TYPES.CallExpression &&
      node.arguments.some((argument) => isName(argument, socket.name)) &&
      !/^(?:log|debug|verbose|warn|error|add|push|set|delete)$/.test(calledName(node))
    ) {
      isOpen = true;
      return false;
    }
    if (node.type === AST_NODE_TYPES.VariableDeclarator && node.init) {
      const source = unwrap(node.init);
      if (node.id.type === AST_NODE_TYPES.ObjectPattern && isDataOf(source)) {
        found = node.id.properties.find(
          (entry) => entry.type === AST_NODE_TYPES.Property && !isKnown(keyName(entry) ?? '', true),
        );
      }
    }
    if (node.type !== AST_NODE_TYPES.MemberExpression) return true;
    const { parent } = node;
    if (parent.type === AST_NODE_TYPES.AssignmentExpression && parent.left === node) return true;
    const name = memberName(node) ?? '';
    const isOfSocket = isName(unwrap(node.object), socket.name);
    if ((isOfSocket || isDataOf(unwrap(node.object))) && !isKnown(name, !isOfSocket)) found = node;
    return true;
  });
  return isOpen ? undefined : found;

  function isKnown(name: string, isData: boolean): boolean {
    return (
      set.has(name) ||
      (!isData && OWN.test(name)) ||
      outer.some((text) => new RegExp(`\\.${name}\\s*=[^=]`).test(text))
    );
  }

  function isDataOf(node: TSESTree.Node): boolean {
    return (
      node.type === AST_NODE_TYPES.MemberExpression &&
      memberName(node) === 'data' &&
      isName(unwrap(node.object), socket?.type === AST_NODE_TYPES.Identifier ? socket.name : '')
    );
  }

  function isSocketOrData(node: TSESTree.Node): boolean {
    const target = unwrap(node);
    return (
      kindOf(context, target) === 'socket' ||
      (target.type === AST_NODE_TYPES.MemberExpression && memberName(target) === 'data')
    );
  }
}

function isName(node: TSESTree.Node, name: string): boolean {
  return node.type === AST_NODE_TYPES.Identifier && node.name === name;
}
