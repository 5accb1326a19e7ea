import { ConnectionRegistry } from '../src/connections/connection-registry';
import { AckExceptionFilter } from '../src/events/client-event';
import { listen } from '../src/observability/diagnostics';
import { type BeforeApplicationShutdown, UseFilters } from '@nestjs/common';
import { SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';
import type { Socket as TcpSocket } from 'node:net';
import type { Socket } from 'socket.io-client';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { WebSocket } from 'ws';
import { ORIGIN, once, sign, Stack, wait } from './support/stack.js';

const released: (() => void)[] = [];

@WebSocketGateway({ namespace: '/notifications' })
@UseFilters(AckExceptionFilter)
class SlowGateway {
  @SubscribeMessage('test.slow')
  slow(): Promise<string> {
    return new Promise((resolve) => released.push(() => resolve('finished')));
  }
}

/** Ends later than the connections do. */
class SlowService implements BeforeApplicationShutdown {
  private isAsked = false;

  async beforeApplicationShutdown(): Promise<void> {
    if (this.isAsked) return;
    this.isAsked = true;
    await new Promise<void>((resolve) => released.push(resolve));
  }
}

let stack: Stack;
afterEach(async () => {
  released.splice(0).forEach((release) => release());
  await stack?.close();
});

interface Farewell {
  readonly reconnectInMs: number;
  readonly reason: string;
  readonly active: boolean;
}

async function farewell(socket: Socket): Promise<Farewell> {
  const draining = once(socket, 'realtime.draining');
  const [reason] = await once(socket, 'disconnect');
  const [{ reconnectInMs }] = (await draining) as [{ reconnectInMs: number }];
  return { reconnectInMs, reason: String(reason), active: socket.active };
}

describe('a shutdown', () => {
  it('tells clients when to come back, and closes so that they do', async () => {
    stack = await Stack.start();
    const socket = await stack.connect('/notifications');
    const told = farewell(socket);
    await stack.app.close();
    const { reconnectInMs, reason, active } = await told;
    expect(reconnectInMs).toBeGreaterThanOrEqual(0);
    expect(reconnectInMs).toBeLessThan(1_000);
    // What Socket.IO's client comes back from by itself; not from "io server disconnect".
    expect([reason, active]).toEqual(['transport close', true]);
  });

  it('forgets those that leave while it waits', async () => {
    stack = await Stack.start({ env: { REALTIME_DRAIN_DELAY_MS: '4000' } });
    const sockets = await Promise.all(
      ['u1', 'u2', 'u3'].map((sub) => stack.connect('/notifications', sign({ sub }))),
    );
    const closed = stack.app.close();
    const tracked = Reflect.get(stack.app.get(ConnectionRegistry), 'connections') as Map<
      unknown,
      unknown
    >;
    expect(tracked.size).toBe(3);
    sockets[0]?.disconnect();
    sockets[1]?.disconnect();
    await vi.waitFor(() => expect(tracked.size).toBe(1), { timeout: 3_500 });
    await closed;
  });

  it('refuses newcomers UNAVAILABLE while it goes on serving those it has', async () => {
    stack = await Stack.start({ env: { REALTIME_DRAIN_DELAY_MS: '1000' } });
    const socket = await stack.connect('/notifications');
    const closed = stack.app.close();
    await wait(100);
    const refusal = await stack.refusal('/notifications', { token: sign({ sub: 'late' }) });
    expect(refusal).toMatchObject({ code: 'UNAVAILABLE', retryAfterMs: expect.any(Number) });
    const ack: unknown = await socket.emitWithAck('notification.markRead', {
      notificationId: 'n1',
    });
    expect(ack).toMatchObject({ ok: true });
    await closed;
  });

  it('takes no connection once it has closed the last', async () => {
    stack = await Stack.start({ providers: [SlowService] });
    const refusals: unknown[] = [];
    const end = listen('handshake', (refusal) => refusals.push(refusal));
    const closed = stack.app.close();
    await expect.poll(() => released).toHaveLength(1);
    const url = `ws://127.0.0.1:${stack.port}/socket.io/?EIO=4&transport=websocket`;
    const late = new WebSocket(url, { origin: ORIGIN });
    const answer = await new Promise((resolve) => {
      late.once('open', () => resolve('open')).once('error', ({ message }) => resolve(message));
    });
    end();
    expect(answer).toMatch(/400/);
    expect(refusals).toEqual([{ result: 'UNAVAILABLE' }]);
    released.splice(0).forEach((release) => release());
    await closed;
  });

  it('waits for the client events in hand, and acknowledges them', async () => {
    stack = await Stack.start({ providers: [SlowGateway] });
    const socket = await stack.connect('/notifications');
    const ack = socket.emitWithAck('test.slow');
    await expect.poll(() => released).toHaveLength(1);
    const closed = stack.app.close();
    await wait(300);
    expect(socket.connected).toBe(true);
    released.forEach((release) => release());
    expect(await ack).toEqual({ ok: true, data: 'finished' });
    await closed;
  });

  it('does not wait for one that never ends, or whose client is gone', async () => {
    stack = await Stack.start({
      providers: [SlowGateway],
      env: { REALTIME_SHUTDOWN_MS: '2000' },
    });
    const gone = await stack.connect('/notifications', sign({ sub: 'gone' }));
    gone.emit('test.slow');
    await expect.poll(() => released).toHaveLength(1);
    gone.disconnect();
    const stays = await stack.connect('/notifications');
    stays.emit('test.slow');
    await expect.poll(() => released).toHaveLength(2);
    const started = Date.now();
    await stack.app.close();
    // Half of what is left for work in hand.
    expect(Date.now() - started).toBeGreaterThan(900);
    expect(Date.now() - started).toBeLessThan(1_900);
  });

  it('does not wait for a peer that has stopped reading', async () => {
    stack = await Stack.start();
    const url = `ws://127.0.0.1:${stack.port}/socket.io/?EIO=4&transport=websocket`;
    const raw = new WebSocket(url, { origin: ORIGIN });
    await new Promise((resolve) => raw.once('message', resolve));
    const { _socket: tcp } = raw as unknown as { _socket: TcpSocket };
    tcp.pause();
    const started = Date.now();
    await stack.app.close();
    // ws itself would give it half a minute.
    expect(Date.now() - started).toBeLessThan(5_000);
    tcp.destroy();
  });

  it('closes many in batches, and spreads their return', async () => {
    stack = await Stack.start({ env: { REALTIME_RATE_HANDSHAKES_BURST: '10000' } });
    const sockets = await Promise.all(
      Array.from({ length: 450 }, (_, n) =>
        stack.connect('/notifications', sign({ sub: `u${n % 30}` })),
      ),
    );
    const left: number[] = [];
    const registry = stack.app.get(ConnectionRegistry);
    const counting = setInterval(() => left.push(registry.open().length), 10);
    const begun: number[] = [];
    const stop = listen('draining', ({ connections }) => begun.push(connections));
    const told = Promise.all(sockets.map(farewell));
    await stack.app.close();
    clearInterval(counting);
    stop();
    const delays = (await told).map(({ reconnectInMs }) => reconnectInMs);
    expect(begun).toEqual([450]);
    // The second batch was whole while the first was gone, and so on.
    expect(left).toEqual(expect.arrayContaining([250, 50]));
    expect(Math.max(...delays)).toBeLessThan(900);
    expect(Math.max(...delays)).toBeGreaterThan(600);
    expect(Math.min(...delays)).toBeLessThan(200);
  }, 30_000);

  it('is at once over where nobody is connected', async () => {
    stack = await Stack.start();
    const started = Date.now();
    await stack.app.close();
    expect(Date.now() - started).toBeLessThan(500);
  });
});
