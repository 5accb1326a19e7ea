import { AST_NODE_TYPES } from '@typescript-eslint/utils';
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
  docs: {
    description: 'Emit to a room, never to a whole namespace',
    area: 'rooms',
    severity: 'high',
    why: 'An emit without a room, with an empty list of rooms, or with `except` alone reaches every socket of the namespace, those of other tenants too.',
    remedy: 'Name one room: `server.to(tenantRoom(tenantId)).emit(...)`.',
    cwe: 200,
    recommended: true,
  },
  messages: {
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
      const target = links.find(({ name, call }) => call !== undefined && TARGETS.has(name));
      if (!target) {
        const isExcept = links.some(({ name }) => name === 'except');
        context.report({ node, messageId: isExcept ? 'except' : 'everyone' });
        return;
      }
      const rooms = target.call?.arguments[0];
      if (rooms?.type === AST_NODE_TYPES.ArrayExpression && rooms.elements.length === 0) {
        context.report({ node, messageId: 'empty' });
      }
    },
  }),
});
