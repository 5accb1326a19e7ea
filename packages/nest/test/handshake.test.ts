import type { RealtimeAdapter } from '../src/connections/realtime.adapter';
import { HandshakeGuard } from '../src/handshake/handshake.guard';
import type { TokenClaims } from '../src/handshake/identity';
import { TokenVerifier } from '../src/handshake/token-verifier';
import { Injectable, Scope, type Type } from '@nestjs/common';
import { MessageBody, SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';
import jwt from 'jsonwebtoken';
import { createHmac, generateKeyPairSync } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { WebSocket } from 'ws';
import {
  connected,
  ENV,
  JWT_SECRET,
  once,
  ORIGIN,
  refused,
  sign,
  Stack,
  wait,
} from './support/stack.js';

const served: unknown[] = [];

/** As a host's own gateway may look: no guard, options that would weaken the server. */
@WebSocketGateway(4999, {
  namespace: '/by-hand',
  path: '/elsewhere',
  cors: { origin: '*' },
  transports: ['polling'],
  maxHttpBufferSize: 1e9,
  allowEIO3: true,
  connectionStateRecovery: {},
})
class HandWrittenGateway {
  @SubscribeMessage('ping')
  ping(@MessageBody() body: unknown): string {
    served.push(body);
    return 'pong';
  }
}

@WebSocketGateway({ namespace: '/throws' })
class ThrowingGateway {
  handleConnection(): void {
    throw new Error('inner text of handleConnection');
  }
}

@WebSocketGateway({ namespace: '/rejects' })
class RejectingGateway {
  async handleDisconnect(): Promise<void> {
    throw new Error('inner text of handleDisconnect');
  }
}

const scopedHooks: string[] = [];

/** Nest 12 makes one for each socket. */
@Injectable({ scope: Scope.REQUEST })
@WebSocketGateway({ namespace: '/scoped' })
class ScopedGateway {
  handleDisconnect = () => void scopedHooks.push('field');

  async handleConnection(): Promise<void> {
    throw new Error('inner text of a scoped gateway');
  }
}

const NAMESPACES = ['/notifications', '/chats', '/by-hand', '/throws', '/rejects'];

const unsigned = (header: object, claims: object): string =>
  [header, claims].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.');

const soon = Math.floor(Date.now() / 1000) + 600;

const BAD_TOKENS: [name: string, token: unknown, code: string][] = [
  ['no token', undefined, 'UNAUTHORIZED'],
  ['an empty token', '', 'UNAUTHORIZED'],
  ['an object', { a: 1 }, 'UNAUTHORIZED'],
  ['a number', 7, 'UNAUTHORIZED'],
  ['garbage', 'a.b.c', 'UNAUTHORIZED'],
  ['an expired token', sign({}, { expiresIn: -1 }), 'TOKEN_EXPIRED'],
  [
    'another secret',
    jwt.sign({ sub: 'u1', tenantId: 't1' }, 'x'.repeat(32), { expiresIn: 60 }),
    'UNAUTHORIZED',
  ],
  ['no exp', jwt.sign({ sub: 'u1', tenantId: 't1' }, JWT_SECRET), 'UNAUTHORIZED'],
  ['an algorithm that is not pinned', sign({}, { algorithm: 'HS512' }), 'UNAUTHORIZED'],
  [
    'alg none',
    `${unsigned({ alg: 'none' }, { sub: 'u1', tenantId: 't1', exp: soon })}.`,
    'UNAUTHORIZED',
  ],
  ['no tenant', sign({ tenantId: undefined }), 'UNAUTHORIZED'],
  ['an empty tenant', sign({ tenantId: '' }), 'UNAUTHORIZED'],
  ['a list of tenants', sign({ tenantId: ['t1'] }), 'UNAUTHORIZED'],
  ['an object for a tenant', sign({ tenantId: { id: 't1' } }), 'UNAUTHORIZED'],
  ['a numeric tenant', sign({ tenantId: 1 }), 'UNAUTHORIZED'],
  ['control characters in the tenant', sign({ tenantId: 't1\n' }), 'UNAUTHORIZED'],
  ['too long a user', sign({ sub: 'x'.repeat(257) }), 'UNAUTHORIZED'],
  ['an empty user', sign({ sub: '' }), 'UNAUTHORIZED'],
];

describe('handshake', () => {
  let stack: Stack;

  beforeAll(async () => {
    stack = await Stack.start({
      providers: [HandWrittenGateway, ThrowingGateway, RejectingGateway, ScopedGateway],
    });
  });
  afterAll(() => stack?.close());
  afterEach(() => vi.restoreAllMocks());

  describe.each(NAMESPACES)('on %s', (namespace) => {
    it.each(BAD_TOKENS)('refuses %s', async (_name, token, code) => {
      const refusal = await stack.refusal(namespace, { token });
      expect(refusal).toMatchObject({ code, retryAfterMs: undefined });
      expect(refusal.message).toMatch(/^Unauthorized/);
    });
  });

  it('refuses the root namespace, with and without a token', async () => {
    for (const options of [{}, { token: sign() }]) {
      const refusal = await stack.refusal('/', options);
      expect(refusal.code).toBe('NAMESPACE_REQUIRED');
      expect(refusal.message).toMatch(/^Unauthorized/);
    }
  });

  it('refuses namespaces that nobody serves', async () => {
    const refusal = await stack.refusal('/nowhere', { token: sign() });
    expect(refusal.message).toBe('Invalid namespace');
  });

  it.each(['auth0|5f7c', 'a:b@c.d', 'x'.repeat(256)])('lets in the user %s', async (sub) => {
    const client = await stack.connect('/notifications', sign({ sub, tenantId: sub }));
    expect(client.connected).toBe(true);
  });

  it('serves nothing that is emitted together with a bad token', async () => {
    served.length = 0;
    const raw = new WebSocket(`ws://127.0.0.1:${stack.port}/socket.io/?EIO=4&transport=websocket`, {
      origin: ORIGIN,
    });
    raw.on('message', (data) => {
      if (!String(data).startsWith('0')) return;
      raw.send('40/by-hand,{"token":"bad"}');
      raw.send('42/by-hand,0["ping",1]');
      raw.send('40/by-hand,{"token":"bad"}');
      raw.send('42/by-hand,1["ping",2]');
    });
    await wait(300);
    raw.terminate();
    expect(served).toEqual([]);
  });

  it('closes the connection of a refused client that stays', async () => {
    const raw = new WebSocket(`ws://127.0.0.1:${stack.port}/socket.io/?EIO=4&transport=websocket`, {
      origin: ORIGIN,
    });
    const frames: string[] = [];
    raw.on('message', (data) => {
      frames.push(String(data));
      if (frames.length === 1) raw.send('40/notifications,{"token":"bad"}');
    });
    const started = Date.now();
    await new Promise((resolve) => raw.once('close', resolve));
    expect(Date.now() - started).toBeLessThan(3_000);
    expect(frames[1]).toContain('UNAUTHORIZED');
  });

  it('leaves a connection open that another namespace lives on', async () => {
    const client = await stack.connect('/notifications');
    const other = client.io.socket('/chats', { auth: { token: 'bad' } });
    expect((await refused(other)).code).toBe('UNAUTHORIZED');
    await wait(1_300);
    expect(client.connected).toBe(true);
  });

  it('keeps the token out of the socket', async () => {
    const token = sign();
    await stack.connect('/notifications', token);
    const sockets = await server(stack).of('/notifications').fetchSockets();
    const seen = sockets.map(({ handshake, data }) => JSON.stringify({ handshake, data })).join();
    expect(seen).toContain('"userId":"u1"');
    expect(seen).not.toContain(token);
  });

  it('lets nothing of an inner error out, and lives on', async () => {
    vi.spyOn(stack.app.get(TokenVerifier), 'verify').mockRejectedValue(new Error('db password'));
    const refusal = await stack.refusal('/notifications', { token: sign() });
    expect(refusal.code).toBe('INTERNAL');
    expect(refusal.message).not.toMatch(/^Unauthorized|password/);
    expect(refusal.retryAfterMs).toBeGreaterThan(0);
    expect(stack.logs.join()).toContain('db password');
    vi.restoreAllMocks();
    await stack.connect('/notifications');
  });

  it('survives a gateway whose connection hooks throw, and drops its socket', async () => {
    const client = stack.client('/throws', { token: sign() });
    const closed = once(client, 'disconnect');
    await connected(client);
    expect((await closed)[0]).toBe('io server disconnect');
    const scoped = stack.client('/scoped', { token: sign() });
    const scopedClosed = once(scoped, 'disconnect');
    await connected(scoped);
    expect((await scopedClosed)[0]).toBe('io server disconnect');
    expect(stack.logs.join()).toContain('inner text of a scoped gateway');
    (await stack.connect('/rejects')).disconnect();
    await wait(100);
    expect(stack.logs.join()).toContain('inner text of handleDisconnect');
    // Nest 11 asks the prototype alone.
    const isNest12 = process.env['KERNEL_HOST'] === 'kernel-nest12';
    expect(scopedHooks).toEqual(isNest12 ? ['field'] : []);
  });

  describe('origins', () => {
    const upgrade = (origin?: string): Promise<string> =>
      new Promise((resolve) => {
        const raw = new WebSocket(
          `ws://127.0.0.1:${stack.port}/socket.io/?EIO=4&transport=websocket`,
          origin === undefined ? {} : { origin },
        );
        raw.once('open', () => (raw.terminate(), resolve('open')));
        raw.once('unexpected-response', (_request, { statusCode }) => resolve(String(statusCode)));
        raw.once('error', () => undefined);
      });

    it('takes exactly those that are listed', async () => {
      expect(await upgrade(ORIGIN)).toBe('open');
      for (const origin of [
        'https://evil.example',
        'null',
        `${ORIGIN}.evil.example`,
        'http://localhost:42000',
        'https://localhost:4200',
        '*',
      ]) {
        expect(await upgrade(origin), origin).toMatch(/^40[03]$/);
      }
    });

    it('lets native clients, which send none, try their token', async () => {
      expect(await upgrade()).toBe('open');
      const refusal = await stack.refusal('/notifications', { origin: undefined });
      expect(refusal.code).toBe('UNAUTHORIZED');
    });

    it('refuses them where REALTIME_ALLOW_NO_ORIGIN is false', async () => {
      const strict = await Stack.start({ env: { REALTIME_ALLOW_NO_ORIGIN: 'false' } });
      const refusal = await strict.refusal('/notifications', { token: sign(), origin: undefined });
      await strict.close();
      expect(refusal.message).toBe('websocket error');
    });
  });

  describe('transport', () => {
    it('has the options of the adapter, whatever a gateway says', () => {
      const io = server(stack);
      const { opts } = io.engine as unknown as { opts: Record<string, unknown> };
      expect(opts).toMatchObject({
        transports: ['websocket'],
        allowEIO3: false,
        perMessageDeflate: false,
        maxHttpBufferSize: 65_536,
      });
      expect(opts['cors']).toBe(false);
      const options = (io as unknown as { opts: Record<string, unknown> }).opts;
      expect(options).not.toHaveProperty('connectionStateRecovery');
      expect(options['serveClient']).toBe(false);
      expect(options['connectTimeout']).toBeLessThanOrEqual(10_000);
    });

    it('is told of at boot, by each gateway that asks for something else', async () => {
      @WebSocketGateway({ cors: true })
      class OldGateway {}
      @WebSocketGateway({ namespace: '/new' })
      class NewGateway {}
      const told = await Stack.start({ providers: [OldGateway, NewGateway] });
      const lines = told.logs.filter((line) => /\b\w+Gateway\b.*(?:has no|no effect)/.test(line));
      await told.close();
      expect(lines).toEqual([
        expect.stringMatching(
          /OldGateway has no namespace: its clients are refused with NAMESPACE_REQUIRED/,
        ),
        expect.stringMatching(/OldGateway: cors of @WebSocketGateway has no effect/),
      ]);
    });

    it('refuses polling', async () => {
      const response = await fetch(
        `http://127.0.0.1:${stack.port}/socket.io/?EIO=4&transport=polling`,
      );
      expect(response.status).toBe(400);
      expect(await response.json()).toMatchObject({
        code: 0,
        message: expect.stringContaining("transports: ['websocket']") as string,
      });
      expect(response.headers.get('access-control-allow-origin')).toBeNull();
    });

    it('tells a page of ours that polls, and no other', async () => {
      const ask = (origin: string) =>
        fetch(`http://127.0.0.1:${stack.port}/socket.io/?EIO=4&transport=polling`, {
          headers: { origin },
        }).then(({ headers }) => headers.get('access-control-allow-origin'));
      expect(await ask(ORIGIN)).toBe(ORIGIN);
      expect(await ask('https://evil.example')).toBeNull();
    });

    it('closes on a message over 64 KiB', async () => {
      const client = await stack.connect('/notifications');
      const closed = once(client, 'disconnect');
      client.emit('notification.markRead', { notificationId: 'x'.repeat(66_000) });
      expect((await closed)[0]).toMatch(/transport/);
    });

    it('has one server for the app', () => {
      expect(
        (stack.app.getHttpServer() as { listenerCount(name: string): number }).listenerCount(
          'upgrade',
        ),
      ).toBe(1);
    });
  });
});

describe('tokens', () => {
  const stacks: Stack[] = [];
  const start = async (
    env: Record<string, string | undefined>,
    guard?: Type<HandshakeGuard>,
  ): Promise<Stack> => {
    const stack = await Stack.start({ env, ...(guard && { guard }) });
    stacks.push(stack);
    return stack;
  };
  afterAll(() => Promise.all(stacks.map((stack) => stack.close())));

  it('are refused where they demand what is not understood, whatever the key', async () => {
    const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const pem = String(publicKey.export({ type: 'spki', format: 'pem' }));
    const claims = { sub: 'u1', tenantId: 't1', exp: soon };
    const header = (alg: string, extra: object) => ({ header: { alg, ...extra } });
    const crit = { crit: ['b64'], b64: true };
    const bySecret = await start({});
    const byKey = await start({ REALTIME_JWT_SECRET: undefined, JWT_PUBLIC_KEY: pem });
    for (const extra of [crit, { crit: ['exp'] }]) {
      expect(
        (await bySecret.refusal('/notifications', { token: sign({}, header('HS256', extra)) }))
          .code,
      ).toBe('UNAUTHORIZED');
      const token = jwt.sign(claims, privateKey, { algorithm: 'ES256', ...header('ES256', extra) });
      expect((await byKey.refusal('/notifications', { token })).code).toBe('UNAUTHORIZED');
    }
    await byKey.connect('/notifications', jwt.sign(claims, privateKey, { algorithm: 'ES256' }));
  });

  it('must be of the configured issuer and audience', async () => {
    const stack = await start({ JWT_ISSUER: 'https://id.acme.com', JWT_AUDIENCE: 'realtime' });
    const good = { issuer: 'https://id.acme.com', audience: 'realtime' };
    for (const options of [{}, { ...good, issuer: 'x' }, { ...good, audience: 'x' }]) {
      const { code } = await stack.refusal('/notifications', { token: sign({}, options) });
      expect(code).toBe('UNAUTHORIZED');
    }
    await stack.connect('/notifications', sign({}, good));
  });

  const reading = (user: string, tenant: string): Type<HandshakeGuard> => {
    @Injectable()
    class OwnersGuard extends HandshakeGuard {
      override identify(claims: TokenClaims) {
        return { userId: claims[user], tenantId: claims[tenant] };
      }
    }
    return OwnersGuard;
  };

  it('carry user and tenant in the claims that the owner’s guard reads', async () => {
    const stack = await start({}, reading('uid', 'https://acme.com/org'));
    expect((await stack.refusal('/notifications', { token: sign() })).code).toBe('UNAUTHORIZED');
    await stack.connect('/notifications', sign({ uid: 'u1', 'https://acme.com/org': 'acme' }));
  });

  it.each(['constructor', '__proto__', 'toString'])(
    'have no user in an inherited %s',
    async (claim) => {
      const stack = await start({}, reading(claim, 'tenantId'));
      expect((await stack.refusal('/notifications', { token: sign() })).code).toBe('UNAUTHORIZED');
    },
  );

  it('signed with the text of the public key are refused', async () => {
    const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const pem = publicKey.export({ type: 'spki', format: 'pem' }).toString();
    const escaped = pem.replaceAll('\n', '\\n');
    const stack = await start({ REALTIME_JWT_SECRET: undefined, JWT_PUBLIC_KEY: escaped });
    const body = unsigned({ alg: 'HS256', typ: 'JWT' }, { sub: 'u1', tenantId: 't1', exp: soon });
    for (const secret of [pem, escaped, pem.trim()]) {
      const signature = createHmac('sha256', secret).update(body).digest('base64url');
      const { code } = await stack.refusal('/notifications', { token: `${body}.${signature}` });
      expect(code).toBe('UNAUTHORIZED');
    }
    const claims = { sub: 'u1', tenantId: 't1', exp: soon };
    await stack.connect('/notifications', jwt.sign(claims, privateKey, { algorithm: 'RS256' }));
    const { code } = await stack.refusal('/notifications', {
      token: jwt.sign(claims, privateKey, { algorithm: 'RS512' }),
    });
    expect(code).toBe('UNAUTHORIZED');
  });

  it('are verified with a published key set, and retryable while it is away', async () => {
    const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    let up = false;
    let asked = 0;
    const keys = JSON.stringify({
      keys: [{ ...publicKey.export({ format: 'jwk' }), kid: 'k1', alg: 'ES256' }],
    });
    const jwks = createServer((_request, response) => {
      asked += 1;
      response.statusCode = up ? 200 : 503;
      response.setHeader('content-type', 'application/json').end(up ? keys : 'no');
    });
    await new Promise<void>((resolve) => jwks.listen(0, '127.0.0.1', resolve));
    const { port } = jwks.address() as AddressInfo;
    const stack = await start({
      REALTIME_JWT_SECRET: undefined,
      JWKS_URI: `http://127.0.0.1:${port}/jwks`,
    });
    const token = (claims: object) =>
      jwt.sign({ sub: 'u1', tenantId: 't1', ...claims }, privateKey, {
        algorithm: 'ES256',
        keyid: 'k1',
      });

    const away = await stack.refusal('/notifications', { token: token({ exp: soon }) });
    expect(away.code).toBe('UNAVAILABLE');
    expect(away.message).not.toMatch(/^Unauthorized/);
    expect(away.retryAfterMs).toBeGreaterThan(0);

    // However many tokens come, they are asked for once in a while, and told of once.
    asked = 0;
    for (let i = 0; i < 20; i++) {
      const { code } = await stack.refusal('/notifications', { token: token({ exp: soon }) });
      expect(code).toBe('UNAVAILABLE');
    }
    expect(asked).toBeLessThanOrEqual(1);
    expect(stack.logs.filter((line) => line.includes('JWKS_URI cannot be read'))).toHaveLength(1);

    up = true;
    await expect
      .poll(
        () =>
          stack.connect('/notifications', token({ exp: soon })).then(
            ({ connected: is }) => is,
            () => false,
          ),
        { timeout: 10_000, interval: 250 },
      )
      .toBe(true);
    for (const [bad, code] of [
      [token({ exp: soon - 3_600 }), 'TOKEN_EXPIRED'],
      [token({}), 'UNAUTHORIZED'],
      [sign(), 'UNAUTHORIZED'],
      ['garbage', 'UNAUTHORIZED'],
      // Of a key that may have come since the set was read: to be tried again.
      [
        jwt.sign({ sub: 'u1', tenantId: 't1', exp: soon }, privateKey, {
          algorithm: 'ES256',
          keyid: 'k2',
        }),
        'UNAVAILABLE',
      ],
    ]) {
      expect((await stack.refusal('/notifications', { token: bad })).code).toBe(code);
    }
    jwks.close();
  });
});

it('are held to issuer, audience and algorithm with a published key set too', async () => {
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const keys = JSON.stringify({ keys: [{ ...publicKey.export({ format: 'jwk' }), kid: 'k1' }] });
  const jwks = createServer((_request, response) => {
    response.setHeader('content-type', 'application/json').end(keys);
  });
  await new Promise<void>((resolve) => jwks.listen(0, '127.0.0.1', resolve));
  const { port } = jwks.address() as AddressInfo;
  const stack = await Stack.start({
    env: {
      REALTIME_JWT_SECRET: undefined,
      JWKS_URI: `http://127.0.0.1:${port}/jwks`,
      JWT_ISSUER: 'https://id.acme.com',
      JWT_AUDIENCE: 'realtime',
    },
  });
  const good: jwt.SignOptions = {
    algorithm: 'RS256',
    keyid: 'k1',
    issuer: 'https://id.acme.com',
    audience: 'realtime',
  };
  const token = (options: jwt.SignOptions) =>
    jwt.sign({ sub: 'u1', tenantId: 't1', exp: soon }, privateKey, { ...good, ...options });
  for (const wrong of [{ issuer: 'x' }, { audience: 'x' }, { algorithm: 'RS512' as const }]) {
    const { code } = await stack.refusal('/notifications', { token: token(wrong) });
    expect(code, JSON.stringify(wrong)).toBe('UNAUTHORIZED');
  }
  await stack.connect('/notifications', token({}));
  await stack.close();
  jwks.close();
});

it('stops the boot without a key', async () => {
  await expect(Stack.start({ env: { ...ENV, REALTIME_JWT_SECRET: undefined } })).rejects.toThrow(
    /JWT_SECRET/,
  );
});

function server(stack: Stack): ReturnType<RealtimeAdapter['createIOServer']> {
  const { config } = stack.app as unknown as { config: { getIoAdapter(): RealtimeAdapter } };
  return config.getIoAdapter().createIOServer();
}
