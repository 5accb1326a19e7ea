import type { RealtimeConfig } from '../src/config/realtime.config';
import { clientAddress, SecurityLog } from '../src/handshake/security-log';
import { ConsoleLogger, Logger } from '@nestjs/common';
import type { IncomingMessage } from 'node:http';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { frame, RawClient } from './support/raw-client.js';
import { connected, ORIGIN, sign, Stack, type StackOptions } from './support/stack.js';

describe('the security log', () => {
  let stack: Stack | undefined;
  afterEach(() => stack?.close());

  const start = async (env: StackOptions['env'] = {}): Promise<Stack> =>
    (stack = await Stack.start({ env }));
  /** Its lines: the event, and what is said of it. */
  const lines = (): [event: string, details: object][] =>
    stack!.logs
      .filter((line) => line.endsWith(' Security') && line.includes('{'))
      .map((line) => line.slice(0, -' Security'.length))
      .map((line) => [
        line.slice(0, line.indexOf(' {')),
        JSON.parse(line.slice(line.indexOf('{'))) as object,
      ]);

  const client = { address: '127.0.0.1', origin: ORIGIN };
  const known = { userId: 'u1', tenantId: 't1', ...client };

  it('names the address, the origin and the code of refused handshakes', async () => {
    const { port } = await start();
    expect(port).toBeGreaterThan(0);
    await stack!.refusal('/notifications', { token: 'secret-of-a-token' });
    await stack!.refusal('/notifications', { token: sign({}, { expiresIn: -1 }) });
    await stack!.refusal('/', {});
    await stack!.refusal('/notifications', { token: sign(), origin: 'https://evil.example' });
    expect(lines()).toEqual([
      [
        'handshake refused',
        { code: 'UNAUTHORIZED', reason: 'it is no JWT: jwt malformed', ...client },
      ],
      ['handshake refused', { code: 'TOKEN_EXPIRED', reason: expect.any(String), ...client }],
      ['handshake refused', { code: 'NAMESPACE_REQUIRED', reason: 'It named none', ...client }],
      ['upgrade refused', { code: 'ORIGIN', ...client, origin: 'https://evil.example' }],
    ]);
  });

  it.each(['x', 'ä', '😀'])(
    'says why a message of "%s" above the limit has cut a connection, and whose, and no other',
    async (letters) => {
      await start({ REALTIME_MAX_MESSAGE_BYTES: '2048' });
      const bystander = await stack!.connect('/notifications', sign({ sub: 'u2' }));
      const socket = await stack!.connect('/notifications');
      const chats = socket.io.socket('/chats', { auth: { token: sign() } });
      await connected(chats);
      // What browsers measure by.
      expect(Reflect.get(socket.io.engine, '_maxPayload')).toBe(2_048);
      const event = 'notification.markRead';
      const around = `42/notifications,0["${event}",{"notificationId":""}]`.length;
      const room = 2_048 - around;
      const notificationId = letters.repeat(Math.floor(room / Buffer.byteLength(letters)));
      const fits = notificationId + 'x'.repeat(room - Buffer.byteLength(notificationId));
      const send = (id: string): Promise<unknown> =>
        socket.timeout(1_000).emitWithAck(event, { notificationId: id });
      expect(await send(fits)).toHaveProperty('ok');
      expect(lines()).toEqual([]);
      const ended = new Promise((resolve) => chats.once('disconnect', resolve));
      await expect(send(`${fits}x`)).rejects.toThrow();
      await ended;
      expect(lines()).toEqual([['message refused', { code: 'TOO_LARGE', ...known }]]);
      expect(stack!.logs.join()).not.toContain(fits.slice(0, 50));
      expect(bystander.connected).toBe(true);
    },
  );

  it.each([
    ['TOO_LARGE', [frame('x'.repeat(70_000))]],
    ['INVALID_UTF8', [frame(Buffer.from([0x34, 0xff, 0xfe]))]],
    ['UNEXPECTED_RSV_1', [frame('4', { rsv1: true })]],
    [
      'TOO_MANY_BUFFERED_PARTS',
      Array.from({ length: 100 }, (_, i) => frame('x', { fin: false, opcode: i === 0 ? 1 : 0 })),
    ],
  ])('says %s of a client that has shown no token', async (code, frames) => {
    await start();
    const raw = RawClient.upgrade(stack!.port, ...frames);
    expect(await raw.closes(5_000)).toBe(true);
    raw.end();
    expect(lines()).toEqual([['message refused', { code, ...client }]]);
  });

  it('names the user too, where the token was good', async () => {
    await start({
      REALTIME_MAX_CONNECTIONS_PER_USER: '1',
      REALTIME_RATE_EVENTS: '1',
      REALTIME_RATE_EVENTS_BURST: '2',
    });
    const { connect, refusal } = stack!;
    const socket = await connect.call(stack, '/notifications');
    await refusal.call(stack, '/notifications', { token: sign() });
    const refresh = (token: string): Promise<unknown> =>
      socket.timeout(1_000).emitWithAck('realtime.refresh', { token });
    await refresh(sign({ sub: 'u2' }));
    await refresh('x');
    await refresh('x');
    expect(lines()).toEqual([
      ['handshake refused', { code: 'RATE_LIMITED', reason: 'Too many connections', ...known }],
      ['refresh refused', { code: 'FORBIDDEN', reason: 'The token is of another user', ...known }],
      [
        'refresh refused',
        { code: 'UNAUTHORIZED', reason: 'it is no JWT: jwt malformed', ...known },
      ],
      ['event refused', { code: 'RATE_LIMITED', ...known }],
    ]);
  });

  it('names the user whose subscription the policy denied', async () => {
    await start();
    const socket = await stack!.connect('/documents');
    const subscribe = (id: string): Promise<unknown> =>
      socket.timeout(1_000).emitWithAck('document.subscribe', { id });
    expect(await subscribe('id-of-a-document')).toMatchObject({ ok: false });
    expect(lines()).toEqual([['subscription refused', { code: 'FORBIDDEN', ...known }]]);
    expect(stack!.logs.join('\n')).not.toMatch(/Security.*id-of-a-document/);
  });

  it('holds no token and no body', async () => {
    await start({ REALTIME_RATE_EVENTS: '1', REALTIME_RATE_EVENTS_BURST: '3' });
    const token = sign();
    const foreign = sign({ sub: 'u2' });
    const socket = await stack!.connect('/notifications', token);
    const send = (event: string, body: unknown): Promise<unknown> =>
      socket.timeout(1_000).emitWithAck(event, body);
    await send('realtime.refresh', { token: foreign });
    await send('unknown', { body: 'text-of-a-body' });
    for (let i = 0; i < 5; i++) await send('notification.markRead', { body: 'text-of-a-body' });
    await stack!.refusal('/notifications', { token: `${token}x` });
    const text = stack!.logs.join('\n');
    expect(text).toContain('RATE_LIMITED');
    for (const part of [token, foreign].flatMap((jwt) => jwt.split('.').slice(1))) {
      expect(text).not.toContain(part);
    }
    expect(text).not.toContain('text-of-a-body');
  });

  it('is not flooded by one client, which hides no other', async () => {
    await start({ REALTIME_RATE_EVENTS: '1', REALTIME_RATE_EVENTS_BURST: '100' });
    const socket = await stack!.connect('/notifications');
    await Promise.all(
      Array.from({ length: 400 }, () => socket.timeout(5_000).emitWithAck('unknown')),
    );
    await stack!.refusal('/notifications', { token: 'x' });
    const events = lines().map(([event]) => event);
    // One a second, and they take less than three.
    expect(events.filter((event) => event === 'event refused').length).toBeLessThanOrEqual(3);
    expect(events).toContain('handshake refused');
    await expect
      .poll(() => stack!.logs.join('\n'), { timeout: 3_000 })
      .toMatch(/\d+ more in the last second/);
  });
});

describe('its lines', () => {
  const written: string[] = [];
  beforeEach(() => {
    vi.useFakeTimers();
    written.length = 0;
    vi.spyOn(Logger.prototype, 'warn').mockImplementation((line) => written.push(String(line)));
  });
  afterEach(() => {
    vi.useRealTimers();
    vi.restoreAllMocks();
  });

  const log = () => new SecurityLog({ trustedProxies: 1 } as RealtimeConfig);
  const from = (address: string, origin?: string): IncomingMessage =>
    ({
      headers: { origin, 'x-forwarded-for': address },
      socket: { remoteAddress: '127.0.0.1' },
    }) as unknown as IncomingMessage;

  it('are bounded, however many attack, and the rest is counted', () => {
    const security = log();
    for (let i = 0; i < 10_000; i++) {
      security.report('event refused', 'RATE_LIMITED', from(`10.0.${i >> 8}.${i & 255}`));
    }
    expect(written).toHaveLength(10);
    // Of a user, whom they must not crowd out.
    for (let i = 0; i < 100; i++) {
      const identity = { userId: `u${i}`, tenantId: 't', expiresAt: 0 };
      security.report('handshake refused', 'FORBIDDEN', from('10.1.0.1'), identity as never);
    }
    expect(written).toHaveLength(20);
    vi.advanceTimersByTime(1_000);
    expect(written.slice(20)).toEqual(['10080 more in the last second']);
    security.report('event refused', 'RATE_LIMITED', from('10.0.0.1'));
    expect(written).toHaveLength(22);
    vi.advanceTimersByTime(5_000);
    expect(written).toHaveLength(22);
  });

  it.each([
    ['198.51.100.1:5100', '198.51.100.1'],
    ['[2001:db8::1]:443', '2001:db8::1'],
    ['[2001:db8::1]', '2001:db8::1'],
    ['2001:db8::1', '2001:db8::1'],
    ['6.6.6.6, ::ffff:198.51.100.1', '198.51.100.1'],
    ['198.51.100.1:x', '127.0.0.1'],
    ['unknown', '127.0.0.1'],
  ])('read the address that a proxy writes as %s', (forwarded, address) => {
    expect(clientAddress(from(forwarded), 1)).toBe(address);
  });

  it('cannot be forged or blown up by what a client sends', () => {
    const security = log();
    const userId = 'u"},{"code":"OK\u2028\u202e\u0085\u{e0001}';
    const identity = { userId, tenantId: 't', expiresAt: 0 };
    const origin = `http://x\nrefused {"code":"FAKE"}${'x'.repeat(10_000)}`;
    security.report(
      'handshake refused',
      'FORBIDDEN',
      from('1.1.1.1\nx', origin),
      identity as never,
    );
    const line = written.find((one) => one.startsWith('handshake refused')) ?? '';
    expect(written.join('').split(/[\n\u2028]/)).toHaveLength(1);
    expect(line.length).toBeLessThan(600);
    expect(JSON.parse(line.slice(line.indexOf('{')))).toMatchObject({
      code: 'FORBIDDEN',
      userId: 'u"},{"code":"OK\\u{2028}\\u{202e}\\u{85}\\u{e0001}',
      address: '127.0.0.1',
    });
  });
});

describe('in a host that logs', () => {
  const printed: string[] = [];
  beforeEach(() => {
    printed.length = 0;
    vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
      printed.push(String(text));
      return true;
    });
  });
  afterEach(() => {
    vi.restoreAllMocks();
    Logger.overrideLogger(new ConsoleLogger());
  });

  const report = (): void => {
    const request = { headers: { origin: ORIGIN }, socket: { remoteAddress: '10.0.0.9' } };
    const identity = { userId: 'u1', tenantId: 't1' } as never;
    new SecurityLog({ trustedProxies: 0 } as RealtimeConfig).report(
      'revoked',
      'KICKED',
      request as unknown as IncomingMessage,
      identity,
    );
  };
  const fields = {
    code: 'KICKED',
    userId: 'u1',
    tenantId: 't1',
    address: '10.0.0.9',
    origin: ORIGIN,
  };

  it('JSON, is an object in a line of its own', () => {
    Logger.overrideLogger(new ConsoleLogger({ json: true }));
    report();
    expect(printed.map((line) => JSON.parse(line) as object)).toEqual([
      expect.objectContaining({
        level: 'warn',
        context: 'Security',
        message: { message: 'revoked', ...fields },
      }),
    ]);
  });

  it('text, is one line of text', () => {
    Logger.overrideLogger(new ConsoleLogger({ colors: false }));
    report();
    expect(printed).toHaveLength(1);
    expect(printed[0]).toMatch(/WARN \[Security\] revoked {"code":"KICKED",.*}\n$/);
    expect(JSON.parse(printed[0]!.slice(printed[0]!.indexOf('{')))).toEqual(fields);
  });
});
