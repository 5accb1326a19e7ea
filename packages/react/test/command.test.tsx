import { cleanup, renderHook, waitFor } from '@testing-library/react';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { MAX_DEPTH, MAX_VALUES } from '../../nest/src/events/payload-shape.js';
import { ALICE, loadPage, type Page } from './page.js';
import { type RealtimeServer, startServer } from './realtime-server.js';

const MAX_BYTES = 4_096;

/** A payload whose packet has so many bytes, most of them in letters of several. */
function payloadOf(bytes: number, id: number, letters: string): { notificationId: string } {
  const rest = `42/notifications,${id}["notification.markRead",{"notificationId":""}]`.length;
  const text = letters.repeat(Math.floor((bytes - rest) / Buffer.byteLength(letters)));
  return { notificationId: text.padEnd(text.length + bytes - rest - Buffer.byteLength(text), 'x') };
}

const nested = (levels: number): unknown => (levels === 0 ? 1 : { a: nested(levels - 1) });

describe('a command', () => {
  let server: RealtimeServer;
  let page: Page;
  let received: unknown[];

  beforeEach(async () => {
    server = await startServer(0, '/notifications', '/socket.io', MAX_BYTES);
    server.io.of('/chats');
    received = [];
    server.io.of('/notifications').on('connection', (socket) =>
      socket.on('notification.markRead', (body, ack) => {
        received.push(body);
        ack({ ok: true, data: null });
      }),
    );
    page = await loadPage(server.url);
    page.signIn(ALICE);
    renderHook(() => page.useNotificationsSocket());
    await waitFor(() => expect(page.status()).toBe('connected'), { timeout: 5_000 });
  });

  afterEach(async () => {
    page.signIn(null);
    cleanup();
    vi.unstubAllEnvs();
    await server.close();
  });

  const send = (payload: unknown): Promise<unknown> =>
    page.channel.send('notification.markRead', payload);

  it.each(['x', 'ä', '€', '😀', '\u2028'])(
    'of "%s" is sent up to the very byte that the server takes, and no further',
    async (letters) => {
      // Its number is part of the packet.
      for (let id = 0; id < 12; id += 1) {
        const payload = payloadOf(MAX_BYTES, id, letters);
        await expect(send(payload)).resolves.toBeNull();
        expect(received.at(-1)).toEqual(payload);
        await expect(send(payloadOf(MAX_BYTES + 1, id + 1, letters))).rejects.toMatchObject({
          code: 'TOO_LARGE',
          details: { bytes: MAX_BYTES + 1, maxBytes: MAX_BYTES },
        });
      }
      expect(received).toHaveLength(12);
    },
  );

  it('that is too large ends neither the connection nor another namespace', async () => {
    const chats = page.realtime.channel('/chats', {});
    const user = { receive: vi.fn(), resync: vi.fn(), fail: vi.fn() };
    const release = chats.acquire(user);
    await waitFor(() => expect(chats.getState().status).toBe('connected'), { timeout: 5_000 });
    // The first connection is told as a gap.
    user.resync.mockClear();
    const error = await send({ notificationId: 'x'.repeat(100_000) }).catch((e: unknown) => e);
    expect(error).toBeInstanceOf(page.kernel.RealtimeCommandError);
    expect(error).toMatchObject({ code: 'TOO_LARGE', message: expect.stringMatching(/^Not sent/) });
    await expect(send({ notificationId: '1' })).resolves.toBeNull();
    expect(received).toEqual([{ notificationId: '1' }]);
    expect(chats.getState().status).toBe('connected');
    expect(server.connections).toBe(1);
    expect(user.resync).not.toHaveBeenCalled();
    release();
  });

  it.each([
    ['levels', nested(MAX_DEPTH), nested(MAX_DEPTH + 1)],
    ['values', Array<number>(MAX_VALUES).fill(1), Array<number>(MAX_VALUES + 1).fill(1)],
    ['values', [Array<number>(MAX_VALUES - 1).fill(1)], [Array<number>(MAX_VALUES).fill(1)]],
  ])('has as many %s as @nx-realtime/nest takes', async (_name, fits, exceeds) => {
    await expect(send(fits)).resolves.toBeNull();
    await expect(send(exceeds)).rejects.toMatchObject({
      code: 'TOO_LARGE',
      details: { maxLevels: MAX_DEPTH, maxValues: MAX_VALUES },
    });
    expect(received).toHaveLength(1);
  });

  it('is measured as it is sent', async () => {
    const absent = Object.fromEntries(
      Array.from({ length: 3_000 }, (_, i) => [`k${i}`, undefined]),
    );
    await expect(send({ at: new Date(0), absent })).resolves.toBeNull();
    expect(received).toEqual([{ at: '1970-01-01T00:00:00.000Z', absent: {} }]);
    await expect(send(undefined)).resolves.toBeNull();
  });

  it('that is no JSON is not sent, and says so', async () => {
    const cycle: { self?: unknown } = {};
    cycle.self = cycle;
    for (const payload of [{ id: 1n }, cycle]) {
      await expect(send(payload)).rejects.toMatchObject({
        code: 'VALIDATION',
        message: expect.stringMatching(/^Not sent: /),
      });
    }
    expect(received).toEqual([]);
  });
});
