import { type INestApplication, Module } from '@nestjs/common';
import { JwtModule } from '@nestjs/jwt';
import { Test } from '@nestjs/testing';
import jwt from 'jsonwebtoken';
import { generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { resolve } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { WsAuthGuard as OneTenantGuard, TENANT } from './login/one-tenant.guard.js';
import { TokenController } from './login/token.controller.js';
import { JWT_SECRET, Stack } from './support/stack.js';

const read = (path: string): string =>
  readFileSync(resolve(import.meta.dirname, path), 'utf-8').trim();
const DOC = read('../../../docs/login.md');

const open: { close(): unknown }[] = [];
afterEach(() => Promise.all(open.splice(0).map((one) => one.close())));

const start = async (options: Parameters<typeof Stack.start>[0]): Promise<Stack> => {
  const stack = await Stack.start(options);
  open.push(stack);
  return stack;
};
const letsIn = async (stack: Stack, token: string) => {
  const socket = await stack.connect('/notifications', token);
  expect(socket.connected).toBe(true);
};

it.each(['token.controller.ts', 'one-tenant.guard.ts'])('the page holds %s as it runs', (name) => {
  expect(DOC).toContain(read(`login/${name}`));
});

it('a token endpoint of the app signs what realtime takes, and refuses who is not signed in', async () => {
  @Module({
    imports: [JwtModule.register({ secret: JWT_SECRET })],
    controllers: [TokenController],
  })
  class AppModule {}
  const module = await Test.createTestingModule({ imports: [AppModule] }).compile();
  const app: INestApplication = module.createNestApplication({ logger: false });
  open.push(app);
  app.use((request: { headers: object; user?: object }, _response: unknown, next: () => void) => {
    if ('cookie' in request.headers) request.user = { id: 7, tenantId: 'acme' };
    next();
  });
  await app.listen(0, '127.0.0.1');
  const { port } = app.getHttpServer().address() as AddressInfo;
  const ask = (headers: Record<string, string>) =>
    fetch(`http://127.0.0.1:${port}/realtime/token`, { method: 'POST', headers });
  expect((await ask({})).status).toBe(401);
  const { token } = (await (await ask({ cookie: 'session=1' })).json()) as { token: string };
  expect(jwt.decode(token)).toMatchObject({ sub: '7', tenantId: 'acme' });
  await letsIn(await start({}), token);
});

it('an OIDC provider is taken by its key set, issuer and audience', async () => {
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const keys = [{ ...publicKey.export({ format: 'jwk' }), kid: 'k1', use: 'sig', alg: 'RS256' }];
  const provider = createServer((_request, response) => {
    response.setHeader('content-type', 'application/json').end(JSON.stringify({ keys }));
  }).listen(0, '127.0.0.1');
  open.push(provider);
  await once(provider, 'listening');
  const issuer = 'https://id.example.com/';
  const stack = await start({
    env: {
      REALTIME_JWT_SECRET: undefined,
      JWKS_URI: `http://127.0.0.1:${(provider.address() as AddressInfo).port}/.well-known/jwks.json`,
      JWT_ISSUER: issuer,
      JWT_AUDIENCE: 'realtime',
    },
  });
  const sign = (audience: string) =>
    jwt.sign({ sub: 'auth0|5f', tenantId: 'acme' }, privateKey, {
      algorithm: 'RS256',
      keyid: 'k1',
      issuer,
      audience,
      expiresIn: 60,
    });
  await letsIn(stack, sign('realtime'));
  // As an ID token is, which is for the web app.
  expect((await stack.refusal('/notifications', { token: sign('web') })).code).toBe('UNAUTHORIZED');
});

it('an app without tenants has one, whatever a token says', async () => {
  const stack = await start({ guard: OneTenantGuard });
  const token = jwt.sign({ sub: 'ann', tenantId: 'other' }, JWT_SECRET, { expiresIn: 60 });
  await letsIn(stack, token);
  const io = stack.app as unknown as { config: { getIoAdapter(): { createIOServer(): never } } };
  const server = io.config.getIoAdapter().createIOServer() as {
    of(name: string): { sockets: Map<string, { data: { identity: object } }> };
  };
  const [socket] = server.of('/notifications').sockets.values();
  expect(socket?.data.identity).toMatchObject({ userId: 'ann', tenantId: TENANT });
});
