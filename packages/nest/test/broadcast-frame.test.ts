import { joinFrames } from '../src/tuning';
import { Broadcaster } from '../src/events/broadcaster';
import { Socket as NetSocket } from 'node:net';
import type { Socket } from 'socket.io-client';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { once, Stack } from './support/stack.js';

const meta = { id: 'e1', at: '' };

/** What each system call wrote from now on, of all sockets of this process. */
function spyOnWrites(): () => string[] {
  const writer = NetSocket.prototype as Required<NetSocket>;
  const one = vi.spyOn(writer, '_write');
  const several = vi.spyOn(writer, '_writev');
  return () => [
    ...one.mock.calls.map(([chunk]) => String(chunk)),
    ...several.mock.calls.map(([chunks]) => chunks.map(({ chunk }) => String(chunk)).join('')),
  ];
}

describe('a broadcast', () => {
  let stack: Stack;
  let clients: Socket[];

  beforeAll(async () => {
    stack = await Stack.start();
    clients = await Promise.all([1, 2, 3].map(() => stack.connect('/notifications')));
  });
  afterAll(() => stack?.close());
  afterEach(() => vi.restoreAllMocks());

  const send = async (body: unknown): Promise<unknown[]> => {
    const arrived = clients.map((client) => once(client, 'e'));
    stack.app
      .get(Broadcaster)
      .namespace<{ e: (body: unknown) => void }>('/notifications')
      .toTenant('t1', 'e', body, meta);
    return (await Promise.all(arrived)).map(([got]) => got);
  };
  /** Makes the payload of the frame so many bytes long. */
  const textFor = (bytes: number): string => {
    const frame = `42/notifications,${JSON.stringify(['e', '', meta])}`;
    return 'x'.repeat(bytes - frame.length);
  };

  // Websocket frames write their length in 1, 3 and 9 bytes.
  it.each([124, 125, 126, 127, 65_534, 65_535, 65_536, 65_537, 300_000])(
    'of %i bytes arrives whole at every client',
    async (bytes) => {
      const text = textFor(bytes);
      expect(await send(text)).toEqual([text, text, text]);
    },
  );

  it('arrives whole in any alphabet', async () => {
    const text = 'Zażółć \u{1f514} \u2028 "quoted" \\\u0000'.repeat(50);
    expect(await send(text)).toEqual([text, text, text]);
  });

  it('is one write to each socket', async () => {
    const write = vi.spyOn(NetSocket.prototype, 'write');
    await send('something to find');
    const frames = write.mock.calls.map(([data]) => data as unknown as Buffer);
    const ours = frames.filter((data) => data.includes('something to find'));
    expect(ours.map((data) => data[0])).toEqual([0x81, 0x81, 0x81]);
  });

  it('is gathered with those right behind it, and all arrive in order', async () => {
    const writes = spyOnWrites();
    const last = clients.map((client) => once(client, 'last'));
    const got = clients.map((client) => {
      const bodies: unknown[] = [];
      client.on('e', (body) => bodies.push(body));
      return bodies;
    });
    const broadcaster = stack.app
      .get(Broadcaster)
      .namespace<Record<string, (body: unknown) => void>>('/notifications');
    const bodies = Array.from({ length: 40 }, (_, i) =>
      // Sent in parts of their own, between others.
      i % 10 === 9 ? Buffer.from([i]) : `gathered ${i}`,
    );
    for (const body of bodies) {
      broadcaster.toTenant('t1', 'e', body, meta);
    }
    broadcaster.toTenant('t1', 'last', '', meta);
    await Promise.all(last);
    expect(got).toEqual([bodies, bodies, bodies]);
    const ours = writes().filter((text) => text.includes('gathered'));
    // The first one finds the socket idle and leaves at once.
    expect(ours).toHaveLength(clients.length * 2);
    clients.forEach((client) => client.off('e'));
  });

  it('with binary data arrives whole', async () => {
    const data = Buffer.from([1, 2, 3]);
    expect(await send(data)).toEqual([data, data, data]);
  });
});

describe('a connection', () => {
  it('gets the answer to its upgrade and the first packet in one write', async () => {
    const stack = await Stack.start();
    try {
      const writes = spyOnWrites();
      await stack.connect('/notifications');
      const answers = writes().filter((text) => text.includes('101 Switching Protocols'));
      expect(answers).toEqual([expect.stringContaining('"pingInterval"')]);
    } finally {
      vi.restoreAllMocks();
      await stack.close();
    }
  });
});

describe('an adapter of another Socket.IO', () => {
  it('without a frame of its own is left as it is', () => {
    const adapter = { encode: () => 'x' };
    joinFrames(adapter as never);
    expect(Object.keys(adapter)).toEqual(['encode']);
  });

  it('that builds no frame, or one of another shape, sends what it built', () => {
    for (const frame of [undefined, 'text', [Buffer.from('a'), 'b']]) {
      const adapter = {
        _encode: (_packet: unknown, options: { wsPreEncodedFrame?: unknown }) => {
          options.wsPreEncodedFrame = frame;
          return ['packet'];
        },
      };
      joinFrames(adapter as never);
      const options = {};
      expect(adapter._encode({}, options)).toEqual(['packet']);
      expect(options).toEqual({ wsPreEncodedFrame: frame });
    }
  });
});
