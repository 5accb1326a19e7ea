import { Broadcaster } from '../src/events/broadcaster';
import type { RealtimeAdapter } from '../src/connections/realtime.adapter';
import type { Socket as TcpSocket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { ORIGIN, sign, Stack, wait } from './support/stack.js';

interface Events {
  'notification.created': (payload: { n: number; body: string }) => void;
}

const BODY = 'x'.repeat(50_000);
const EVENTS = 600;

let stack: Stack | undefined;
afterEach(() => stack?.close());

const paused: TcpSocket[] = [];
afterEach(() => paused.splice(0).forEach((socket) => socket.destroy()));

/** A member of the room that stops reading from its TCP socket once it is in it. */
function stopReading(port: number, sub: string): Promise<WebSocket> {
  const raw = new WebSocket(`ws://127.0.0.1:${port}/socket.io/?EIO=4&transport=websocket`, {
    origin: ORIGIN,
  });
  raw.on('error', () => undefined);
  return new Promise((resolve) =>
    raw.on('message', (data) => {
      const frame = String(data);
      if (frame.startsWith('0')) {
        raw.send(`40/notifications,${JSON.stringify({ token: sign({ sub }) })}`);
      }
      if (!frame.startsWith('40/')) return;
      const { _socket: socket } = raw as unknown as { _socket: TcpSocket };
      socket.pause();
      paused.push(socket);
      resolve(raw);
    }),
  );
}

function connections(running: Stack): Map<string, object> {
  const { config } = running.app as unknown as { config: { getIoAdapter(): RealtimeAdapter } };
  const { engine } = config.getIoAdapter().createIOServer();
  return new Map(Object.entries((engine as unknown as { clients: object }).clients));
}

/** What waits for all clients together, in bytes. */
function buffered(running: Stack): number {
  return [...connections(running).values()]
    .map((conn) => conn as { transport: { socket: WebSocket }; writeBuffer: { data: string }[] })
    .flatMap(({ transport, writeBuffer }) => [
      transport.socket.bufferedAmount,
      ...writeBuffer.map(({ data }) => data.length),
    ])
    .reduce((sum, bytes) => sum + bytes, 0);
}

/** Sends to the tenant for about three seconds: what its reader got, the most that waited. */
async function broadcast(running: Stack): Promise<{ received: number[]; most: number }> {
  const reader = await running.connect('/notifications', sign({ sub: 'reader' }));
  const received: number[] = [];
  reader.on('notification.created', ({ n }: { n: number }) => received.push(n));
  const domain = running.app.get(Broadcaster).namespace<Events>('/notifications');
  let most = 0;
  for (let n = 0; n < EVENTS; n++) {
    const meta = { id: String(n), at: '' };
    domain.toTenant('t1', 'notification.created', { n, body: BODY }, meta);
    await wait(5);
    most = Math.max(most, buffered(running));
  }
  await expect.poll(() => received.length, { timeout: 10_000 }).toBe(EVENTS);
  return { received, most };
}

describe('a slow reader', () => {
  it('is cut, the others miss nothing, and what it was owed is released', async () => {
    stack = await Stack.start();
    await Promise.all(['s1', 's2', 's3'].map((sub) => stopReading(stack!.port, sub)));
    expect(connections(stack).size).toBe(3);
    const { received, most } = await broadcast(stack);
    expect(received).toEqual(Array.from({ length: EVENTS }, (_, n) => n));
    expect(connections(stack).size).toBe(1);
    expect(stack.logs.filter((line) => line.includes('slow reader cut'))).toHaveLength(3);
    expect(stack.logs.join()).toContain('"userId":"s1","tenantId":"t1","address":"127.0.0.1"');
    // They were owed 90 MB; between two sweeps 30 MB are sent to them.
    expect(most).toBeLessThan(45_000_000);
    expect(buffered(stack)).toBe(0);
  });

  it('below the limit stays and loses nothing', async () => {
    stack = await Stack.start({ env: { REALTIME_MAX_BUFFERED_BYTES: String(1024 ** 3) } });
    await stopReading(stack.port, 's1');
    const { most } = await broadcast(stack);
    expect(most).toBeGreaterThan(15_000_000);
    expect(connections(stack).size).toBe(2);
  });

  it('is cut for its own answers too, which it asks for and does not read', async () => {
    stack = await Stack.start({
      env: { REALTIME_MAX_BUFFERED_BYTES: '1024', REALTIME_RATE_EVENTS_BURST: '1000000' },
    });
    const raw = await stopReading(stack.port, 's1');
    // The kernel's own buffers take a few megabytes first.
    const flood = setInterval(() => {
      for (let id = 0; id < 2_000; id++) raw.send(`42/notifications,${id}["unknown"]`);
    }, 20);
    await expect.poll(() => connections(stack!).size, { timeout: 14_000 }).toBe(0);
    clearInterval(flood);
    expect(stack.logs.join()).toContain('slow reader cut');
  });
});
