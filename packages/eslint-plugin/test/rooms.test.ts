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
    { code: gateway(`a(id: string) { this.io.except(id).emit('x'); }`), errors: ['except'] },
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
