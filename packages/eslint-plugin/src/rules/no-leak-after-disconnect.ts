import { AST_NODE_TYPES } from '@typescript-eslint/utils';
import type { TSESTree } from '@typescript-eslint/utils';
import { calledName, contains, keyName, memberName, methodCall, unwrap, walk } from '../ast.js';
import type { ClassNode, Context } from '../ast.js';
import { gatewayOf, methodsOf } from '../nest.js';
import type { Gateway } from '../nest.js';
import { createRule, GATEWAY } from '../rule.js';
import { kindOf } from '../sockets.js';

export default createRule({
  name: 'no-leak-after-disconnect',
  only: GATEWAY,
  docs: {
    description: 'Let nothing of a client outlive its disconnect',
    area: 'gateway',
    severity: 'medium',
    why: 'An entry, a timer or a listener per connection that nobody removes grows until the process dies, and works on for a client that has gone.',
    remedy:
      'Remove in handleDisconnect what handleConnection and the handlers add; keep what belongs to a socket in `socket.data`.',
    cwe: 401,
    recommended: true,
  },
  messages: {
    entry:
      'Nothing takes this entry out of {{name}} when its client disconnects. Remove it in handleDisconnect.',
    interval: 'Nothing clears this interval when its client disconnects. Clear it on "disconnect".',
    listener:
      'Nothing removes this listener when its client disconnects. Remove it on "disconnect".',
  },
  create(context) {
    const check = (node: ClassNode): void => {
      const gateway = gatewayOf(context, node);
      if (!gateway) return;
      for (const method of methodsOf(node)) {
        const isPerClient =
          keyName(method) === 'handleConnection' ||
          gateway.handlers.some((handler) => handler.method === method);
        if (isPerClient && method.value.body) checkBody(method.value.body, gateway);
      }
    };
    const checkBody = (body: TSESTree.Node, gateway: Gateway): void => {
      walk(context, body, (node) => {
        const added = addedTo(context, node);
        if (added && !isRemovedFrom(context, gateway.node, added)) {
          context.report({ node, messageId: 'entry', data: { name: added } });
        }
        if (node.type !== AST_NODE_TYPES.CallExpression) return;
        const name = calledName(node);
        if (
          name === 'setInterval' &&
          !calls(context, gateway.node, /^clear(?:Interval|Timeout)$/)
        ) {
          context.report({ node, messageId: 'interval' });
        }
        const call = methodCall(node);
        if (!call || !isEmitter(call)) return;
        if (kindOf(context, call.object) !== undefined) return;
        if (
          !calls(context, gateway.node, /^(?:off|removeListener|removeAllListeners|unsubscribe)$/)
        ) {
          context.report({ node, messageId: 'listener' });
        }
      });
    };
    return { ClassDeclaration: check, ClassExpression: check };
  },
});

/** `this.clients`, where an entry is added under the id of a socket or with one. */
function addedTo(context: Context, node: TSESTree.Node): string | undefined {
  const isOfSocket = (part: TSESTree.Node): boolean =>
    contains(context, part, (inner) => {
      if (inner.type === AST_NODE_TYPES.MemberExpression) {
        return memberName(inner) === 'id' && kindOf(context, inner.object) === 'socket';
      }
      return inner.type === AST_NODE_TYPES.Identifier && inner === part
        ? kindOf(context, inner) === 'socket'
        : false;
    });
  const call = methodCall(node);
  if (call && node.type === AST_NODE_TYPES.CallExpression) {
    const list = ownProperty(call.object);
    if (!list || kindOf(context, call.object)) return undefined;
    const [key] = node.arguments;
    const isAdded =
      (call.name === 'set' && node.arguments.length === 2 && key && isOfSocket(key)) ||
      (call.name === 'add' && node.arguments.length === 1 && key && isOfSocket(key)) ||
      (call.name === 'push' && node.arguments.some(isOfSocket));
    return isAdded ? list : undefined;
  }
  if (
    node.type === AST_NODE_TYPES.AssignmentExpression &&
    node.left.type === AST_NODE_TYPES.MemberExpression &&
    node.left.computed &&
    isOfSocket(node.left.property)
  ) {
    return ownProperty(node.left.object);
  }
  return undefined;
}

function ownProperty(node: TSESTree.Node): string | undefined {
  const owner = unwrap(node);
  return owner.type === AST_NODE_TYPES.MemberExpression &&
    owner.object.type === AST_NODE_TYPES.ThisExpression
    ? memberName(owner)
    : undefined;
}

function isRemovedFrom(context: Context, owner: ClassNode, name: string): boolean {
  const declared = owner.body.body.find(
    (member) => member.type === AST_NODE_TYPES.PropertyDefinition && keyName(member) === name,
  );
  // An injected store of sessions has its own ways to forget.
  if (!declared) return true;
  if (/Weak(?:Map|Set)|LRU/.test(context.sourceCode.getText(declared))) return true;
  return contains(context, owner.body, (node) => {
    if (node.type === AST_NODE_TYPES.UnaryExpression && node.operator === 'delete') {
      const target = unwrap(node.argument);
      return target.type === AST_NODE_TYPES.MemberExpression && ownProperty(target.object) === name;
    }
    if (node.type === AST_NODE_TYPES.AssignmentExpression) return ownProperty(node.left) === name;
    const call = methodCall(node);
    return (
      call !== undefined &&
      /^(?:delete|clear|splice|pop|shift|remove\w*)$/.test(call.name) &&
      ownProperty(call.object) === name
    );
  });
}

function calls(context: Context, owner: ClassNode, name: RegExp): boolean {
  return contains(
    context,
    owner.body,
    (node) => node.type === AST_NODE_TYPES.CallExpression && name.test(calledName(node)),
  );
}

/** `this.events.on(...)` of an injected emitter. */
function isEmitter(call: { object: TSESTree.Node; name: string }): boolean {
  if (call.name !== 'on' && call.name !== 'addListener') return false;
  return /emitter|events?(?:bus)?$|bus$/i.test(ownProperty(call.object) ?? '');
}
