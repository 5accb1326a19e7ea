import { Controller } from '@nestjs/common';
import { EventPattern, type MessageHandler } from '@nestjs/microservices';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { BaseRpcException } from '../../src/broker/base-rpc.exception';
import { BrokerDispatcher, type Outcome } from '../../src/broker/broker';
import { BrokerEvent, type BrokerMessage } from '../../src/broker/broker-event';
import { noteFailure } from '../../src/broker/emission';
import { EVENT_POLICY, type EventPolicy } from '../../src/broker/event-policy';
import { RequestContextService } from '../../src/events/request-context';

/** What becomes of one event. @param id of the event */
async function outcomeOf(
  handler: () => unknown,
  policy: Partial<EventPolicy>,
  ids: readonly string[] = ['1'],
): Promise<Outcome[]> {
  const handlers = new Map([['order.placed', (async () => handler()) as MessageHandler]]);
  const dispatcher = new BrokerDispatcher(handlers, new RequestContextService(), policy);
  const outcomes: Outcome[] = [];
  for (const id of ids) {
    await dispatcher.handle(
      () => ({ pattern: 'order.placed', data: { tenantId: 't1' } }),
      { id, redelivered: false },
      (outcome) => void outcomes.push(outcome),
    );
  }
  return outcomes;
}

describe('the policy of events', () => {
  it('is today’s where an app says nothing', () => {
    const { pauseMs, isInvalid, ...numbers } = EVENT_POLICY;
    expect(numbers).toEqual({ retries: 5, timeoutMs: 30_000, rememberedIds: 10_000 });
    expect([0, 1, 2, 3, 4].map(pauseMs)).toEqual([100, 200, 400, 800, 1_600]);
    expect(isInvalid(new Error('any'))).toBe(false);
  });

  it('says how often an event is tried again, and after which pauses', async () => {
    let attempts = 0;
    const paused: number[] = [];
    const pauseMs = (attempt: number): number => {
      paused.push(attempt);
      return 1;
    };
    const fail = (): never => {
      attempts += 1;
      throw new Error('away');
    };
    expect(await outcomeOf(fail, { retries: 2, pauseMs })).toMatchObject([
      { kind: 'transient', code: 'INTERNAL' },
    ]);
    expect([attempts, paused]).toEqual([3, [0, 1]]);
  });

  it('says how long a handler may take', async () => {
    const [outcome] = await outcomeOf(() => new Promise(() => undefined), {
      retries: 0,
      timeoutMs: 20,
    });
    expect(outcome).toMatchObject({ kind: 'transient', code: 'TIMEOUT' });
  });

  it('says how many ids are remembered', async () => {
    const ids = ['1', '2', '1', '3', '2', '1'];
    const kinds = async (rememberedIds: number) =>
      (await outcomeOf(() => undefined, { rememberedIds }, ids)).map(({ kind }) => kind);
    expect(await kinds(2)).toEqual(['done', 'done', 'duplicate', 'done', 'duplicate', 'done']);
    expect(await kinds(3)).toEqual([
      ...['done', 'done', 'duplicate', 'done'],
      ...['duplicate', 'duplicate'],
    ]);
  });

  it('says which errors no further attempt mends, by what the handler threw', async () => {
    let attempts = 0;
    const violation = Object.assign(new Error('unique'), { constraint: true });
    const isInvalid = (error: unknown): boolean => 'constraint' in Object(error);
    const hidden = (): never => {
      attempts += 1;
      noteFailure(violation);
      // As Nest's filter makes of any error but its own.
      throw { status: 'error', message: 'Internal server error' };
    };
    const policy = { retries: 3, pauseMs: () => 1 };
    expect(await outcomeOf(hidden, { ...policy, isInvalid })).toMatchObject([
      { kind: 'invalid', code: 'REFUSED' },
    ]);
    expect(attempts).toBe(1);
    expect(await outcomeOf(hidden, policy)).toMatchObject([{ kind: 'transient' }]);
    expect(attempts).toBe(5);
    const stated = (): never => {
      noteFailure(violation);
      throw new BaseRpcException('transient', 'AWAY', 'not now');
    };
    expect(await outcomeOf(stated, { ...policy, retries: 0, isInvalid })).toMatchObject([
      { kind: 'transient', code: 'AWAY' },
    ]);
  });
});

describe('@BrokerEvent', () => {
  const seen: unknown[] = [];
  const schema = z.object({ id: z.string() });
  const Tag = (_target: object, _name: string, { value }: PropertyDescriptor): void =>
    Reflect.defineMetadata('tag', 'below', value as object);

  @Controller()
  class Consumer {
    private readonly name = 'consumer';

    @BrokerEvent('order.placed', { key: 'order', schema })
    @Tag
    placed({ payload }: BrokerMessage<{ id: string }>): string {
      seen.push(this.name, payload.id);
      return 'sent';
    }
  }

  it('leaves a handler what it is: its own, by its name, with what others say of it', () => {
    const { placed } = Consumer.prototype;
    expect(placed.name).toBe('placed');
    expect(Reflect.getMetadata('tag', placed)).toBe('below');
    const meta = { id: '1', at: '' };
    const message = { tenantId: 't1', payload: { id: '7' }, meta, redelivered: false };
    expect(new Consumer().placed(message)).toBe('sent');
    expect(seen).toEqual(['consumer', '7']);
  });

  it('is an @EventPattern of the kernel’s transport', () => {
    const pattern = (method: object): unknown =>
      Reflect.getMetadata('microservices:pattern', method);

    class Plain {
      @EventPattern('order.placed')
      placed(): void {}
    }
    expect(pattern(Consumer.prototype.placed)).toEqual(pattern(Plain.prototype.placed));
    expect(Reflect.getMetadata('microservices:transport', Consumer.prototype.placed)).toBe(
      Symbol.for('@nx-realtime/nest:transport'),
    );
  });
});
