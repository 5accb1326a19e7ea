import { gateway, testRule } from './support/cases.js';

/** Who a client is, what it may read, and what a token proves. */
const handler = (body: string): string =>
  gateway(
    `@SubscribeMessage('x') async x(@ConnectedSocket() client: Socket, @MessageBody() dto: Dto) { ${body} }`,
  );

testRule('no-identity-from-client', {
  valid: [
    handler(`return this.chat.save({ senderId: client.data.userId, text: dto.text });`),
    // Whom it is for, or what it is about, is the client's to say.
    handler(`return this.users.profile(dto.userId);`),
    handler(`if (dto.senderId !== client.data.userId) throw new WsException('no');`),
    handler(`await this.teams.assertMember(client.data.sub, dto.authorId); return dto.authorId;`),
    handler(`this.typing.set(dto.userId, Date.now());`),
    // Only told to whoever reads the log.
    handler('this.logger.verbose(`from ${dto.from}`); return 1;'),
    gateway(
      `async handleConnection(client: Socket) { const { token, userId } = client.handshake.auth; const claims = await this.jwt.verifyAsync(token); if (claims.sub !== userId) client.disconnect(); }`,
    ),
    gateway(
      `notify(event: { senderId: string }) { this.io.to(userRoom(event.senderId)).emit('x'); }`,
    ),
  ],
  invalid: [
    { code: handler(`return this.chat.save(dto.senderId, dto.text);`), errors: ['said'] },
    { code: handler(`client.data.userId = dto.userId;`), errors: ['said'] },
    { code: handler(`this.sockets.set(dto.userId, client.id);`), errors: ['said'] },
    {
      code: gateway(
        `handleConnection(client: Socket) { this.online.add(String(client.handshake.query.userId)); }`,
      ),
      errors: ['said'],
    },
    {
      code: gateway(
        `handleConnection(client: Socket) { const { accountId } = client.handshake.auth; this.online.add(accountId); }`,
      ),
      errors: ['said'],
    },
  ],
});

testRule('no-unchecked-resource', {
  valid: [
    handler(`return this.messages.remove(dto.messageId, client.data.userId);`),
    handler(`return this.messageService.update(dto.id, dto.text, client.user);`),
    handler(
      `await this.access.assertOwner(client, dto.id); return this.messageService.remove(dto.id);`,
    ),
    gateway(
      `@UseGuards(OwnerGuard) @SubscribeMessage('x') x(@MessageBody() dto: Dto) { return this.messageService.remove(dto.id); }`,
    ),
    gateway(
      `@SubscribeMessage('x') x(@CurrentUser() user: User, @MessageBody() dto: Dto) { return this.messageService.remove(dto.id, user.id); }`,
    ),
    // Nothing that the client named.
    handler(`return this.messageService.findOne(this.latest);`),
    handler(`return this.seen.delete(dto.id);`),
  ],
  invalid: [
    { code: handler(`return this.messageService.remove(dto.messageId);`), errors: ['unchecked'] },
    {
      code: handler(
        `return this.prisma.order.update({ where: { id: dto.order_id }, data: { done: true } });`,
      ),
      errors: ['unchecked'],
    },
    {
      code: gateway(
        `@SubscribeMessage('x') x(@MessageBody('chatId') chatId: string) { return this.chatRepository.findOneBy({ id: chatId }); }`,
      ),
      errors: ['unchecked'],
    },
  ],
});

testRule('no-decode-as-verification', {
  valid: [
    gateway(`who(token: string) { return this.jwtService.verify(token); }`),
    // Its expiry, after it was verified.
    gateway(
      `async who(token: string) { await this.jwtService.verifyAsync(token); return this.jwtService.decode(token).exp; }`,
    ),
    gateway(`read(text: string) { return this.decoder.decode(text); }`),
    `import { jwtDecode } from 'jwt-decode'; export const nameOf = (token) => jwtDecode(token).name;`,
  ],
  invalid: [
    {
      code: gateway(
        `handleConnection(client: Socket) { client.data.user = this.jwtService.decode(client.handshake.auth.token); }`,
      ),
      errors: ['decoded'],
    },
    {
      code: `import { decode } from 'jsonwebtoken'; import { Server } from 'socket.io';
new Server().use((socket, next) => { socket.data.user = decode(socket.handshake.auth.token); next(); });`,
      errors: ['decoded'],
    },
    {
      code: `import jwtDecode from 'jwt-decode';
export class G { canActivate(c) { return jwtDecode(c.switchToWs().getClient().handshake.auth.token) !== null; } }`,
      errors: ['decoded'],
    },
  ],
});

testRule('no-secret-in-source', {
  valid: [
    `import { JwtModule } from '@nestjs/jwt'; JwtModule.register({ secret: process.env.JWT_SECRET });`,
    `import { JwtModule } from '@nestjs/jwt'; JwtModule.registerAsync({ useFactory: (c) => ({ secret: c.getOrThrow('JWT_SECRET') }) });`,
    `import { JwtModule } from '@nestjs/jwt'; session({ secret: 'of something else' });`,
    `import jwt from 'jsonwebtoken'; export const f = (t) => jwt.verify(t, KEY);`,
  ],
  invalid: [
    {
      code: `import { JwtModule } from '@nestjs/jwt'; JwtModule.register({ secret: 'tell-nobody' });`,
      errors: ['written'],
    },
    {
      code: `import { JwtModule } from '@nestjs/jwt'; JwtModule.registerAsync({ useFactory: () => ({ secret: process.env.KEY ?? 'dev' }) });`,
      errors: ['fallback'],
    },
    {
      code: gateway(
        `check(t: string) { return this.jwtService.verifyAsync(t, { secret: 'x1' }); }`,
      ),
      errors: ['written'],
    },
    {
      code: `import { sign } from 'jsonwebtoken'; const SECRET = process.env.S || 'dev'; export const f = (u) => sign(u, SECRET);`,
      errors: ['fallback'],
    },
  ],
});
