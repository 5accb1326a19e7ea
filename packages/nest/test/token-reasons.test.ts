import { Injectable, type Type } from '@nestjs/common';
import jwt from 'jsonwebtoken';
import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { HandshakeGuard } from '../src/handshake/handshake.guard';
import type { TokenClaims } from '../src/handshake/identity';
import { RealtimeException } from '../src/handshake/realtime.errors';
import { once, Stack, type StackOptions } from './support/stack.js';

const ISSUER = 'https://id.acme.com/';
const AUDIENCE = 'realtime';
const TOLERANCE = 5;

const now = (): number => Math.floor(Date.now() / 1_000);
/** Claims that are right; undefined takes one out. */
const claims = (over: object = {}): object => ({
  sub: 'u1',
  tenantId: 't1',
  iss: ISSUER,
  aud: AUDIENCE,
  iat: now(),
  exp: now() + 600,
  ...over,
});

interface Signer {
  readonly variable: string;
  readonly algorithm: jwt.Algorithm;
  /** Another one that the key could be used with. */
  readonly other: jwt.Algorithm;
  readonly key: jwt.Secret;
  readonly foreign: jwt.Secret;
  readonly env: () => NonNullable<StackOptions['env']>;
}

const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
const foreignRsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey;
const pem = (key: KeyObject): string => String(key.export({ type: 'spki', format: 'pem' }));
const SECRET = 'the-secret-of-the-tokens-reasons';

let jwks: Server;
beforeAll(async () => {
  const keys = [{ ...rsa.publicKey.export({ format: 'jwk' }), kid: 'k1' }];
  jwks = createServer((_request, response) => {
    response.setHeader('content-type', 'application/json').end(JSON.stringify({ keys }));
  });
  await new Promise<void>((resolve) => jwks.listen(0, '127.0.0.1', resolve));
});
afterAll(() => jwks.close());

const SIGNERS: readonly Signer[] = [
  {
    variable: 'REALTIME_JWT_SECRET',
    algorithm: 'HS256',
    other: 'HS512',
    key: SECRET,
    foreign: 'x'.repeat(32),
    env: () => ({ REALTIME_JWT_SECRET: SECRET }),
  },
  {
    variable: 'JWT_PUBLIC_KEY',
    algorithm: 'RS256',
    other: 'RS512',
    key: rsa.privateKey,
    foreign: foreignRsa,
    env: () => ({ REALTIME_JWT_SECRET: undefined, JWT_PUBLIC_KEY: pem(rsa.publicKey) }),
  },
  {
    variable: 'JWKS_URI',
    algorithm: 'RS256',
    other: 'RS512',
    key: rsa.privateKey,
    foreign: foreignRsa,
    env: () => ({
      REALTIME_JWT_SECRET: undefined,
      JWKS_URI: `http://127.0.0.1:${(jwks.address() as AddressInfo).port}/jwks`,
    }),
  },
];

const RETRIED = { code: 'UNAVAILABLE', retryAfterMs: expect.any(Number) as number };
const FOR_GOOD = { code: 'UNAUTHORIZED', retryAfterMs: undefined };
const EXPIRED = { code: 'TOKEN_EXPIRED', retryAfterMs: undefined };

/** What is wrong, the claims, what the client gets, and what the log says. */
const CLAIMS: readonly [what: string, over: object, refusal: object, reason: RegExp][] = [
  [
    'issuer',
    { iss: 'https://id.acme.com' },
    FOR_GOOD,
    /issuer \(iss\) is "https:\/\/id\.acme\.com", and JWT_ISSUER is "https:\/\/id\.acme\.com\/"/,
  ],
  ['no issuer', { iss: undefined }, FOR_GOOD, /issuer \(iss\) is missing, and JWT_ISSUER is/],
  [
    'audience',
    { aud: ['web', 'ios'] },
    FOR_GOOD,
    /audience \(aud\) is \["web","ios"\], and JWT_AUDIENCE is "realtime"/,
  ],
  [
    'not valid yet',
    { nbf: now() + 60 },
    RETRIED,
    /not valid yet \(nbf\), by more than the 5 s of JWT_CLOCK_TOLERANCE_S/,
  ],
  [
    'issued in the future',
    { iat: now() + 60 },
    RETRIED,
    /of the future \(iat, in seconds\), by more than the 5 s of JWT_CLOCK_TOLERANCE_S/,
  ],
  [
    'expired',
    { exp: now() - 60 },
    EXPIRED,
    /expired \(exp\), by more than the 5 s of JWT_CLOCK_TOLERANCE_S/,
  ],
  ['no exp', { exp: undefined }, FOR_GOOD, /no exp: sign it with a time to expire, in seconds/],
  [
    'no tenant',
    { tenantId: undefined },
    FOR_GOOD,
    /tenantId \(claim tenantId\) is missing: it has .*sub.*; identify\(\) of your guard/,
  ],
  [
    'a list of tenants',
    { tenantId: ['t1'] },
    FOR_GOOD,
    /tenantId \(claim tenantId\) is a list; allowed: text of 1 to 256 characters/,
  ],
  [
    'an empty tenant',
    { tenantId: '' },
    FOR_GOOD,
    /tenantId \(claim tenantId\) is a text of 0 characters; allowed/,
  ],
  [
    'too long a user',
    { sub: 'x'.repeat(257) },
    FOR_GOOD,
    /userId \(claim sub\) is a text of 257 characters; allowed/,
  ],
  [
    'a line break in the user',
    { sub: 'a\nb' },
    FOR_GOOD,
    /userId \(claim sub\) is a text of 3 characters, control characters among them/,
  ],
  ['no user', { sub: undefined }, FOR_GOOD, /userId \(claim sub\) is missing/],
  [
    'a numeric tenant',
    { tenantId: 7 },
    FOR_GOOD,
    /tenantId \(claim tenantId\) is a number: .*numericIds: true in RealtimeCoreModule\.forRoot\(\)/,
  ],
  [
    'a number that is no safe integer',
    { tenantId: 1.5 },
    FOR_GOOD,
    /tenantId \(claim tenantId\) is of type number; allowed/,
  ],
];

describe.each(SIGNERS)('a token that is refused, with $variable', (signer) => {
  let stack: Stack;
  // Of each: ten lines a second are written, whoever refuses.
  beforeEach(async () => {
    const env = {
      ...signer.env(),
      JWT_ISSUER: ISSUER,
      JWT_AUDIENCE: AUDIENCE,
      JWT_CLOCK_TOLERANCE_S: undefined,
    };
    stack = await Stack.start({ env });
  });
  afterEach(() => stack?.close());

  const sign = (over: object, key = signer.key, algorithm = signer.algorithm): string =>
    // Undefined is a claim to jsonwebtoken, and JSON has none.
    jwt.sign(JSON.parse(JSON.stringify(claims(over))) as object, key, { algorithm, keyid: 'k1' });

  /** Shows a token; returns what its client gets, and what the log says of it. */
  const show = async (token: unknown): Promise<[refusal: object, reason: string]> => {
    const before = stack.logs.length;
    const { message, ...refusal } = await stack.refusal('/notifications', { token });
    const reasons = reasonsIn(stack.logs.slice(before));
    expect(reasons).toHaveLength(1);
    // Nothing of it reaches the client.
    expect(JSON.stringify([message, refusal])).not.toMatch(/JWT_|claim|issuer|\d+ s/);
    return [refusal, reasons[0]!];
  };

  it.each(CLAIMS)('says why: %s', async (_what, over, refusal, reason) => {
    expect(await show(sign(over))).toEqual([refusal, expect.stringMatching(reason)]);
  });

  it('says why: its signature, its algorithm, its form', async () => {
    const isRemote = signer.variable === 'JWKS_URI';
    expect(await show(sign({}, signer.foreign))).toEqual([
      FOR_GOOD,
      expect.stringMatching(new RegExp(`signature does not fit ${signer.variable}:`)),
    ]);
    const [refusal, reason] = await show(sign({}, signer.key, signer.other));
    expect(refusal).toEqual(FOR_GOOD);
    expect(reason).toContain(`it is signed with "${signer.other}", and the algorithms are`);
    expect(reason).toMatch(/set JWT_ALGORITHMS$/);
    expect(await show('a.b')).toEqual([FOR_GOOD, expect.stringContaining('it is no JWT: ')]);
    expect(await show(undefined)).toEqual([
      FOR_GOOD,
      'there is none: clients send it as auth.token',
    ]);
    if (isRemote) {
      const token = jwt.sign(claims(), rsa.privateKey, { algorithm: 'RS256', keyid: 'k2' });
      expect((await show(token))[1]).toBe(
        'the key set of JWKS_URI has no key for it: kid "k2", "RS256"',
      );
    }
  });

  it('is told to nobody but the log when it is to prolong a connection', async () => {
    const socket = await stack.connect('/notifications', sign({}));
    const refresh = (token: string): Promise<unknown> =>
      socket.emitWithAck('realtime.refresh', { token });
    expect(await refresh(sign({ aud: 'web' }))).toEqual({
      ok: false,
      error: { code: 'UNAUTHORIZED', message: 'The token is not valid' },
    });
    expect(await refresh(sign({ nbf: now() + 60 }))).toEqual({
      ok: false,
      error: {
        code: 'UNAVAILABLE',
        message: 'Try again later',
        details: { retryAfterMs: expect.any(Number) as number },
      },
    });
    expect(reasonsIn(stack.logs)).toEqual([
      expect.stringContaining('JWT_AUDIENCE'),
      expect.stringContaining('JWT_CLOCK_TOLERANCE_S'),
    ]);
  });

  it('is taken within the tolerance of the clocks, on either side', async () => {
    for (const over of [{ nbf: now() + 3 }, { iat: now() + 3 }, { exp: now() - 2 }]) {
      await stack.connect('/notifications', sign(over));
    }
  });

  it('comes back when it is valid', async () => {
    const { retryAfterMs } = await stack.refusal('/notifications', {
      token: sign({ nbf: now() + 30 }),
    });
    expect(retryAfterMs).toBeGreaterThan(23_000);
    expect(retryAfterMs).toBeLessThan(30_000);
    // Clocks are set right sooner than that.
    const later = await stack.refusal('/notifications', { token: sign({ nbf: now() + 86_400 }) });
    expect(later.retryAfterMs).toBeLessThan(65_000);
  });

  it('is served until its tolerance is over, and told the client so', async () => {
    const exp = now() + 60;
    const socket = await stack.connect('/notifications', sign({ exp: exp - 30 }));
    const ack: unknown = await socket.emitWithAck('realtime.refresh', { token: sign({ exp }) });
    expect(ack).toEqual({ ok: true, data: { expiresAt: (exp + TOLERANCE) * 1_000 } });
  });

  it('ends a connection at exp and its tolerance, and no sooner', async () => {
    const exp = now() - TOLERANCE + 2;
    const socket = await stack.connect('/notifications', sign({ exp }));
    const expired = once(socket, 'realtime.expired');
    const mark = { notificationId: '1' };
    expect(await socket.emitWithAck('notification.markRead', mark)).toHaveProperty('ok', true);
    await expired;
    expect(Date.now()).toBeGreaterThanOrEqual((exp + TOLERANCE) * 1_000);
    expect(await socket.emitWithAck('notification.markRead', mark)).toMatchObject({
      ok: false,
      error: { code: 'UNAUTHORIZED' },
    });
  });
});

describe('numbers for ids', () => {
  const stacks: Stack[] = [];
  afterEach(() => Promise.all(stacks.splice(0).map((stack) => stack.close())));

  const start = async (options: StackOptions): Promise<Stack> => {
    const stack = await Stack.start({
      env: { REALTIME_JWT_SECRET: SECRET },
      options: { numericIds: true },
      ...options,
    });
    stacks.push(stack);
    return stack;
  };
  const sign = (over: object): string => jwt.sign(claims(over), SECRET);

  it('are taken as their decimal text where the app says so', async () => {
    const checked: unknown[] = [];
    @Injectable()
    class OwnersGuard extends HandshakeGuard {
      override identify(token: TokenClaims) {
        return { userId: token['sub'], tenantId: token['tenantId'] };
      }

      override check({ userId, tenantId, sessionId }: never): void {
        checked.push([userId, tenantId, sessionId]);
      }
    }
    const stack = await start({ guard: OwnersGuard as Type<HandshakeGuard> });
    const ids = { sub: 12, tenantId: Number.MAX_SAFE_INTEGER, sid: 0 };
    await stack.connect('/notifications', sign(ids));
    expect(checked).toEqual([['12', '9007199254740991', '0']]);
  });

  it.each([1.5, 2 ** 53, 1e300, true, null, [7], { id: 7 }])('are no %j', async (tenantId) => {
    const stack = await start({});
    const { code } = await stack.refusal('/notifications', { token: sign({ tenantId }) });
    expect(code).toBe('UNAUTHORIZED');
    expect(reasonsIn(stack.logs)).toEqual([expect.stringContaining('tenantId (claim tenantId)')]);
  });
});

it('a refusal of an owner’s check says why, too', async () => {
  @Injectable()
  class Blocking extends HandshakeGuard {
    override check(): void {
      throw new RealtimeException('FORBIDDEN', 'The user is blocked');
    }
  }
  const stack = await Stack.start({ guard: Blocking });
  const token = jwt.sign(claims(), 'kernel-tests-secret-of-32-bytes!');
  const { message } = await stack.refusal('/notifications', { token });
  expect(message).toBe('Unauthorized: the connection belongs to another user');
  expect(reasonsIn(stack.logs)).toEqual(['The user is blocked']);
  await stack.close();
});

function reasonsIn(logs: readonly string[]): string[] {
  return logs
    .filter((line) => line.endsWith(' Security') && line.includes('{'))
    .map((line) => line.slice(line.indexOf('{'), -' Security'.length))
    .map((json) => (JSON.parse(json) as { reason: string }).reason);
}
