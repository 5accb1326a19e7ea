import { gateway, testRule } from './support/cases.js';

const handler = (body: string, param = '@MessageBody() data: Dto'): string =>
  gateway(
    `@SubscribeMessage('x') async x(@ConnectedSocket() client: Socket, ${param}) { ${body} }`,
  );

testRule('no-broadcast-without-room', {
  valid: [
    gateway(`a() { this.io.to(room).emit('x'); this.io.in(room).except(id).volatile.emit('x'); }`),
    gateway(
      `a(client: Socket) { client.emit('x'); client.to(room).emit('x'); client.broadcast.to(room).emit('x'); }`,
    ),
    // A namespace of its own for each game is a scope.
    gateway(`a(game: Game) { this.io.of(game.namespace).emit('x'); }`),
    gateway('a(id: string) { this.io.of(`/games/${id}`).emit("x"); }'),
    gateway(`sendToUser(userId: string) { this.io.to(userRoom(userId)).emit('x'); }`),
    gateway(
      `broadcastFrom(userId: string) { this.io.to(room).except(userRoom(userId)).emit('x'); }`,
    ),
    // One socket out of all.
    gateway(`a(id: string) { this.io.sockets.sockets.get(id)?.emit('x'); }`),
    gateway(`a(rooms: string[]) { this.io.to(rooms).emit('x'); }`),
    // Other emitters, and the server of another library.
    gateway(
      `constructor(private readonly events: EventEmitter2) {} a() { this.events.emit('x'); }`,
    ),
    `import { WebSocketGateway, WebSocketServer } from '@nestjs/websockets'; import { Server } from 'ws';
@WebSocketGateway() export class G { @WebSocketServer() server: Server; a() { this.server.emit('x'); } }`,
    `import { Socket } from 'socket.io-client'; import 'socket.io'; export const f = (socket: Socket) => socket.emit('x');`,
  ],
  invalid: [
    { code: gateway(`a() { this.io.emit('x'); }`), errors: ['everyone'] },
    { code: gateway(`a() { this.io.of('/chat').emit('x'); }`), errors: ['everyone'] },
    { code: gateway(`a() { this.io.sockets.emit('x'); }`), errors: ['everyone'] },
    { code: gateway(`a(client: Socket) { client.broadcast.emit('x'); }`), errors: ['everyone'] },
    { code: gateway(`a(client: Socket) { client.server.emit('x'); }`), errors: ['everyone'] },
    { code: gateway(`a() { this.io.to([]).emit('x'); }`), errors: ['empty'] },
    {
      code: gateway(`a(id: string) { this.io.except(id).emit('x'); }`),
      errors: ['except'],
      suggestions: {
        0: { messageId: 'to', output: gateway(`a(id: string) { this.io.to(id).emit('x'); }`) },
      },
    },
    {
      code: gateway(
        `notifyUser(userId: string) { this.io.to(tenantRoom(this.tenant)).except(userRoom(userId)).emit('x'); }`,
      ),
      errors: ['inverted'],
      suggestions: {
        0: {
          messageId: 'to',
          output: gateway(`notifyUser(userId: string) { this.io.to(userRoom(userId)).emit('x'); }`),
        },
      },
    },
    { code: gateway(`a() { this.io.of(CHAT_NAMESPACE).emit('x'); }`), errors: ['everyone'] },
    // A consumer that reaches into the gateway.
    {
      code: `import { ChatGateway } from './chat.gateway';
export class OrderConsumer { constructor(private readonly gateway: ChatGateway) {} done() { this.gateway.server.emit('x'); } }`,
      errors: ['everyone'],
    },
    {
      code: `import { Namespace } from 'socket.io';
export class Broadcaster { constructor(private readonly chat: Namespace) {} all() { this.chat.emit('x'); } }`,
      errors: ['everyone'],
    },
    {
      code: `import { Server } from 'socket.io'; const io = new Server(3000);
io.on('connection', (socket) => { socket.on('x', () => io.emit('x')); socket.broadcast.emit('joined'); });`,
      errors: ['everyone', 'everyone'],
    },
  ],
});

testRule('no-room-from-client-input', {
  valid: [
    handler(`await client.join(tenantRoom(client.data.tenantId));`),
    // Asked first, in the ways that people ask.
    handler(
      `await this.rooms.assertMember(client.data.userId, data.room); client.join(data.room);`,
    ),
    handler(
      `const isMember = await this.rooms.isMember(client.data.userId, data.room); if (!isMember) return; client.join(data.room);`,
    ),
    handler(`if (!(await this.rooms.find(data.room))) throw new Error(); client.join(data.room);`),
    handler(
      `const room = await this.rooms.findOne(data.room, client.data.userId); client.join('room:' + data.room); return room;`,
    ),
    handler(`if (!client.rooms.has(data.room)) return; this.io.to(data.room).emit('x');`),
    gateway(
      `@UseGuards(RoomMemberGuard) @SubscribeMessage('x') x(@ConnectedSocket() client: Socket, @MessageBody() data: Dto) { client.join(data.room); }`,
    ),
    handler(
      `const order = await this.orders.get(data.id); const isOwner = order.owner === client.data.userId;
if (!isOwner) return; client.join('order:' + data.id);`,
    ),
    handler(
      `const sent = await this.chat.send(data.room, client.data.userId, data.text); this.io.to(data.room).emit('x', sent);`,
    ),
    handler(`if (client.data.room !== data.room) return; this.io.to(data.room).emit('x');`),
    gateway(
      `async handleConnection(client: Socket) { const { board } = client.handshake.auth; await this.boards.assertMember(client.data.sub, board); client.join(board); }`,
    ),
    gateway(
      `async handleConnection(client: Socket) { const claims = await this.jwt.verifyAsync(client.handshake.auth.token); client.join(roomOf(claims.sub)); }`,
    ),
    // What the server looked up is not what the client sent.
    handler(`const chat = await this.chats.byInvite(data.code); client.join(chat.room);`),
    handler(`client.join(this.rooms.nameOf(data.id));`),
    handler(`client.leave(data.room);`),
    // No handler of a client.
    gateway(`notify(data: Dto) { this.io.to(data.room).emit('x'); }`),
  ],
  invalid: [
    { code: handler(`client.join(data.room);`), errors: ['join'] },
    { code: handler(`await client.join(\`chat:\${data.room}\`);`), errors: ['join'] },
    {
      code: handler(`const { room } = data; client.join('room-' + room.trim());`),
      errors: ['join'],
    },
    { code: handler(`client.join(room);`, `@MessageBody('room') room: string`), errors: ['join'] },
    { code: handler(`client.join(room);`, `@MessageBody() { room }: Dto`), errors: ['join'] },
    { code: handler(`this.io.to(data.room).emit('x', data.text);`), errors: ['emit'] },
    { code: handler(`client.to(data.room).emit('x', data.text);`), errors: ['emit'] },
    {
      code: gateway(
        `@SubscribeMessage('x') x(client: Socket, room: string) { client.join(room); }`,
      ),
      errors: ['join'],
    },
    // What the gateway keeps in a list says who is there, not who may.
    {
      code: handler(
        `if (!this.online.has(data.to)) return; this.io.to(data.to).emit('x');`,
      ).replace(
        '@WebSocketServer() io',
        'online = new Map<string, string>(); @WebSocketServer() io',
      ),
      errors: ['emit'],
    },
    // Said when it connects, in a hook, a middleware or a handler; a token beside it proves nothing of it.
    {
      code: gateway(
        'async handleConnection(client: Socket) { client.join(`team:${client.handshake.query.team}`); }',
      ),
      errors: ['join'],
    },
    {
      code: gateway(
        `async handleConnection(client: Socket) { const { token, board } = client.handshake.auth; await this.jwt.verifyAsync(token); client.join(board); }`,
      ),
      errors: ['join'],
    },
    {
      code: gateway(
        `afterInit(io: Server) { io.use((socket, next) => { socket.join(socket.handshake.auth.room); next(); }); }`,
      ),
      errors: ['join'],
    },
    {
      code: gateway(
        `@SubscribeMessage('x') x(@ConnectedSocket() client: Socket) { client.join(client.handshake.query.room); }`,
      ),
      errors: ['join'],
    },
    { code: handler(`client.join(data.room);`, `@Body() data: Dto`), errors: ['join'] },
    // A look at the shape is no permission, nor is a log, nor what only says who is asking.
    { code: handler(`if (!data?.room) return; client.join(data.room);`), errors: ['join'] },
    { code: handler(`this.logger.log(data.room); client.join(data.room);`), errors: ['join'] },
    {
      code: gateway(
        `@UseGuards(WsJwtGuard) @SubscribeMessage('x') x(@ConnectedSocket() client: Socket, @MessageBody() data: Dto) { client.join(data.room); }`,
      ),
      errors: ['join'],
    },
    {
      code: handler(
        `await this.messages.save({ room: data.room, author: client.data.userId }); this.io.to(data.room).emit('x');`,
      ),
      errors: ['emit'],
    },
  ],
});

testRule('no-inline-room-name', {
  valid: [
    gateway(`a(id: string) { this.io.to(userRoom(id)).emit('x'); }`),
    gateway(`a() { this.io.to('lobby').emit('x'); }`),
    gateway('a(id: string) { this.cache.in(`user:${id}`); }'),
    // Told by no-room-from-client-input.
    handler('client.join(`chat:${data.room}`);'),
  ],
  invalid: [
    { code: gateway('a(id: string) { this.io.to(`user:${id}`).emit("x"); }'), errors: ['inline'] },
    {
      code: gateway(`handleConnection(client: Socket) { client.join('user:' + client.data.sub); }`),
      errors: ['inline'],
    },
    { code: handler('client.leave(`chat:${data.room}`);'), errors: ['inline'] },
  ],
});

testRule('no-tenant-from-payload', {
  valid: [
    handler(`return this.service.find(client.data.tenantId, data.id);`),
    handler(
      `await this.tenants.assertMember(client.data.userId, data.tenantId); return this.service.find(data.tenantId);`,
    ),
    gateway(
      `broadcast(event: { tenantId: string }) { this.io.to(tenantRoom(event.tenantId)).emit('x'); }`,
    ),
    { code: handler(`return data.tenantId;`), options: [{ names: ['companyId'] }] },
  ],
  invalid: [
    { code: handler(`return this.service.find(data.tenantId);`), errors: ['payload'] },
    { code: handler(`const { tenantId } = data; return tenantId;`), errors: ['payload'] },
    { code: handler(`return tenantId;`, `@MessageBody() { tenantId }: Dto`), errors: ['payload'] },
    { code: handler(`return id;`, `@MessageBody('tenantId') id: string`), errors: ['payload'] },
    {
      code: gateway(
        `handleConnection(client: Socket) { client.data.tenantId = client.handshake.query.tenantId; }`,
      ),
      errors: ['handshake'],
    },
    {
      code: gateway(
        `handleConnection(client: Socket) { return client.handshake.headers['x-tenant-id']; }`,
      ),
      errors: ['handshake'],
    },
    {
      code: handler(`return data.companyId;`),
      options: [{ names: ['companyId'] }],
      errors: ['payload'],
    },
  ],
});
