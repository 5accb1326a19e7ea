import { AckExceptionFilter, ContractPipe } from '../src/events/client-event';
import { RealtimeException } from '../src/handshake/realtime.errors';
import {
  type CanActivate,
  Catch,
  type ExceptionFilter,
  UseFilters,
  UseGuards,
} from '@nestjs/common';
import { MessageBody, SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';
import { EMPTY, finalize, interval, NEVER, of } from 'rxjs';
import type { Socket } from 'socket.io-client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { z } from 'zod';
import { ORIGIN, sign, Stack, wait } from './support/stack.js';

const schema = z.strictObject({ text: z.string() });

let ended = 0;

class DenyingGuard implements CanActivate {
  canActivate(): boolean {
    return false;
  }
}

@Catch()
class BrokenFilter implements ExceptionFilter {
  catch(): void {
    throw new Error('inner text of a filter');
  }
}

@WebSocketGateway({ namespace: '/acks' })
@UseFilters(AckExceptionFilter)
class AckGateway {
  @SubscribeMessage('echo')
  echo(@MessageBody(new ContractPipe(schema)) body: unknown): unknown {
    return body;
  }

  @SubscribeMessage('list')
  list(@MessageBody(new ContractPipe(z.array(z.number()))) body: unknown): unknown {
    return body;
  }

  @SubscribeMessage('nothing')
  nothing(): void {
    return;
  }

  @SubscribeMessage('falsy')
  falsy(): number {
    return 0;
  }

  @SubscribeMessage('event-like')
  eventLike(): unknown {
    return { event: 'x', data: 1 };
  }

  @SubscribeMessage('empty')
  empty(): unknown {
    return EMPTY;
  }

  @SubscribeMessage('many')
  many(): unknown {
    return of(1, 2, 3);
  }

  @SubscribeMessage('endless')
  endless(): unknown {
    return interval(10).pipe(finalize(() => (ended += 1)));
  }

  @SubscribeMessage('throws')
  throws(): void {
    throw new Error('select * from secrets');
  }

  @SubscribeMessage('rejects')
  async rejects(): Promise<void> {
    throw Object.assign(new Error('inner'), { code: 'EINNER', details: 'inner' });
  }

  @SubscribeMessage('throws-text')
  throwsText(): void {
    throw 'inner text';
  }

  @SubscribeMessage('refuses')
  refuses(): void {
    throw new RealtimeException('SOLD_OUT', 'No seats left', { seats: 0 });
  }

  @UseGuards(DenyingGuard)
  @SubscribeMessage('denied')
  denied(): void {
    return;
  }

  @UseFilters(BrokenFilter)
  @SubscribeMessage('broken-filter')
  brokenFilter(): void {
    throw new Error('inner text');
  }

  @SubscribeMessage('never')
  never(): unknown {
    return NEVER;
  }
}

describe('client events', () => {
  let stack: Stack;
  let client: Socket;
  const exceptions: unknown[] = [];

  beforeAll(async () => {
    stack = await Stack.start({ providers: [AckGateway] });
    client = await stack.connect('/acks');
    client.on('exception', (error: unknown) => exceptions.push(error));
  });
  afterAll(() => stack?.close());

  const send = (event: string, ...args: unknown[]): Promise<unknown> =>
    client.timeout(1_000).emitWithAck(event, ...args);

  it.each([
    ['echo', { ok: true, data: { text: 'hi' } }],
    ['nothing', { ok: true, data: null }],
    ['falsy', { ok: true, data: 0 }],
    ['event-like', { ok: true, data: { event: 'x', data: 1 } }],
    ['empty', { ok: true, data: null }],
    ['many', { ok: true, data: 1 }],
    ['throws', { ok: false, error: { code: 'INTERNAL', message: 'Internal error' } }],
    ['rejects', { ok: false, error: { code: 'INTERNAL', message: 'Internal error' } }],
    ['throws-text', { ok: false, error: { code: 'INTERNAL', message: 'Internal error' } }],
    [
      'refuses',
      { ok: false, error: { code: 'SOLD_OUT', message: 'No seats left', details: { seats: 0 } } },
    ],
    ['broken-filter', { ok: false, error: { code: 'INTERNAL', message: 'Internal error' } }],
    ['denied', { ok: false, error: { code: 'FORBIDDEN', message: 'Forbidden' } }],
  ])('acknowledges %s', async (event, ack) => {
    expect(await send(event, { text: 'hi' })).toEqual(ack);
    expect(exceptions).toEqual([]);
  });

  it('listens to a stream no longer than to its first value', async () => {
    ended = 0;
    expect(await send('endless')).toEqual({ ok: true, data: 0 });
    await wait(50);
    expect(ended).toBe(1);
  });

  it('logs what it keeps from the client', async () => {
    await send('throws');
    expect(stack.logs.join()).toContain('select * from secrets');
  });

  const bad = [
    [{}],
    [{ text: 1 }],
    [{ text: 'hi', tenantId: 't2' }],
    [[]],
    [[{ text: 'hi' }]],
    ['text'],
    [7],
    [null],
    [true],
    [undefined],
    [{ text: 'hi' }, { text: 'hi' }],
    [JSON.parse('{"text":"hi","__proto__":{"a":1}}')],
  ];
  it.each(bad.map((args) => [args]))('refuses the body %j', async (args) => {
    expect(await send('echo', ...args)).toMatchObject({ ok: false, error: { code: 'VALIDATION' } });
  });

  it('tells ten of a thousand faults', async () => {
    const faults = Array.from({ length: 1_000 }, () => 'x');
    const ack = (await send('list', faults)) as { error: { details: unknown[] } };
    expect(ack.error.details).toHaveLength(10);
  });

  it('refuses no body at all', async () => {
    expect(await send('echo')).toMatchObject({ ok: false, error: { code: 'VALIDATION' } });
  });

  it.each([
    'unknown',
    'error',
    'constructor',
    '__proto__',
    'toString',
    'message',
    'realtime.expired',
    'realtime.kicked',
  ])('acknowledges the unknown event %s', async (event) => {
    expect(await send(event, { text: 'hi' })).toMatchObject({
      ok: false,
      error: { code: 'VALIDATION', message: 'Unknown event' },
    });
  });

  it('acknowledges each event once, and one without an acknowledgement not at all', async () => {
    const raw = new WebSocket(`ws://127.0.0.1:${stack.port}/socket.io/?EIO=4&transport=websocket`, {
      origin: ORIGIN,
    });
    const frames: string[] = [];
    raw.on('message', (data) => {
      const frame = String(data);
      frames.push(frame);
      if (frame.startsWith('0')) raw.send(`40/acks,${JSON.stringify({ token: sign() })}`);
      if (!frame.startsWith('40/acks')) return;
      ['many', 'throws', 'refuses', 'denied', 'unknown', 'echo'].forEach((event, id) =>
        raw.send(`42/acks,${id}["${event}",{"text":"hi"}]`),
      );
      raw.send('42/acks,["many",1]');
      raw.send('42/acks,["throws",1]');
      raw.send('42/acks,["unknown",1]');
      raw.send('42/acks,77[5,{"text":"hi"}]');
    });
    await wait(400);
    raw.terminate();
    const acks = frames.filter((frame) => frame.startsWith('43/acks,'));
    expect(acks.map((frame) => Number(/,(\d+)/.exec(frame)?.[1])).sort((a, b) => a - b)).toEqual([
      0, 1, 2, 3, 4, 5, 77,
    ]);
    expect(frames.filter((frame) => frame.startsWith('42'))).toEqual([]);
  });

  it.each(['disconnect', 'disconnecting', 'newListener', 'removeListener', 'connect'])(
    'closes on the reserved event %s and lives on',
    async (event) => {
      const raw = new WebSocket(
        `ws://127.0.0.1:${stack.port}/socket.io/?EIO=4&transport=websocket`,
        { origin: ORIGIN },
      );
      raw.on('message', (data) => {
        const frame = String(data);
        if (frame.startsWith('0')) raw.send(`40/acks,${JSON.stringify({ token: sign() })}`);
        if (frame.startsWith('40/acks')) raw.send(`42/acks,1["${event}"]`);
      });
      await new Promise((resolve) => raw.once('close', resolve));
      expect(await send('nothing')).toMatchObject({ ok: true });
    },
  );

  it('works as generated', async () => {
    const generated = await stack.connect('/notifications');
    const ack = (body: unknown): Promise<unknown> =>
      generated.timeout(1_000).emitWithAck('notification.markRead', body);
    expect(await ack({ notificationId: 'n1' })).toEqual({ ok: true, data: null });
    expect(await ack({ notificationId: 'n1', tenantId: 't2' })).toMatchObject({
      ok: false,
      error: { code: 'VALIDATION' },
    });
    expect(await ack({ notificationId: 1 })).toMatchObject({
      error: { code: 'VALIDATION', details: [{ path: 'notificationId' }] },
    });
  });
});
