import { BaseRpcException } from '../../src/broker/base-rpc.exception';
import { BrokerDispatcher, type Outcome } from '../../src/broker/broker';
import { brokerEvent, isFirstSent } from '../../src/broker/emission';
import { RequestContextService } from '../../src/events/request-context';
import { setTimeout as delay } from 'node:timers/promises';

type Handler = (data: { tenantId: string; n: number }) => Promise<void>;

/** A dispatcher with one handler, and what became of each event. */
function dispatcherOf(handler: Handler) {
  const dispatcher = new BrokerDispatcher(new Map([['x', handler]]), new RequestContextService());
  const outcomes: Outcome[] = [];
  const handle = (id: string | undefined, data: object = {}): Promise<void> =>
    dispatcher.handle(
      () => ({ pattern: 'x', data }),
      { id, redelivered: false },
      (outcome) => void outcomes.push(outcome),
    );
  return { dispatcher, handle, kinds: () => outcomes.map(({ kind }) => kind), outcomes };
}

/** A promise that the test settles. */
function gate() {
  let open = (): void => undefined;
  let fail: (error: Error) => void = () => undefined;
  const opened = new Promise<void>((resolve, reject) => {
    open = resolve;
    fail = reject;
  });
  opened.catch(() => undefined);
  return { opened, open, fail };
}

describe('BrokerDispatcher', () => {
  // Taken out: the bound of what is remembered.
  it('recognises duplicates among the last ten thousand events, and remembers no more', async () => {
    const { handle, kinds } = dispatcherOf(async () => undefined);
    await handle('first');
    for (let i = 0; i < 9_999; i++) await handle(String(i));
    await handle('first');
    await handle('one more');
    await handle('first');
    await handle('9998');
    expect(kinds().slice(-4)).toEqual(['duplicate', 'done', 'done', 'duplicate']);
  });

  it('takes two tenants that give the same id for two events', async () => {
    const { handle, kinds } = dispatcherOf(async () => undefined);
    await handle('1', { tenantId: 'acme' });
    await handle('1', { tenantId: 'other' });
    await handle('1', { tenantId: 'acme' });
    // Together they spell the same, were it not for the length of the tenant's id.
    await handle('b c', { tenantId: 'a' });
    await handle('c', { tenantId: 'a b' });
    expect(kinds()).toEqual(['done', 'done', 'duplicate', 'done', 'done']);
  });

  it('handles the events of a tenant one after the other, and of others meanwhile', async () => {
    const slow = gate();
    const ended: string[] = [];
    const { handle } = dispatcherOf(async ({ tenantId, n }) => {
      if (tenantId === 't1' && n === 1) await slow.opened;
      ended.push(`${tenantId} ${n}`);
    });
    const all = [1, 2, 3].flatMap((n) => [
      handle(`a${n}`, { tenantId: 't1', n }),
      handle(`b${n}`, { tenantId: 't2', n }),
    ]);
    await delay(20);
    expect(ended).toEqual(['t2 1', 't2 2', 't2 3']);
    slow.open();
    await Promise.all(all);
    expect(ended.slice(3)).toEqual(['t1 1', 't1 2', 't1 3']);
  });

  it('keeps the order of a tenant behind an event that fails for a while', async () => {
    let failures = 2;
    const ended: number[] = [];
    const { handle, kinds } = dispatcherOf(async ({ n }) => {
      if (n === 1 && failures-- > 0) throw new Error('the database is away');
      ended.push(n);
    });
    await Promise.all([1, 2, 3].map((n) => handle(String(n), { tenantId: 't1', n })));
    expect(ended).toEqual([1, 2, 3]);
    expect(kinds()).toEqual(['done', 'done', 'done']);
  });

  it('goes on behind an event that is invalid', async () => {
    const { handle, kinds } = dispatcherOf(async ({ n }) => {
      if (n === 1) throw new BaseRpcException('invalid', 'NO', 'refused');
    });
    await Promise.all([1, 2].map((n) => handle(String(n), { tenantId: 't1', n })));
    expect(kinds()).toEqual(['invalid', 'done']);
  });

  it('sends once what an earlier attempt has sent', async () => {
    const sent: string[] = [];
    let attempts = 0;
    const { handle, kinds } = dispatcherOf(async () => {
      attempts += 1;
      if (isFirstSent()) sent.push('first');
      if (attempts === 1) throw new Error('between the two');
      if (isFirstSent()) sent.push('second');
    });
    await handle('1');
    await handle('2');
    expect(kinds()).toEqual(['done', 'done']);
    expect(sent).toEqual(['first', 'second', 'first', 'second']);
    expect(isFirstSent()).toBe(true);
  });

  it('is done when all is taken that it has sent, and given back when that is refused', async () => {
    const gates = [gate(), gate(), gate()];
    const keys: (string | undefined)[] = [];
    const { handle, kinds, dispatcher } = dispatcherOf(async ({ n }) => {
      const event = brokerEvent();
      keys.push(event?.nextKey(), event?.nextKey());
      event?.taken.push(Promise.resolve(), gates[n]?.opened ?? Promise.resolve());
    });
    const works = [0, 1, 2].map((n) => handle(`id${n}`, { tenantId: 't1', n }));
    await delay(20);
    // All three were sent, in their order; none is done.
    expect(keys).toEqual([0, 1, 2].flatMap((n) => [`x 2 t1 id${n} 0`, `x 2 t1 id${n} 1`]));
    expect(kinds()).toEqual([]);
    gates[1]?.open();
    await works[1];
    gates[0]?.fail(new Error('Redis is lost'));
    await works[0];
    dispatcher.release();
    gates[2]?.open();
    await works[2];
    expect(kinds()).toEqual(['done', 'released', 'released']);
    // Delivered again, it is handled again.
    await handle('id0', { tenantId: 't1', n: 9 });
    await handle('id1', { tenantId: 't1', n: 9 });
    expect(kinds().slice(3)).toEqual(['done', 'duplicate']);
  });

  it('lets a copy wait for the first one, and take over when that fails', async () => {
    const slow = gate();
    let calls = 0;
    const { handle, kinds } = dispatcherOf(async () => {
      calls += 1;
      brokerEvent()?.taken.push(calls === 1 ? slow.opened : Promise.resolve());
    });
    const first = handle('same');
    const copy = handle('same');
    await delay(20);
    expect(kinds()).toEqual([]);
    slow.fail(new Error('Redis is lost'));
    await Promise.all([first, copy]);
    expect(kinds()).toEqual(['released', 'done']);
    expect(calls).toBe(2);
  });

  it('gives back what waits behind, once another replica has taken over', async () => {
    const slow = gate();
    const handled: number[] = [];
    const { handle, kinds, dispatcher } = dispatcherOf(async ({ n }) => {
      handled.push(n);
      await slow.opened;
    });
    const works = [1, 2].map((n) => handle(String(n), { tenantId: 't1', n }));
    await delay(20);
    dispatcher.release();
    slow.open();
    await Promise.all(works);
    expect(handled).toEqual([1]);
    expect(kinds()).toEqual(['released', 'released']);
  });

  it('takes a handler for failed that does not end, and a bounded number of times', async () => {
    vi.useFakeTimers();
    try {
      let calls = 0;
      const { handle, outcomes } = dispatcherOf(async () => {
        calls += 1;
        await new Promise(() => undefined);
      });
      const work = handle('1');
      await vi.advanceTimersByTimeAsync(29_000);
      expect(calls).toBe(1);
      for (let attempt = 1; attempt <= 6; attempt += 1) {
        await vi.advanceTimersByTimeAsync(30_000);
        // The pauses between are of node:timers/promises, which is not faked.
        for (let i = 0; i < 500 && calls === attempt && attempt < 6; i += 1) await delay(10);
      }
      await work;
      expect(calls).toBe(6);
      expect(outcomes).toEqual([
        { kind: 'transient', code: 'TIMEOUT', message: 'took too long', pattern: 'x' },
      ]);
    } finally {
      vi.useRealTimers();
    }
  });

  it('gives back at the shutdown what waits for its next attempt', async () => {
    const { handle, kinds, dispatcher } = dispatcherOf(async () => {
      throw new Error('the database is away');
    });
    const work = handle('1');
    await delay(20);
    await dispatcher.drained(5_000);
    await work;
    expect(kinds()).toEqual(['released']);
  });
});
