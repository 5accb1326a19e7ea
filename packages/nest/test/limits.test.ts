import { isHarmless } from '../src/events/payload-shape';
import { ConnectionLimits } from '../src/connections/connection-limits';
import { ConnectionRegistry } from '../src/connections/connection-registry';
import { RateLimiter, TokenBucket } from '../src/connections/rate-limit';
import { addressBlock, clientAddress } from '../src/handshake/security-log';
import { MessageBody, SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'socket.io-client';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { WebSocket } from 'ws';
import { memory } from './support/memory.js';
import { frame, RawClient } from './support/raw-client.js';
import {
  connected,
  once,
  ORIGIN,
  refused,
  sign,
  Stack,
  wait,
  type StackOptions,
} from './support/stack.js';

const served: unknown[] = [];

@WebSocketGateway({ namespace: '/counted' })
class CountedGateway {
  @SubscribeMessage('work')
  work(@MessageBody() body: unknown): { event: string; data: unknown } {
    served.push(body);
    return { event: 'done', data: body };
  }
}

interface Ack {
  ok: boolean;
  error?: { code: string; details?: { retryAfterMs: number } };
}

const stacks: Stack[] = [];
const start = async (env: StackOptions['env'] = {}): Promise<Stack> => {
  served.length = 0;
  const stack = await Stack.start({ env, providers: [CountedGateway] });
  stacks.push(stack);
  return stack;
};
afterEach(async () => {
  vi.useRealTimers();
  await Promise.all(stacks.splice(0).map((stack) => stack.close()));
});

/** What a limiter still holds of users and connections. */
const held = (stack: Stack) => {
  const limits = stack.app.get(ConnectionLimits) as unknown as {
    handshakes: RateLimiter;
    sweep(): void;
  };
  const registry = stack.app.get(ConnectionRegistry) as unknown as {
    connections: Map<unknown, { sockets: { nsp: { name: string } }[] }>;
    users: Map<string, unknown[]>;
    sweep(): void;
  };
  const { connections, users } = registry;
  const sweep = (): void => {
    limits.sweep();
    registry.sweep();
  };
  return { connections, users, handshakes: limits.handshakes, sweep };
};

const markRead = (client: Socket, body: unknown = { notificationId: '1' }): Promise<Ack> =>
  client.timeout(5_000).emitWithAck('notification.markRead', body) as Promise<Ack>;

const send = (client: Socket, count: number): Promise<Ack[]> =>
  Promise.all(Array.from({ length: count }, () => markRead(client)));

const refusals = (acks: Ack[]): Ack[] => acks.filter(({ ok }) => !ok);

const open = (stack: Stack): WebSocket =>
  new WebSocket(`ws://127.0.0.1:${stack.port}/socket.io/?EIO=4&transport=websocket`, {
    origin: ORIGIN,
  });

describe('a token bucket', () => {
  it('gives a burst, then what time brings, and says how long to wait', () => {
    vi.useFakeTimers({ toFake: ['performance'] });
    const bucket = new TokenBucket({ perSecond: 20, burst: 3 });
    expect([bucket.take(), bucket.take(), bucket.take()]).toEqual([0, 0, 0]);
    expect(bucket.take()).toBe(50);
    vi.advanceTimersByTime(49);
    expect(bucket.take()).toBe(1);
    vi.advanceTimersByTime(1);
    expect(bucket.take()).toBe(0);
    expect(bucket.take()).toBe(50);
  });

  it('fills no further than its burst', () => {
    vi.useFakeTimers({ toFake: ['performance'] });
    const bucket = new TokenBucket({ perSecond: 1, burst: 2 });
    bucket.take();
    vi.advanceTimersByTime(3_600_000);
    expect(bucket.isFull()).toBe(true);
    expect([bucket.take(), bucket.take(), bucket.take()]).toEqual([0, 0, 1_000]);
  });

  it('remembers a bounded number of keys, those used last, and drops the full ones', () => {
    vi.useFakeTimers({ toFake: ['performance'] });
    const limiter = new RateLimiter({ perSecond: 1, burst: 1 }, 3);
    ['a', 'b', 'c', 'a', 'd'].forEach((key) => limiter.take(key));
    expect(limiter.size).toBe(3);
    expect(limiter.take('a')).toBeGreaterThan(0);
    for (let i = 0; i < 1_000; i++) limiter.take(`k${i}`);
    expect(limiter.size).toBe(3);
    vi.advanceTimersByTime(1_000);
    limiter.prune();
    expect(limiter.size).toBe(0);
  });
});

describe('client events', () => {
  it('over the limit of a socket are refused with the time to wait', async () => {
    const stack = await start();
    const client = await stack.connect('/notifications');
    const acks = await send(client, 130);
    const late = refusals(acks);
    // 100 at once, and what 20 a second bring while they are sent.
    expect(late.length).toBeGreaterThan(0);
    expect(late.length).toBeLessThanOrEqual(30);
    expect(acks.slice(0, 100).every(({ ok }) => ok)).toBe(true);
    for (const ack of late) {
      expect(ack).toEqual({
        ok: false,
        error: {
          code: 'RATE_LIMITED',
          message: 'Too many events',
          details: { retryAfterMs: expect.any(Number) },
        },
      });
    }
    const { retryAfterMs } = late.at(-1)!.error!.details!;
    expect(retryAfterMs).toBeGreaterThan(0);
    expect(retryAfterMs).toBeLessThanOrEqual(50);
    await wait(retryAfterMs + 20);
    expect(await markRead(client)).toMatchObject({ ok: true });
  });

  it('over the limit reach no handler and no validation, acknowledged or not', async () => {
    const stack = await start({ REALTIME_RATE_EVENTS: '1', REALTIME_RATE_EVENTS_BURST: '5' });
    const client = await stack.connect('/counted');
    for (let i = 0; i < 20; i++) client.emit('work', i);
    await wait(150);
    expect(served).toEqual([0, 1, 2, 3, 4]);
    const other = await stack.connect('/notifications', sign({ sub: 'u2' }));
    await send(other, 5);
    expect(await markRead(other, 'not valid')).toMatchObject({ error: { code: 'RATE_LIMITED' } });
    const unknown: unknown = await other.timeout(1_000).emitWithAck('unknown');
    expect(unknown).toMatchObject({ error: { code: 'RATE_LIMITED' } });
  });

  it('are acknowledged once when they are refused', async () => {
    const stack = await start({ REALTIME_RATE_EVENTS: '1', REALTIME_RATE_EVENTS_BURST: '2' });
    const raw = open(stack);
    const frames: string[] = [];
    raw.on('message', (data) => {
      const frame = String(data);
      frames.push(frame);
      if (frame.startsWith('0')) raw.send(`40/notifications,${JSON.stringify({ token: sign() })}`);
      if (!frame.startsWith('40/')) return;
      for (let id = 0; id < 10; id++) {
        raw.send(`42/notifications,${id}["notification.markRead",{"notificationId":"1"}]`);
      }
    });
    await wait(300);
    raw.terminate();
    const acks = frames.filter((frame) => frame.startsWith('43/notifications,'));
    expect(acks).toHaveLength(10);
    expect(acks.filter((frame) => frame.includes('RATE_LIMITED'))).toHaveLength(8);
  });

  it('count for refreshes of the token too, before it is verified', async () => {
    const stack = await start({ REALTIME_RATE_EVENTS: '1', REALTIME_RATE_EVENTS_BURST: '3' });
    const client = await stack.connect('/notifications');
    const acks = await Promise.all(
      Array.from(
        { length: 6 },
        () => client.timeout(1_000).emitWithAck('realtime.refresh', { token: 'x' }) as Promise<Ack>,
      ),
    );
    expect(acks.map(({ error }) => error?.code)).toEqual([
      ...Array<string>(3).fill('UNAUTHORIZED'),
      ...Array<string>(3).fill('RATE_LIMITED'),
    ]);
  });

  it('count for a user over all connections, and for nobody else', async () => {
    const stack = await start({
      REALTIME_RATE_USER_EVENTS: '1',
      REALTIME_RATE_USER_EVENTS_BURST: '50',
    });
    const [one, two] = await Promise.all([
      stack.connect('/notifications'),
      stack.connect('/notifications'),
    ]);
    const stranger = await stack.connect('/notifications', sign({ tenantId: 't2' }));
    const acks = (await Promise.all([send(one, 40), send(two, 40)])).flat();
    expect(refusals(acks).length).toBeGreaterThanOrEqual(28);
    expect(refusals(acks).length).toBeLessThanOrEqual(30);
    expect(refusals(await send(stranger, 40))).toEqual([]);
    // Coming back brings nothing.
    one.disconnect();
    two.disconnect();
    await vi.waitFor(() => expect(stack.app.get(ConnectionRegistry).open()).toHaveLength(1));
    held(stack).sweep();
    const again = await stack.connect('/notifications');
    expect(refusals(await send(again, 10)).length).toBeGreaterThan(5);
  });
});

describe('a flood', () => {
  it('is cut, having been told, and slows nobody', async () => {
    const stack = await start();
    const bystander = await stack.connect('/notifications', sign({ sub: 'bystander' }));
    const flooder = await stack.connect('/counted', sign({ sub: 'flooder' }));
    const kicked = once(flooder, 'realtime.kicked');
    const gone = once(flooder, 'disconnect');
    let flooded = 0;
    const flood = setInterval(() => {
      for (let i = 0; i < 100 && flooder.connected; i++, flooded++) flooder.emit('work', i);
    }, 5);
    const latencies: number[] = [];
    for (let i = 0; i < 60; i++) {
      const sent = performance.now();
      expect(await markRead(bystander)).toMatchObject({ ok: true });
      latencies.push(performance.now() - sent);
      await wait(5);
    }
    expect((await kicked)[0]).toEqual({ code: 'RATE_LIMITED' });
    expect((await gone)[0]).toBe('io server disconnect');
    clearInterval(flood);
    expect(flooded).toBeGreaterThan(1_000);
    // 100 at once and 20 a second.
    expect(served.length).toBeLessThan(200);
    expect(latencies.sort((a, b) => a - b)[30]).toBeLessThan(200);
    expect(stack.app.get(ConnectionRegistry).open()).toHaveLength(1);
  });

  it.each([
    ['acknowledgements that nobody asked for', '43/notifications,1[]'],
    ['namespaces that do not exist', '40/nowhere,{}'],
    ['the root namespace', '40{}'],
    ['bad tokens', '40/notifications,{"token":"x"}'],
    ['pongs', '3'],
  ])('of %s is cut as well', async (_name, frame) => {
    const stack = await start({ REALTIME_RATE_EVENTS_BURST: '10' });
    const raw = open(stack);
    const closed = once(raw as never, 'close');
    raw.on('error', () => undefined);
    raw.on('message', (data) => {
      if (String(data).startsWith('0')) raw.send(`40/counted,${JSON.stringify({ token: sign() })}`);
      if (!String(data).startsWith('40/counted')) return;
      if (frame.startsWith('43')) raw.send(`40/notifications,${JSON.stringify({ token: sign() })}`);
      setTimeout(() => {
        for (let i = 0; i < 400; i++) raw.send(frame);
      }, 50);
    });
    await closed;
    expect(stack.logs.join()).toContain('flood cut');
  });

  it.each(['ping', 'pong'] as const)('of %ss below Socket.IO is cut as well', async (kind) => {
    const stack = await start({ REALTIME_RATE_EVENTS_BURST: '10' });
    const raw = open(stack);
    raw.on('error', () => undefined);
    const closed = new Promise((resolve) => raw.once('close', resolve));
    raw.once('message', () => {
      for (let i = 0; i < 400; i++) raw[kind]();
    });
    await closed;
    expect(stack.logs.filter((line) => line.includes('flood cut'))).toHaveLength(1);
  });

  it('of fragments of one message is cut before they pin memory', async () => {
    const stack = await start();
    const raw = open(stack);
    raw.on('error', () => undefined);
    const closed = new Promise<number>((resolve) => raw.once('close', resolve));
    raw.once('message', () => {
      // Of a handful it is a message as any other.
      for (let i = 0; i < 20; i++) raw.send('', { fin: false });
      raw.send('3', { fin: true });
      for (let i = 0; i < 100; i++) raw.send('x', { fin: false });
    });
    expect(await closed).toBe(1008);
  });

  it('of fragments, each in a read full of pongs, pins no memory', async () => {
    const stack = await start();
    const client = RawClient.upgrade(stack.port);
    await vi.waitFor(() => expect(client.received).toContain('0{"sid"'));
    // The byte of a fragment keeps all that was read with it.
    const pongs = Buffer.concat(Array<Buffer>(11_000).fill(frame('', { opcode: 10 })));
    client.send(frame('x', { fin: false }));
    const taken = (): number => {
      const { heapUsed, external } = memory();
      return heapUsed + external;
    };
    const before = taken();
    let most = 0;
    let isOpen = true;
    // 66 KB each: without the bounds 131 MB are held at the end.
    for (let sent = 1; isOpen && sent <= 2_000; sent++) {
      isOpen = await client.push(frame('x', { opcode: 0, fin: false }), pongs);
      if (!isOpen || sent % 100 === 0) most = Math.max(most, taken() - before);
    }
    client.end();
    expect(isOpen).toBe(false);
    expect(most).toBeLessThan(16_000_000);
  });

  it('on a connection that the server has closed is cut as well', async () => {
    const stack = await start();
    const client = RawClient.upgrade(stack.port, '40/counted,{"token":"x"}');
    expect(await client.closes(5_000)).toBe(true);
    // It does not answer the closing frame.
    const flood = setInterval(() => client.send('x'.repeat(10_000)), 20);
    try {
      expect(await client.ends(6_000)).toBe(true);
    } finally {
      clearInterval(flood);
      client.end();
    }
  });

  it.each([
    ['large', 60_000, true],
    ['small', 10, false],
  ])('of %s packets is measured by their size', async (_name, bytes, isCut) => {
    // However long the packets take to arrive, next to nothing is refilled meanwhile.
    const stack = await start({ REALTIME_RATE_EVENTS: '1' });
    const raw = open(stack);
    raw.on('error', () => undefined);
    let closed = false;
    raw.once('close', () => (closed = true));
    raw.once('message', () => {
      raw.send(`40/counted,${JSON.stringify({ token: sign() })}`);
    });
    await vi.waitFor(() => expect(held(stack).users.size).toBe(1));
    // Far below a thousand packets; the large ones are more than 4 tokens each.
    for (let i = 0; i < 300; i++) raw.send(`42/counted,["work","${'x'.repeat(bytes)}"]`);
    await wait(1_000);
    await vi.waitFor(() => expect(closed).toBe(isCut), 10_000);
    raw.terminate();
  });

  it('of a client that does not answer the closing frame is ended all the same', async () => {
    const stack = await start({ REALTIME_RATE_EVENTS_BURST: '10' });
    const raw = open(stack);
    raw.on('error', () => undefined);
    const gone = new Promise<void>((resolve) => raw.once('close', () => resolve()));
    await new Promise((resolve) => raw.once('open', resolve));
    // ws would answer by itself.
    const { _receiver: receiver } = raw as unknown as {
      _receiver: { removeAllListeners(name: string): void };
    };
    receiver.removeAllListeners('conclude');
    const started = Date.now();
    for (let i = 0; i < 400; i++) raw.send('3');
    await gone;
    expect(Date.now() - started).toBeLessThan(5_000);
  });
});

describe('connections', () => {
  it('of a user are capped, those of others are not, and closing one makes room', async () => {
    const stack = await start({ REALTIME_MAX_CONNECTIONS_PER_USER: '2' });
    const first = await stack.connect('/notifications');
    await stack.connect('/chats');
    const refusal = await stack.refusal('/notifications', { token: sign() });
    expect(refusal).toMatchObject({
      code: 'RATE_LIMITED',
      retryAfterMs: expect.any(Number),
    });
    expect(refusal.message).not.toMatch(/^Unauthorized/);
    await stack.connect('/notifications', sign({ tenantId: 't2' }));
    await stack.connect('/notifications', sign({ sub: 'u2' }));
    // A namespace more is no connection more.
    await connected(first.io.socket('/chats', { auth: { token: sign() } }));
    first.disconnect();
    await wait(100);
    first.io.engine.close();
    await wait(100);
    await stack.connect('/notifications');
  });

  it('are forgotten however they end', async () => {
    const stack = await start({ REALTIME_MAX_GRACE_MS: '0' });
    const limits = held(stack);
    const soon = sign({ exp: Math.floor(Date.now() / 1000) + 2 });
    const ends: ((raw: WebSocket) => void)[] = [
      (raw) => raw.close(),
      (raw) => raw.terminate(),
      (raw) => raw.send('41/notifications,'),
      (raw) => raw.send('1'),
      (raw) => raw.send('42/notifications,{{{'),
      (raw) => raw.send('x'.repeat(70_000)),
      (raw) => raw.send('40/notifications,{}'),
      (raw) => raw.send('42/chats,["x"]'),
      (raw) => raw.send('not a packet'),
      () => undefined,
    ];
    for (const end of ends) {
      const raw = open(stack);
      raw.on('error', () => undefined);
      raw.on('message', (data) => {
        if (String(data).startsWith('0'))
          raw.send(`40/notifications,${JSON.stringify({ token: soon })}`);
        if (String(data).startsWith('40/')) end(raw);
      });
    }
    // Refused, left in the middle of it, and never asked for.
    for (const frame of ['40/notifications,{"token":"x"}', '40{}', '40/nowhere,{}', '']) {
      const raw = open(stack);
      raw.on('error', () => undefined);
      raw.on('message', (data) => {
        if (!String(data).startsWith('0')) return;
        if (frame) raw.send(frame);
        else raw.terminate();
      });
      const aborted = open(stack);
      aborted.on('error', () => undefined);
      aborted.on('message', (data) => {
        if (!String(data).startsWith('0')) return;
        aborted.send(`40/notifications,${JSON.stringify({ token: soon })}`);
        aborted.terminate();
      });
    }
    await vi.waitFor(() => expect(limits.users.size).toBe(1));
    await vi.waitFor(
      () => {
        // What only asked for `/nowhere` ends with the connect timeout.
        expect(limits.connections.size).toBeLessThanOrEqual(1);
        expect([...limits.users.values()].filter((connections) => connections.length > 0)).toEqual(
          [],
        );
      },
      { timeout: 6_000, interval: 100 },
    );
    limits.sweep();
    expect(limits.users.size).toBe(0);
  });

  it('are forgotten also while their user has others', async () => {
    const stack = await start();
    const limits = held(stack);
    await stack.connect('/notifications');
    const other = await stack.connect('/notifications');
    const ofUser = (): number => [...limits.users.values()].flat().length;
    expect(ofUser()).toBe(2);
    other.disconnect();
    await vi.waitFor(() => expect(ofUser()).toBe(1), { timeout: 5_000 });
    expect(limits.users.size).toBe(1);
  });

  it('carry a namespace once, however often it is asked for at the same time', async () => {
    const stack = await start();
    const raw = open(stack);
    const frames: string[] = [];
    raw.on('message', (data) => {
      frames.push(String(data));
      if (!String(data).startsWith('0')) return;
      for (let i = 0; i < 5; i++) {
        raw.send(`40/notifications,${JSON.stringify({ token: sign() })}`);
      }
    });
    await wait(300);
    expect(frames.filter((frame) => frame.startsWith('40/'))).toHaveLength(1);
    const refusals = frames.filter((frame) => frame.startsWith('44/'));
    expect(refusals).toHaveLength(4);
    expect(refusals[0]).toContain('"RATE_LIMITED"');
    const [tracked] = held(stack).connections.values();
    expect(tracked!.sockets.map(({ nsp }) => nsp.name)).toEqual(['/notifications']);
    raw.terminate();
  });

  it('may leave a namespace and come back to it, and be refused and come back', async () => {
    const stack = await start();
    const first = await stack.connect('/notifications');
    const other = first.io.socket('/chats', { auth: { token: 'bad' } });
    await refused(other);
    other.auth = { token: sign() };
    await connected(other);
    other.disconnect();
    await wait(50);
    await connected(other);
    expect([first.connected, other.connected]).toEqual([true, true]);
  });
});

describe('handshakes of one address', () => {
  it('over the limit are refused on the upgrade', async () => {
    const stack = await start({
      REALTIME_RATE_HANDSHAKES: '1',
      REALTIME_RATE_HANDSHAKES_BURST: '4',
    });
    await stack.connect('/notifications');
    await stack.connect('/notifications');
    expect((await stack.refusal('/notifications', { token: sign() })).message).toBe(
      'websocket error',
    );
  });

  it('count each try of a token, on a connection that is open too', async () => {
    const stack = await start({
      REALTIME_RATE_HANDSHAKES: '1',
      REALTIME_RATE_HANDSHAKES_BURST: '10',
    });
    const client = await stack.connect('/notifications');
    const codes: (string | undefined)[] = [];
    for (let i = 0; i < 12; i++) {
      const other = client.io.socket('/chats', { auth: { token: 'bad' } });
      codes.push((await refused(other)).code);
    }
    expect(codes.slice(0, 8)).toEqual(Array(8).fill('UNAUTHORIZED'));
    expect(codes.slice(10)).toEqual(['RATE_LIMITED', 'RATE_LIMITED']);
    expect(client.connected).toBe(true);
  });

  it('are those of the client behind a proxy that is trusted, and of no other word', async () => {
    const env = { REALTIME_RATE_HANDSHAKES: '1', REALTIME_RATE_HANDSHAKES_BURST: '2' };
    const upgrade = (stack: Stack, forwarded: string): Promise<string> =>
      new Promise((resolve) => {
        const raw = new WebSocket(
          `ws://127.0.0.1:${stack.port}/socket.io/?EIO=4&transport=websocket`,
          { origin: ORIGIN, headers: { 'x-forwarded-for': forwarded } },
        );
        raw.once('open', () => (raw.terminate(), resolve('open')));
        raw.once('unexpected-response', (_request, { statusCode }) => resolve(String(statusCode)));
        raw.once('error', () => undefined);
      });
    const proxied = await start({ ...env, REALTIME_TRUST_PROXY: '1' });
    for (let i = 0; i < 5; i++) expect(await upgrade(proxied, `10.0.0.${i}`)).toBe('open');
    const spoofed: string[] = [];
    for (let i = 0; i < 5; i++) spoofed.push(await upgrade(proxied, `10.9.9.${i}, 10.1.1.1`));
    expect(spoofed).toEqual(['open', 'open', '400', '400', '400']);

    const direct = await start(env);
    const claimed: string[] = [];
    for (let i = 0; i < 4; i++) claimed.push(await upgrade(direct, `10.0.0.${i}`));
    expect(claimed).toEqual(['open', 'open', '400', '400']);
  });

  it('leave those alone that come from a listed origin, whatever a foreign site does', async () => {
    const stack = await start({
      REALTIME_RATE_HANDSHAKES: '1',
      REALTIME_RATE_HANDSHAKES_BURST: '4',
    });
    for (let i = 0; i < 10; i++) {
      await stack.refusal('/notifications', { token: sign(), origin: 'https://evil.example' });
    }
    await stack.connect('/notifications');
  });

  it.each([
    [0, '1.1.1.1', '9.9.9.9'],
    [1, '1.1.1.1', '1.1.1.1'],
    [1, 'spoofed, 1.1.1.1', '1.1.1.1'],
    [1, '2.2.2.2,1.1.1.1', '1.1.1.1'],
    [2, '2.2.2.2, 1.1.1.1', '2.2.2.2'],
    [2, '1.1.1.1', '1.1.1.1'],
    [1, '', '9.9.9.9'],
    [1, undefined, '9.9.9.9'],
    [1, '1.1.1.1, not-an-address', '9.9.9.9'],
    [1, '::ffff:1.1.1.1', '1.1.1.1'],
    [1, '2001:db8::1', '2001:db8::1'],
  ])('behind %i proxies, X-Forwarded-For %j, are of %s', (proxies, header, address) => {
    const request = {
      headers: { 'x-forwarded-for': header },
      socket: { remoteAddress: '::ffff:9.9.9.9' },
    } as unknown as IncomingMessage;
    expect(clientAddress(request, proxies)).toBe(address);
  });

  it.each([
    ['1.2.3.4', '1.2.3.4'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:db8:1:2::9', '2001:db8:1:2::/64'],
    ['2001:db8::1:2:3:4', '2001:db8:0:0::/64'],
    ['2001:db8::5:1:2:3:4', '2001:db8:0:5::/64'],
    ['::1', '0:0:0:0::/64'],
    ['unknown', 'unknown'],
  ])('of the address %s count for %s', (address, block) => {
    expect(addressBlock(address)).toBe(block);
  });
});

describe('deep and huge values', () => {
  const nested = (depth: number, [left, right]: [string, string] = ['[', ']']): string =>
    left.repeat(depth) + right.repeat(depth);
  const deepObject = (depth: number): unknown =>
    JSON.parse('{"a":'.repeat(depth) + '1' + '}'.repeat(depth));

  it.each([
    ['arrays', JSON.parse(nested(10_000))],
    ['objects', deepObject(10_000)],
    ['just too deep', deepObject(33)],
    ['more than two thousand values', Array(40).fill(Array(50).fill(1))],
    ['a __proto__ inside', JSON.parse('{"a":[{"__proto__":{"admin":true}}]}')],
  ])('are refused: %s', async (_name, body) => {
    expect(isHarmless(body)).toBe(false);
  });

  it.each([
    ['deep enough', deepObject(32)],
    ['a constructor', { constructor: { prototype: 1 } }],
    ['two thousand values', Array(2_000).fill(1)],
    ['bytes', Buffer.alloc(60_000)],
    ['nothing', undefined],
  ])('let pass: %s', (_name, body) => {
    expect(isHarmless(body)).toBe(true);
  });

  it('reach no handler, not of a gateway without a contract either, and end nothing', async () => {
    const stack = await start();
    const raw = open(stack);
    const frames: string[] = [];
    raw.on('error', () => undefined);
    raw.on('message', (data) => {
      const frame = String(data);
      frames.push(frame);
      if (frame.startsWith('0')) raw.send(`40/counted,${JSON.stringify({ token: sign() })}`);
      if (!frame.startsWith('40/')) return;
      raw.send(`42/counted,1["work",${nested(30_000)}]`);
      raw.send(`42/counted,2["work",{"a":{"__proto__":{"polluted":true}}}]`);
      raw.send(`42/counted,3["work",${nested(8_000, ['{"a":[', ']}'])}]`);
      raw.send(`42/counted,4["work",{"ids":[${'0,'.repeat(30_000)}0]}]`);
      raw.send(`42/counted,5["work"${',0'.repeat(30_000)}]`);
    });
    await wait(500);
    raw.terminate();
    expect(frames.filter((frame) => frame.startsWith('43/'))).toHaveLength(5);
    for (const frame of frames.filter((text) => text.startsWith('43/'))) {
      expect(frame).toContain('"VALIDATION"');
    }
    expect(served).toEqual([]);
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
    await stack.connect('/notifications');
  });

  it('are refused with what is allowed, and reach a handler up to that', async () => {
    const stack = await start();
    const client = await stack.connect('/counted');
    const bodies = [
      [deepObject(33), Array<number>(2_001).fill(0), JSON.parse('{"__proto__":{}}')],
      [deepObject(32), Array<number>(2_000).fill(0)],
    ] as const;
    for (const body of bodies[0]) {
      const ack: unknown = await client.timeout(5_000).emitWithAck('work', body);
      expect(ack).toEqual({
        ok: false,
        error: {
          code: 'VALIDATION',
          message: 'The payload is not valid',
          details: [
            { path: '', message: 'Allowed: 32 levels and 2000 values, and no key __proto__' },
          ],
        },
      });
    }
    for (const body of bodies[1]) client.emit('work', body);
    await vi.waitFor(() => expect(served).toEqual(bodies[1]));
  });

  it('next to the token are refused, and kept nowhere', async () => {
    const stack = await start();
    const raw = open(stack);
    const frames: string[] = [];
    raw.on('message', (data) => {
      frames.push(String(data));
      if (frames.length === 1) {
        raw.send(`40/notifications,{"token":"${sign()}","x":${nested(20_000)}}`);
      }
    });
    await wait(300);
    raw.terminate();
    expect(frames[1]).toContain('UNAUTHORIZED');
  });
});
