import { Injectable, type Type } from '@nestjs/common';
import { afterEach, describe, expect, it } from 'vitest';
import { HandshakeGuard } from '../src/handshake/handshake.guard';
import type { RealtimeIdentity, TokenClaims } from '../src/handshake/identity';
import { RealtimeException } from '../src/handshake/realtime.errors';
import { TokenVerifier } from '../src/handshake/token-verifier';
import { once, sign, Stack } from './support/stack.js';

const stacks: Stack[] = [];
afterEach(() => Promise.all(stacks.splice(0).map((stack) => stack.close())));

async function start(guard: Type<HandshakeGuard>, ...providers: Type[]): Promise<Stack> {
  const stack = await Stack.start({ guard, providers });
  stacks.push(stack);
  return stack;
}

const blocked = new Set<string>();
const steps: string[] = [];
afterEach(() => {
  blocked.clear();
  steps.length = 0;
});

/** As an owner writes one: with a dependency of its own, and its own checks. */
@Injectable()
class OwnersGuard extends HandshakeGuard {
  constructor(readonly verifier: TokenVerifier) {
    super();
  }

  override async verify(token: unknown): Promise<TokenClaims> {
    steps.push('verify');
    const claims = await super.verify(token);
    return { ...claims, verified: true };
  }

  override identify(claims: TokenClaims) {
    steps.push(`identify ${String(claims['verified'])}`);
    return { userId: claims['sub'], tenantId: claims['org_id'] };
  }

  override check({ userId, tenantId }: RealtimeIdentity, claims: TokenClaims): void {
    steps.push(`check ${tenantId}/${userId} ${String(claims['plan'])}`);
    if (userId === 'crash') throw new Error('select * from users');
    if (userId === 'later') throw new RealtimeException('UNAVAILABLE', 'Try again');
    if (blocked.has(userId)) throw new RealtimeException('FORBIDDEN', 'Blocked');
  }
}

const token = (sub: string, seconds = 60): string =>
  sign({ sub, org_id: 'acme', plan: 'pro' }, { expiresIn: seconds });
const ONE_PATH = ['verify', 'identify true', 'check acme/ann pro'];

describe('the guard of an owner', () => {
  it('is asked to verify, identify and check, for handshakes and for refreshes', async () => {
    const stack = await start(OwnersGuard);
    const client = await stack.connect('/notifications', token('ann'));
    expect(steps.splice(0)).toEqual(ONE_PATH);
    const ack: unknown = await client.emitWithAck('realtime.refresh', { token: token('ann', 120) });
    expect(ack).toMatchObject({ ok: true });
    expect(steps).toEqual(ONE_PATH);
  });

  it.each([
    ['ann', 'FORBIDDEN'],
    ['later', 'UNAVAILABLE'],
    ['crash', 'INTERNAL'],
  ])('refuses %s with %s', async (user, code) => {
    const stack = await start(OwnersGuard);
    blocked.add('ann');
    const refusal = await stack.refusal('/notifications', { token: token(user) });
    expect(refusal.code).toBe(code);
    expect(refusal.message).not.toContain('select');
    expect(
      stack.logs.some((line) => line.includes('handshake refused') && line.includes(user)),
    ).toBe(true);
  });

  it('ends the connection of a user who was blocked since, at the next refresh', async () => {
    const stack = await start(OwnersGuard);
    const client = await stack.connect('/notifications', token('ann'));
    blocked.add('ann');
    const kicked = once(client, 'realtime.kicked');
    const gone = once(client, 'disconnect');
    const ack: unknown = await client.emitWithAck('realtime.refresh', { token: token('ann', 120) });
    expect(ack).toMatchObject({ ok: false, error: { code: 'FORBIDDEN' } });
    await kicked;
    expect((await gone)[0]).toBe('io server disconnect');
  });

  it('leaves a client connected whose refresh fails for a while', async () => {
    const stack = await start(OwnersGuard);
    const client = await stack.connect('/notifications', token('ann'));
    const bad: unknown = await client.emitWithAck('realtime.refresh', { token: 'garbage' });
    expect(bad).toMatchObject({ ok: false, error: { code: 'UNAUTHORIZED' } });
    const ack: unknown = await client.emitWithAck('realtime.refresh', { token: token('ann', 120) });
    expect(ack).toMatchObject({ ok: true });
    expect(client.connected).toBe(true);
  });

  it('may take tokens that are no JWT, and none that have expired', async () => {
    @Injectable()
    class OpaqueGuard extends HandshakeGuard {
      override async verify(given: unknown): Promise<TokenClaims> {
        const [sub, exp] = String(given).split(' ');
        return { sub, tenantId: 'acme', exp: Number(exp) };
      }
    }
    const stack = await start(OpaqueGuard);
    const now = Math.floor(Date.now() / 1_000);
    await stack.connect('/notifications', `ann ${now + 60}`);
    const refusal = async (given: string) =>
      (await stack.refusal('/notifications', { token: given })).code;
    expect(await refusal(`ann ${now - 1}`)).toBe('TOKEN_EXPIRED');
    expect(await refusal('ann soon')).toBe('UNAUTHORIZED');
    expect(await refusal(` ${now + 60}`)).toBe('UNAUTHORIZED');
  });
});
