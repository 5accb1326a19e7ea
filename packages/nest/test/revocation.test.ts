import { Broadcaster } from '../src/events/broadcaster';
import { RealtimeRevocation } from '../src/connections/revocation';
import { Subscriptions } from '../src/rooms/subscriptions';
import { TokenVerifier } from '../src/handshake/token-verifier';
import { Redis } from 'ioredis';
import { randomUUID } from 'node:crypto';
import type { Socket } from 'socket.io-client';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startOwnRedis } from './support/brokers.js';
import { connected, once, refused, sign, Stack, wait } from './support/stack.js';

const now = (): number => Math.floor(Date.now() / 1000);
/** Later tokens are of the future here: nothing waits for it. */
const AHEAD = { JWT_CLOCK_TOLERANCE_S: '60' };
const later = (claims: object = {}): string => sign({ iat: now() + 10, ...claims });

/** Holds every verified token back until the gate is opened. */
function slowDown(stack: Stack): { waiting: () => number; open: () => void } {
  const tokens = stack.app.get(TokenVerifier);
  const verify = tokens.verify.bind(tokens);
  let waiting = 0;
  let open = (): void => undefined;
  const gate = new Promise<void>((resolve) => (open = resolve));
  tokens.verify = async (token) => {
    const verified = await verify(token);
    waiting += 1;
    await gate;
    return verified;
  };
  return {
    waiting: () => waiting,
    open: () => {
      tokens.verify = verify;
      open();
    },
  };
}

async function until(condition: () => boolean): Promise<void> {
  for (let i = 0; i < 300 && !condition(); i++) await wait(10);
  expect(condition()).toBe(true);
}

/** What a client is told, in its order. */
function record(client: Socket): string[] {
  const told: string[] = [];
  client.onAny((event: string) => told.push(event));
  client.on('disconnect', (reason) => told.push(reason));
  return told;
}

const CUT = ['realtime.kicked', 'io server disconnect'];

describe('revocation', () => {
  let redis: Awaited<ReturnType<typeof startOwnRedis>>;
  let app: string;
  let a: Stack;
  let b: Stack;

  beforeAll(async () => {
    redis = await startOwnRedis();
  }, 60_000);
  afterAll(() => redis?.stop());
  beforeEach(async () => {
    // Revocations are remembered in Redis: each test is an app of its own.
    app = randomUUID();
    a = await Stack.start({ env: { REDIS_URL: redis.url, ...AHEAD }, app });
    b = await Stack.start({ env: { REDIS_URL: redis.url, ...AHEAD }, app });
    await wait(100);
  });
  afterEach(() => Promise.all([a.close(), b.close()]));

  const revoke = (user: object = {}): Promise<void> =>
    a.app.get(RealtimeRevocation).revoke({ tenantId: 't1', userId: 'u1', ...user });

  it('cuts a user on every replica and namespace, and nobody else', async () => {
    const cut: string[][] = [];
    const spared: Socket[] = [];
    for (const stack of [a, b]) {
      const client = await stack.connect('/notifications');
      const other = client.io.socket('/chats', { auth: { token: sign() } });
      await connected(other);
      cut.push(record(client), record(other), record(await stack.connect('/chats')));
      spared.push(await stack.connect('/chats', sign({ sub: 'u2' })));
      spared.push(await stack.connect('/chats', sign({ tenantId: 't2' })));
    }
    await revoke();
    await until(() => cut.every((told) => told.length === 2));
    expect(cut).toEqual(Array(6).fill(CUT));
    await wait(100);
    expect(spared.map(({ connected: lives }) => lives)).toEqual(Array(4).fill(true));
  });

  it('refuses the tokens of before on every replica, and takes later ones', async () => {
    const old = sign();
    const timeless = sign({}, { noTimestamp: true });
    await revoke();
    for (const stack of [a, b]) {
      for (const token of [old, timeless]) {
        expect((await stack.refusal('/notifications', { token })).code).toBe('UNAUTHORIZED');
      }
      expect((await stack.connect('/notifications', later())).connected).toBe(true);
      await stack.connect('/notifications', sign({ sub: 'u2' }));
    }
  });

  it.each(['a', 'b'])('ends a handshake that is in flight on replica %s', async (name) => {
    const stack = name === 'a' ? a : b;
    const gate = slowDown(stack);
    const first = stack.client('/notifications', { token: sign() });
    const second = first.io.socket('/chats', { auth: { token: sign() } });
    const refusals = [refused(first), refused(second)];
    await until(() => gate.waiting() === 2);
    await revoke();
    gate.open();
    expect((await Promise.all(refusals)).map(({ code }) => code)).toEqual([
      'UNAUTHORIZED',
      'UNAUTHORIZED',
    ]);
  });

  it('ends a handshake that waits between its token and its connection', async () => {
    const { server } = b.app.get(Broadcaster) as unknown as {
      server: { of(name: string): { use(run: (socket: unknown, next: () => void) => void): void } };
    };
    let proceed: (() => void) | undefined;
    server.of('/notifications').use((_socket, next) => (proceed = next));
    const client = b.client('/notifications', { token: sign() });
    const told = record(client);
    client.on('connect', () => told.push('connect'));
    client.connect();
    await until(() => proceed !== undefined);
    await revoke();
    proceed?.();
    await until(() => !client.io.engine || client.io.engine.readyState === 'closed');
    await wait(100);
    expect(told).not.toContain('connect');
    expect(client.connected).toBe(false);
  });

  it('is not undone by a refresh that is in flight', async () => {
    const client = await b.connect('/notifications');
    const told = record(client);
    const gate = slowDown(b);
    const refresh = client
      .timeout(2_000)
      .emitWithAck('realtime.refresh', { token: sign({ exp: now() + 600 }) })
      .catch(() => undefined);
    await until(() => gate.waiting() === 1);
    await revoke();
    gate.open();
    await refresh;
    await until(() => told.length === 2);
    expect(told).toEqual(CUT);
  });

  it('lets no revoked token prolong what a later one has opened', async () => {
    const old = sign({ exp: now() + 600 });
    await revoke();
    const client = await b.connect('/notifications', later());
    const ack: unknown = await client
      .timeout(1_000)
      .emitWithAck('realtime.refresh', { token: old });
    expect(ack).toMatchObject({ ok: false, error: { code: 'UNAUTHORIZED' } });
    const other = client.io.socket('/chats', { auth: { token: old } });
    expect((await refused(other)).code).toBe('UNAUTHORIZED');
  });

  it('spares what a later token has opened before the news of it arrives', async () => {
    const told = record(await b.connect('/notifications'));
    await wait(20);
    const at = Date.now();
    await wait(20);
    const fresh = await b.connect('/notifications', later());
    const { revokeEverywhere } = a.app.get(RealtimeRevocation) as unknown as {
      revokeEverywhere: (message: object) => Promise<void>;
    };
    await revokeEverywhere({ tenantId: 't1', userId: 'u1', at });
    await until(() => told.length === 2);
    expect(fresh.connected).toBe(true);
  });

  it('cuts what is open by a token of a clock that is ahead, and lets it in nowhere again', async () => {
    const ahead = sign({ iat: now() + 30 });
    const told = record(await b.connect('/notifications', ahead));
    await revoke();
    await until(() => told.length === 2);
    expect(told).toEqual(CUT);
    for (const stack of [a, b]) {
      await until(() => stack.app.get(RealtimeRevocation).isRevoked(identityOf(now() + 30)));
      const refusal = await stack.refusal('/notifications', { token: ahead });
      expect(refusal.code).toBe('UNAUTHORIZED');
      // Whoever signs in again by that clock is let in.
      const again = await stack.connect('/notifications', sign({ iat: now() + 40 }));
      expect(again.connected).toBe(true);
    }
  });

  const identityOf = (iat: number) => ({
    tenantId: 't1',
    userId: 'u1',
    expiresAt: Infinity,
    issuedAt: iat * 1_000,
    sessionId: undefined,
  });

  it('of one sign-in cuts what that opened, and refuses all its tokens', async () => {
    const phone = record(await b.connect('/notifications', sign({ sid: 'phone' })));
    const laptop = await b.connect('/notifications', sign({ sid: 'laptop' }));
    await revoke({ sessionId: 'phone' });
    await until(() => phone.length === 2);
    expect(laptop.connected).toBe(true);
    const refusal = await b.refusal('/notifications', { token: later({ sid: 'phone' }) });
    expect(refusal.code).toBe('UNAUTHORIZED');
  });

  it.each([
    [{ userId: '' }],
    [{ userId: undefined }],
    [{ tenantId: ['t1'] }],
    [{ sessionId: '' }],
    [{ sessionId: 7 }],
  ])('throws on %j instead of revoking nothing', async (user) => {
    const client = await a.connect('/notifications');
    await expect(revoke(user)).rejects.toThrow(TypeError);
    expect(client.connected).toBe(true);
  });

  it('is logged with the user, and without a token', async () => {
    const client = await b.connect('/notifications');
    await Promise.all([once(client, 'disconnect'), revoke()]);
    // Nest has one logger for a process: that of the last app.
    expect(b.logs.join('\n')).toMatch(/revoked .*"userId":"u1"/);
    expect(b.logs.join('\n')).not.toContain('eyJ');
  });

  it('is known to a replica that starts later, for a month', async () => {
    const tokens = [sign(), sign({ sub: 'u2', sid: 's2' })];
    await revoke();
    await revoke({ userId: 'u2', sessionId: 's2' });
    const late = await Stack.start({ env: { REDIS_URL: redis.url, ...AHEAD }, app });
    for (const token of tokens) {
      const refusal = await late.refusal('/notifications', { token });
      expect(refusal.code).toBe('UNAUTHORIZED');
    }
    await late.connect('/notifications', sign({ sub: 'u2' }));
    await late.connect('/notifications', later());
    await late.close();
    const probe = new Redis(redis.url);
    const [key = ''] = await probe.keys(`${app}:*:revoke`);
    const days = (await probe.pttl(key)) / 86_400_000;
    expect(days).toBeGreaterThan(29);
    expect(days).toBeLessThanOrEqual(30);
    probe.disconnect();
  });

  it('sends no token through Redis, in a command or to a subscriber', async () => {
    const commands: string[] = [];
    const published: string[] = [];
    const spy = new Redis(redis.url);
    const monitor = await spy.monitor();
    monitor.on('monitor', (_time: string, args: string[]) => commands.push(args.join(' ')));
    const subscriber = new Redis(redis.url);
    await subscriber.psubscribe('*');
    subscriber.on('pmessageBuffer', (_pattern: unknown, _channel: unknown, message: Buffer) =>
      published.push(message.toString('latin1')),
    );
    const token = sign({ sid: 's1' });
    const client = await b.connect('/notifications', token);
    await client.timeout(1_000).emitWithAck('realtime.refresh', { token: later() });
    const { server } = a.app.get(Broadcaster) as unknown as {
      server: { of(name: string): { fetchSockets(): Promise<unknown[]> } };
    };
    expect(await server.of('/notifications').fetchSockets()).toHaveLength(1);
    await revoke();
    await wait(200);
    [spy, monitor, subscriber].forEach((link) => link.disconnect());
    const seen = [...commands, ...published].join('\n');
    expect(seen).toContain('revoke');
    expect(seen).toContain('u1');
    expect(seen).not.toContain('eyJ');
    for (const part of token.split('.')) expect(seen).not.toContain(part);
  });

  it('remembers no more than its bound', async () => {
    const alone = await Stack.start();
    const revocation = alone.app.get(RealtimeRevocation);
    for (let i = 0; i < 10_050; i++) {
      await revocation.revoke({ tenantId: 't1', userId: `user-${i}` });
    }
    // However many sign-ins end, no user is forgotten for them.
    for (let i = 0; i < 10_050; i++) {
      await revocation.revoke({ tenantId: 't1', userId: 'u1', sessionId: `s-${i}` });
    }
    const held = revocation as unknown as { users: Map<string, number>; signIns: Set<string> };
    expect([held.users.size, held.signIns.size]).toEqual([10_000, 10_000]);
    const refusal = await alone.refusal('/notifications', {
      token: sign({ sub: 'user-10049', iat: now() - 30 }),
    });
    expect(refusal.code).toBe('UNAUTHORIZED');
    await alone.close();
  });
});

describe('revocation while Redis is away', () => {
  it('cuts what is here, and says that the others have not answered', async () => {
    const redis = await startOwnRedis();
    const stack = await Stack.start({ env: { REDIS_URL: redis.url, ...AHEAD } });
    const told = record(await stack.connect('/notifications'));
    await redis.kill();
    const revoking = stack.app.get(RealtimeRevocation).revoke({ tenantId: 't1', userId: 'u1' });
    const failed = expect(revoking).rejects.toThrow('Not every replica has answered');
    await until(() => told.length === 2);
    await failed;
    // Long after: no other replica is known any more, and none has been told.
    await wait(6_000);
    const again = stack.app.get(RealtimeRevocation).revoke({ tenantId: 't1', userId: 'u2' });
    const subscriptions = stack.app.get(Subscriptions);
    const user = { tenantId: 't1', userId: 'u2' };
    const withdrawing = subscriptions.withdraw('/documents', user, 'd1');
    await Promise.all(
      [again, withdrawing].map((told) =>
        expect(told).rejects.toThrow('Not every replica has answered'),
      ),
    );
    await stack.close();
    await redis.stop();
  }, 60_000);
});
