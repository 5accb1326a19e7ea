import { gateway, testRule } from './support/cases.js';

testRule('no-token-in-query', {
  valid: [
    gateway(`handleConnection(client: Socket) { return client.handshake.auth.token; }`),
    gateway(`handleConnection(client: Socket) { return client.handshake.query.room; }`),
    // A query of HTTP, and one of a database.
    `import { Server } from 'socket.io'; export const f = (req) => req.query.token;`,
    `import { Server } from 'socket.io'; export const f = (qb) => qb.query.token;`,
    gateway(`handleConnection(client: Socket) { return client.handshake.query.deviceToken; }`),
    // No socket anywhere.
    `export const f = (client) => client.handshake.query.token;`,
  ],
  invalid: [
    {
      code: gateway(`handleConnection(client: Socket) { return client.handshake.query.token; }`),
      errors: ['query'],
    },
    {
      code: gateway(
        `handleConnection(client: Socket) { return client.handshake?.query?.['access_token'] as string; }`,
      ),
      errors: ['query'],
    },
    {
      code: gateway(
        `handleConnection(client: Socket) { const { token, room } = client.handshake.query; return [token, room]; }`,
      ),
      errors: ['query'],
    },
    {
      code: `const { Server } = require('socket.io');
new Server().use((socket, next) => next(socket.handshake.query.jwt));`,
      errors: ['query'],
    },
    // A guard knows sockets by the context alone; a key lets in as well as a token.
    {
      code: `export class KeyGuard { canActivate(context) { return context.switchToWs().getClient().handshake.query.api_key === KEY; } }`,
      errors: ['query'],
    },
    {
      code: gateway(
        `handleConnection(client: Socket) { return client.handshake.query['session_api_key']; }`,
      ),
      errors: ['query'],
    },
  ],
});

testRule('no-token-in-headers', {
  valid: [
    gateway(`handleConnection(client: Socket) { return client.handshake.headers.origin; }`),
    `import { Server } from 'socket.io'; export const f = (req) => req.headers.authorization;`,
    // Nobody is let in by what is written, taken away, logged or compared with the page's own site.
    gateway(
      `afterInit(io: Server) { io.use((socket, next) => { socket.handshake.headers.authorization = 'x'; next(); }); }`,
    ),
    gateway(`handleConnection(client: Socket) { delete client.handshake.headers.cookie; }`),
    gateway(
      `handleConnection(client: Socket) { this.logger.debug('came', client.handshake.headers.cookie); }`,
    ),
    gateway(
      `handleConnection(client: Socket) { return isAllowedOrigin(client.handshake.headers.cookie); }`,
    ),
    // Plain websockets: the import is enough to know.
    `import { WebSocketGateway } from '@nestjs/websockets'; import { WebSocket } from 'ws';
@WebSocketGateway() export class G { handleConnection(client: WebSocket & { handshake: any }) { return client.handshake.headers.cookie; } }`,
  ],
  invalid: [
    {
      code: gateway(
        `handleConnection(client: Socket) { return client.handshake.headers.authorization?.split(' ')[1]; }`,
      ),
      errors: ['header'],
    },
    {
      code: gateway(
        `handleConnection(client: Socket) { return client.handshake.headers['x-access-token']; }`,
      ),
      errors: ['header'],
    },
    {
      code: gateway(
        `handleConnection(client: Socket) { const { cookie } = client.handshake.headers; return cookie; }`,
      ),
      errors: ['cookie'],
    },
  ],
});

testRule('no-auth-in-handle-connection', {
  valid: [
    gateway(`handleConnection(client: Socket) { client.join('user:' + client.data.sub); }`),
    gateway(`handleConnection(client: Socket) { client.emit('hello', client.handshake.address); }`),
    // A limit is no authentication.
    gateway(
      `count = 0; handleConnection(client: Socket) { if (this.count > 10) client.disconnect(); }`,
    ),
    // The middleware decides.
    gateway(`constructor(private readonly jwt: JwtService) {}
  afterInit(server: Server) { server.use((socket, next) => next()); }
  handleConnection(client: Socket) { if (!client.handshake.auth.token) client.disconnect(); }`),
    `export class Plain { handleConnection(client) { return this.jwt.verify(client.token); } }`,
  ],
  invalid: [
    {
      code: gateway(`constructor(private readonly jwt: JwtService) {}
  async handleConnection(client: Socket) {
    try { client.data = await this.jwt.verifyAsync(client.handshake.auth.token); } catch { client.disconnect(); }
  }
  @SubscribeMessage('a') a() { return this.list(); }`),
      errors: ['late'],
    },
    {
      code: gateway(`handleConnection(client: Socket) {
    const user = client.handshake.query.userId;
    if (!user) { client.disconnect(true); return; }
  }`),
      errors: ['meanwhile'],
    },
    {
      code: gateway(`async handleConnection(client: Socket) { await this.signIn(client); }
  private async signIn(client: Socket) { client.data.user = await this.auth.getUserFromToken(client.handshake.auth.token); }
  @SubscribeMessage('a') a(client: Socket) { return this.list(client.data.user); }`),
      errors: ['late'],
    },
    {
      code: gateway(`async handleConnection(client: Socket) { try { this.guard.validateSocket(client); } catch { this.close(client); } }
  @SubscribeMessage('a') a() { return this.list(); }`),
      errors: ['late'],
    },
    // In a callback that has a `this` of its own.
    {
      code: gateway(`handleConnection(client: Socket) { const gateway = this; this.tracer.trace('connect', function () { gateway.admit(client); }); }
  private admit(client: Socket) { client.data.user = this.jwt.verify(client.handshake.auth.token); }
  @SubscribeMessage('a') a(client: Socket) { return this.list(client.data.user); }`),
      errors: ['late'],
    },
    // Every handler turns away whom the hook has not let in yet: what is sent to all remains.
    {
      code: gateway(`async handleConnection(client: Socket) { client.data.member = await this.jwt.verifyAsync(client.handshake.auth.token); }
  @SubscribeMessage('a') a(@ConnectedSocket() client: Socket) { const { member } = client.data; if (!member) return { ok: false }; return this.list(member); }
  @SubscribeMessage('b') b(@ConnectedSocket() client: Socket) { if (!client.data.member) throw new WsException('no'); return 1; }`),
      errors: ['meanwhile'],
    },
  ],
});

testRule('no-throw-in-connection-hook', {
  valid: [
    gateway(`async handleConnection(client: Socket) { const self = this; await self.greet(client); }
  private async greet(client: Socket) { client.emit('hello'); }`),
    gateway(
      `async handleConnection(client: Socket) { try { await this.users.find(client.id); } catch { client.disconnect(); } }`,
    ),
    gateway(
      `async handleConnection(client: Socket) { await client.join('a'); await this.io.in('a').fetchSockets(); }`,
    ),
    gateway(
      `async handleDisconnect(client: Socket) { await this.presence.remove(client.id).catch(() => undefined); }`,
    ),
    gateway(`async handleDisconnect(client: Socket) { await this.gone(client); }
  private async gone(client: Socket) { try { await this.presence.remove(client.id); } catch { this.count += 1; } }`),
    gateway(
      `handleConnection(client: Socket) { return new Promise((resolve) => { resolve(client.id); }); }`,
    ),
    gateway(
      `handleConnection(client: Socket) { try { throw new Error('x'); } catch { client.disconnect(); } }`,
    ),
    gateway(`@SubscribeMessage('a') a() { throw new Error('the filter answers'); }`),
    gateway(
      `handleConnection(client: Socket) { client.on('x', () => { throw new Error('elsewhere'); }); }`,
    ),
  ],
  invalid: [
    {
      code: gateway(
        `handleConnection(client: Socket) { try { throw new Error('x'); } finally { client.join('a'); } }`,
      ),
      errors: ['thrown'],
    },
    {
      code: gateway(
        `async handleDisconnect(client: Socket) { await this.presence.remove(client.id); }`,
      ),
      errors: ['rejected'],
    },
    // In a method that the hook waits for; beside the try; by what the hook returns.
    {
      code: gateway(`async handleConnection(client: Socket) { await this.welcome(client); }
  private async welcome(client: Socket) { const user = await this.users.find(client.data.sub); client.join(roomOf(user)); }`),
      errors: ['rejected'],
    },
    {
      code: gateway(`async handleConnection(client: Socket) { try { await this.a(client.id); } catch { await this.log.save(client.id); } }
  private async a(id: string) { return id; }`),
      errors: ['rejected'],
    },
    {
      code: gateway(
        `async handleConnection(client: Socket) { return new Promise((resolve, reject) => { this.start(client).then(resolve).catch(reject); }); }`,
      ),
      errors: ['rejected'],
    },
    {
      code: gateway(
        `handleConnection(client: Socket) { if (!client.data.user) throw new Error('x'); }`,
      ),
      errors: ['thrown'],
    },
    {
      code: gateway(
        `handleConnection(client: Socket) { try { client.join('a'); } catch (error) { throw error; } }`,
      ),
      errors: ['thrown'],
    },
    {
      code: gateway(
        `handleDisconnect(client: Socket) { try { client.join('a'); } finally { throw new Error('x'); } }`,
      ),
      errors: ['thrown'],
    },
  ],
});

testRule('no-guard-on-connection', {
  valid: [
    gateway(`@UseGuards(WsGuard) @SubscribeMessage('a') a() {}`),
    gateway(`handleConnection(client: Socket) { client.emit('hello'); }`),
    // Somebody else sets the user.
    `import { UseGuards } from '@nestjs/common';
import { WebSocketGateway } from '@nestjs/websockets';
@UseGuards(WsGuard)
@WebSocketGateway()
export class G extends Base { handleConnection(client) { return client.data.user.id; } }`,
  ],
  invalid: [
    {
      code: gateway(
        `@UseGuards(WsGuard) handleConnection(client: Socket) { client.emit('hello'); }`,
      ),
      errors: ['hook'],
    },
    {
      code: gateway(`@UsePipes(Pipe) handleDisconnect(client: Socket) { client.emit('bye'); }`),
      errors: ['hook'],
    },
    {
      code: `import { UseGuards as Guarded } from '@nestjs/common';
import * as ws from '@nestjs/websockets';
@ws.WebSocketGateway()
export class G { @Guarded(WsGuard) handleConnection() {} }`,
      errors: ['hook'],
    },
  ],
});

testRule('no-verify-per-message', {
  valid: [
    gateway(
      `afterInit(server: Server) { server.use((s, next) => { this.jwt.verify(s.handshake.auth.token); next(); }); }`,
    ),
    // The message brings it.
    gateway(
      `@SubscribeMessage('authenticate') a(@MessageBody() data: { token: string }) { return this.jwt.verify(data.token); }`,
    ),
    // A guard of HTTP.
    `import { JwtService } from '@nestjs/jwt';
export class HttpGuard { canActivate(context) { return this.jwt.verify(context.switchToHttp().getRequest().token); } }
// SubscribeMessage`,
  ],
  invalid: [
    {
      code: gateway(
        `@SubscribeMessage('a') a(@ConnectedSocket() client: Socket) { return this.jwt.verify(client.handshake.auth.token); }`,
      ),
      errors: ['again'],
    },
    {
      code: `export class WsGuard { canActivate(context) {
  const client = context.switchToWs().getClient();
  return this.jwt.verifyAsync(client.handshake.auth.token);
} }`,
      errors: ['again'],
    },
  ],
});

testRule('require-jwt-algorithms', {
  valid: [
    gateway(`constructor(private readonly jwt: JwtService) {}
  check(token: string) { return this.jwt.verify(token, { algorithms: ['RS256'] }); }`),
    // Options that are made elsewhere are not judged.
    gateway(`constructor(private readonly jwt: JwtService) {}
  check(token: string, options) { return this.jwt.verify(token, options); }`),
    gateway(`constructor(private readonly jwt: JwtService) {}
  check(token: string) { return this.jwt.verify(token, { ...OPTIONS }); }`),
    // Another service's verify.
    gateway(
      `constructor(private readonly captcha: CaptchaService) {} check(token: string) { return this.captcha.verify(token); }`,
    ),
    `import { jwtVerify } from 'jose'; import 'socket.io';
export const f = (token, key) => jwtVerify(token, key, { algorithms: ['ES256'] });`,
    // No realtime code.
    `import { verify } from 'jsonwebtoken'; export const f = (token) => verify(token, 'secret');`,
    // The module pins them.
    `import { JwtModule, JwtService } from '@nestjs/jwt'; import 'socket.io';
JwtModule.register({ secret: 's', verifyOptions: { algorithms: ['HS256'] } });
export class A { constructor(private jwt: JwtService) {} f(t) { return this.jwt.verify(t); } }`,
  ],
  invalid: [
    {
      code: gateway(
        `constructor(private readonly jwt: JwtService) {} check(token: string) { return this.jwt.verify(token); }`,
      ),
      errors: ['secret'],
    },
    {
      code: gateway(`constructor(private readonly jwt: JwtService) {}
  check(token: string) { return this.jwt.verifyAsync(token, { publicKey: process.env.JWT_PUBLIC_KEY }); }`),
      errors: ['unpinned'],
    },
    {
      code: gateway(`constructor(private readonly jwt: JwtService) {}
  check(token: string) { return this.jwt.verifyAsync(token, { secret: process.env.JWT_SECRET }); }`),
      errors: ['secret'],
    },
    {
      code: `import * as jwt from 'jsonwebtoken'; import { Server } from 'socket.io';
new Server().use((socket, next) => { jwt.verify(socket.handshake.auth.token, 'secret', (error) => next(error)); });`,
      errors: ['secret'],
    },
    {
      code: `import { jwtVerify as check } from 'jose'; import 'socket.io';
export const f = (token, key) => check(token, key);`,
      errors: ['unpinned'],
    },
  ],
});

// Needs a whole program: the recipe has its finding, these are what it must leave alone.
testRule('require-gateway-auth', {
  valid: [
    gateway(`@SubscribeMessage('a') a() {}`),
    `import { WebSocketGateway } from '@nestjs/websockets'; @WebSocketGateway() export class G extends Base {}`,
  ],
  invalid: [],
});
