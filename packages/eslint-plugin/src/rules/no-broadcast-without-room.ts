import { AST_NODE_TYPES } from '@typescript-eslint/utils';
import type { TSESLint, TSESTree } from '@typescript-eslint/utils';
import { contains, enclosingFunction, initializerOf, keyName, stringOf } from '../ast.js';
import type { Context } from '../ast.js';
import { boundPattern } from '../nest.js';
import { createRule, SERVER } from '../rule.js';
import { chainOf, kindOf } from '../sockets.js';

const TARGETS = new Set(['to', 'in']);
/** What leaves a chain a broadcast; `server.sockets.sockets.get(id)` is one socket. */
const LINKS = new Set([
  ...TARGETS,
  ...['emit', 'emitWithAck', 'send', 'write', 'of', 'except', 'compress', 'timeout'],
  ...['sockets', 'local', 'volatile', 'broadcast', 'server', 'nsp'],
]);

export default createRule({
  name: 'no-broadcast-without-room',
  only: SERVER,
  about: 'socket.io',
  docs: {
    description: 'Emit to a room, never to a whole namespace',
    area: 'rooms',
    severity: 'high',
    why: 'An emit without a room, with an empty list of rooms, or with `except` alone reaches every socket of the namespace, those of other tenants too.',
    remedy: 'Name one room: `server.to(tenantRoom(tenantId)).emit(...)`.',
    cwe: 200,
    recommended: true,
  },
  hasSuggestions: true,
  messages: {
    to: 'Send it to this room instead',
    inverted:
      '`except` leaves this receiver out, and everybody else of the room gets what is theirs. Name the receiver with `to`.',
    everyone:
      'This reaches every client of the namespace, whoever they are. Name a room: .to(room).emit(...).',
    empty: 'An empty list of rooms is no room: this reaches every client of the namespace.',
    except:
      '`except` leaves out some of all clients; it does not choose any. Name a room with `to` first.',
  },
  create: (context) => ({
    CallExpression(node) {
      const { root, links } = chainOf(node);
      const last = links.at(-1);
      if (last?.call !== node || !/^(?:emit|emitWithAck|send|write)$/.test(last.name)) return;
      if (!links.every(({ name }) => LINKS.has(name))) return;
      const kind = kindOf(context, root);
      const isWider = links.some(({ name }) => ['broadcast', 'server', 'nsp'].includes(name));
      if (kind !== 'server' && !(kind === 'socket' && isWider)) return;
      // A namespace of its own for each game or tenant is what a room is elsewhere.
      if (links.some(({ name, call }) => name === 'of' && isComputed(context, call))) return;
      const target = links.find(({ name, call }) => call !== undefined && TARGETS.has(name));
      const except = links.find(({ name, call }) => call !== undefined && name === 'except')?.call;
      const toReceiver = (): { messageId: 'to'; fix: TSESLint.ReportFixFunction }[] => {
        const callee = except?.callee;
        const [first] = except?.arguments ?? [];
        if (callee?.type !== AST_NODE_TYPES.MemberExpression || !first) return [];
        const start = chainStart(root, callee.object);
        const text = context.sourceCode.getText(first);
        return [
          {
            messageId: 'to',
            fix: (fixer) =>
              fixer.replaceTextRange(
                [start.range[1], except?.range[1] ?? start.range[1]],
                `.to(${text})`,
              ),
          },
        ];
      };
      if (!target) {
        context.report({
          node,
          messageId: except ? 'except' : 'everyone',
          suggest: except ? toReceiver() : [],
        });
        return;
      }
      if (except && isReceiver(context, node, except.arguments[0])) {
        context.report({ node, messageId: 'inverted', suggest: toReceiver() });
        return;
      }
      const rooms = target.call?.arguments[0];
      if (rooms?.type === AST_NODE_TYPES.ArrayExpression && rooms.elements.length === 0) {
        context.report({ node, messageId: 'empty' });
      }
    },
  }),
});

/** `of(this.roomId)`: one of many, and not the name of a constant. */
function isComputed(context: Context, call: TSESTree.CallExpression | undefined): boolean {
  const [name] = call?.arguments ?? [];
  if (!name || stringOf(initializerOf(context, name) ?? name) !== undefined) return false;
  const last =
    name.type === AST_NODE_TYPES.Identifier
      ? name.name
      : name.type === AST_NODE_TYPES.MemberExpression && 'name' in name.property
        ? name.property.name
        : '';
  return !/^[A-Z][A-Z0-9_]*$/.test(last);
}

/** The server or namespace that a chain of rooms hangs on. */
function chainStart(root: TSESTree.Node, object: TSESTree.Node): TSESTree.Node {
  let current = object;
  while (
    current !== root &&
    current.type === AST_NODE_TYPES.CallExpression &&
    current.callee.type === AST_NODE_TYPES.MemberExpression &&
    ['to', 'in', 'except'].includes(
      'name' in current.callee.property ? current.callee.property.name : '',
    )
  ) {
    current = current.callee.object;
  }
  return current;
}

/** `sendToUser(userId)` that leaves out the very user it is for. */
function isReceiver(
  context: Context,
  node: TSESTree.Node,
  room: TSESTree.Node | undefined,
): boolean {
  const around = enclosingFunction(node);
  if (!room || !around) return false;
  const owner = around.parent;
  const name =
    owner?.type === AST_NODE_TYPES.MethodDefinition
      ? (keyName(owner) ?? '')
      : 'id' in around && around.id
        ? around.id.name
        : '';
  if (
    !/(?:[tT]o|notify)(?:User|Member|Recipient|Receiver|Client|Owner|Customer|Driver)/.test(name)
  ) {
    return false;
  }
  const names = around.params
    .map(boundPattern)
    .flatMap((bound) => ('name' in bound ? [bound.name] : []));
  return contains(
    context,
    room,
    (part) =>
      part.type === AST_NODE_TYPES.Identifier &&
      names.includes(part.name) &&
      /user|member|recipient|receiver|client|owner|customer|driver|^to$|^id$/i.test(part.name),
  );
}
