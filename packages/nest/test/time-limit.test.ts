import { HandshakeGuard } from '../src/handshake/handshake.guard';
import { Subscriptions } from '../src/rooms/subscriptions';
import { TIME_LIMITS } from '../src/time-limit';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { sign, Stack } from './support/stack.js';

const never = (): Promise<never> => new Promise(() => undefined);

describe("an owner's code that never answers", () => {
  const { owner } = TIME_LIMITS;
  let stack: Stack | undefined;
  beforeAll(() => void (TIME_LIMITS.owner = 300));
  afterAll(() => void (TIME_LIMITS.owner = owner));
  afterEach(() => stack?.close());

  it.each(['identify', 'check'] as const)(
    'refuses for now where it is %s of the guard',
    async (name) => {
      class Guard extends HandshakeGuard {
        readonly [name] = never;
      }
      stack = await Stack.start({ guard: Guard as never });
      const refusal = await stack.refusal('/notifications', { token: sign() });
      expect(refusal.code).toBe('UNAVAILABLE');
    },
  );

  it('denies where it is a policy, and gives the place back', async () => {
    stack = await Stack.start({ env: { REALTIME_MAX_SUBSCRIPTIONS: '1' } });
    const subscriptions = stack.app.get(Subscriptions);
    const ask = vi.fn<() => boolean | Promise<boolean>>(never);
    subscriptions.protect('/documents', { canSubscribe: ask });
    const client = await stack.connect('/documents');
    const subscribe = (): Promise<unknown> =>
      client.timeout(3_000).emitWithAck('document.subscribe', { id: 'd1' });
    expect(await subscribe()).toMatchObject({ ok: false, error: { code: 'INTERNAL' } });
    ask.mockReturnValue(true);
    expect(await subscribe()).toMatchObject({ ok: true });
    ask.mockImplementation(never);
    await subscriptions.recheck('/documents', { tenantId: 't1', userId: 'u1' });
    expect(
      await client.timeout(3_000).emitWithAck('document.unsubscribe', { id: 'd1' }),
    ).toMatchObject({
      ok: true,
    });
  });
});
