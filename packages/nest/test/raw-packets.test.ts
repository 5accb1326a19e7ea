import { NotificationsService } from '@kernel/notifications/notifications.service';
import { MessageBody, SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';
import jwt from 'jsonwebtoken';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { frame, framed, RawClient, upgradeRequest } from './support/raw-client.js';
import { JWT_SECRET, sign, Stack, wait } from './support/stack.js';

const ran: string[] = [];

/** Notices everything that a gateway may be called for. */
@WebSocketGateway({ namespace: '/by-hand' })
class HandWrittenGateway {
  handleConnection(): void {
    ran.push('handleConnection');
  }

  handleDisconnect(): void {
    ran.push('handleDisconnect');
  }

  @SubscribeMessage('ping')
  ping(@MessageBody() body: unknown): string {
    ran.push(`ping ${JSON.stringify(body)}`);
    return 'pong';
  }
}

const AUTH: [name: string, auth: string][] = [
  ['no auth', ''],
  ['an empty auth', '{}'],
  ['garbage', '{"token":"bad"}'],
  ['an expired token', JSON.stringify({ token: sign({}, { expiresIn: -1 }) })],
  ['another secret', JSON.stringify({ token: jwt.sign({}, 'x'.repeat(32), { expiresIn: 60 }) })],
  ['no exp', JSON.stringify({ token: jwt.sign({ sub: 'u1', tenantId: 't1' }, JWT_SECRET) })],
  ['a token in a list', JSON.stringify({ token: [sign()] })],
  ['a token in an object', JSON.stringify({ token: { token: sign() } })],
  ['a token elsewhere', JSON.stringify({ auth: { token: sign() }, jwt: sign() })],
  ['a token in a prototype', `{"__proto__":{"token":"${sign()}"}}`],
  ['a list', JSON.stringify([sign()])],
  ['text', JSON.stringify(sign())],
  ['null', 'null'],
  ['what is not JSON', '{'],
];

describe('packets written to the socket', () => {
  let stack: Stack;
  let serve: ReturnType<typeof vi.spyOn>;
  const clients: RawClient[] = [];

  const keep = (client: RawClient): RawClient => {
    clients.push(client);
    return client;
  };
  const upgrade = (...frames: readonly (string | Buffer)[]): RawClient =>
    keep(RawClient.upgrade(stack.port, ...frames));
  const write = (...parts: readonly (string | Buffer)[]): RawClient =>
    keep(RawClient.write(stack.port, ...parts));

  /** Someone else is served as if nothing had happened. */
  const expectServed = async (): Promise<void> => {
    const client = await stack.connect('/notifications', sign({ sub: 'canary' }));
    const ack: unknown = await client
      .timeout(1_000)
      .emitWithAck('notification.markRead', { notificationId: '1' });
    expect(ack).toMatchObject({ ok: true });
    client.disconnect();
  };

  beforeAll(async () => {
    stack = await Stack.start({ providers: [HandWrittenGateway] });
  });
  afterAll(() => stack?.close());
  beforeEach(() => {
    ran.length = 0;
    serve = vi.spyOn(NotificationsService.prototype, 'markRead');
  });
  afterEach(() => {
    vi.restoreAllMocks();
    clients.splice(0).forEach((client) => client.end());
  });

  describe.each(['/notifications', '/chats', '/by-hand', '/'])('on %s', (namespace) => {
    const nsp = namespace === '/' ? '' : `${namespace},`;
    const events = [
      `42${nsp}0["ping",1]`,
      `42${nsp}["notification.markRead",{"notificationId":"1"}]`,
      `451-${nsp}["ping",{"_placeholder":true,"num":0}]`,
      frame('blob', { opcode: 2 }),
      `42${nsp}1["realtime.refresh",{"token":${JSON.stringify(sign())}}]`,
      `43${nsp}0[1]`,
    ];

    // Taken out: authentication in a middleware, which holds packets back until it has decided.
    it.each(AUTH)('run no handler, connected with %s', async (_name, auth) => {
      const connect = `40${nsp}${auth}`;
      const sent = [
        // Before the server has answered at all.
        write(upgradeRequest(), ...[connect, ...events].map(framed)),
        upgrade(connect, ...events),
        upgrade(...events.flatMap((event) => [connect, event])),
        upgrade(connect, connect, `41${nsp}`, connect, ...events, connect),
      ];
      for (const client of sent) {
        await vi.waitFor(() => expect(client.received).toContain('0{"sid"'), 5_000);
      }
      await wait(150);
      for (const { received } of sent) {
        expect(received).not.toMatch(
          new RegExp(`(?:40${nsp}{\"sid\"|42${nsp}\\d*\\[|43${nsp}\\d+\\[)`),
        );
      }
      expect(ran).toEqual([]);
      expect(serve).not.toHaveBeenCalled();
    });
  });

  it('run no handler before a namespace is connected', async () => {
    const client = upgrade('42/by-hand,["ping",1]', `40/by-hand,{"token":"${sign()}"}`);
    expect(await client.closes(1_000)).toBe(true);
    expect(ran).toEqual([]);
  });

  it('are held back until the token is verified, and then served', async () => {
    const client = upgrade(`40/by-hand,{"token":"${sign()}"}`);
    await wait(100);
    client.send('42/by-hand,7["ping",1]');
    await wait(100);
    expect(client.received).toContain('43/by-hand,7');
    expect(ran).toEqual(['handleConnection', 'ping 1']);
  });

  it.each([
    ['the query of the URL', `/socket.io/?EIO=4&transport=websocket&token=${sign()}`, {}],
    [
      'headers',
      undefined,
      { Authorization: `Bearer ${sign()}`, Cookie: `token=${sign()}; access_token=${sign()}` },
    ],
  ])('find no token in %s', async (_name, path, headers) => {
    const client = write(upgradeRequest(path, headers));
    await wait(100);
    client.send('40/notifications,');
    await wait(100);
    expect(client.received).toContain('"code":"UNAUTHORIZED"');
  });

  it('find neither token nor namespace in the query of a namespace', async () => {
    const client = upgrade(`40/notifications?token=${sign()},{}`);
    await wait(100);
    expect(client.received).toMatch(/Invalid namespace|UNAUTHORIZED/);
  });

  it.each([
    ['polling', '/socket.io/?EIO=4&transport=polling'],
    ['a transport that does not exist', '/socket.io/?EIO=4&transport=webtransport'],
    ['an inherited transport', '/socket.io/?EIO=4&transport=constructor'],
    ['no transport', '/socket.io/?EIO=4'],
    ['a session that does not exist', '/socket.io/?EIO=4&transport=websocket&sid=x'],
  ])('are not even taken over an upgrade with %s', async (_name, path) => {
    const client = write(upgradeRequest(path), frame(`40/by-hand,{"token":"${sign()}"}`));
    expect(await client.closes(2_000)).toBe(true);
    expect(client.status).toBe('400');
    expect(ran).toEqual([]);
  });

  it('are not taken from a second websocket that would replace the first', async () => {
    const first = upgrade(`40/by-hand,{"token":"${sign()}"}`);
    await wait(200);
    const sid = /0\{"sid":"([^"]+)"/.exec(first.received)?.[1];
    for (const name of ['sid', '%73id']) {
      const path = `/socket.io/?EIO=4&transport=websocket&${name}=${sid}`;
      const second = write(upgradeRequest(path), frame('2probe'), frame('5'));
      expect(await second.closes(2_000)).toBe(true);
      expect([second.status, second.received.includes('3probe')]).toEqual(['400', false]);
    }
    first.send('42/by-hand,1["ran"]');
    await wait(200);
    expect(await first.closes(100)).toBe(false);
  });

  it.each(['EIO=3&', 'EIO=5&', ''])(
    'are not even taken with %stransport=websocket',
    async (eio) => {
      const client = write(upgradeRequest(`/socket.io/?${eio}transport=websocket`));
      expect(await client.closes(2_000)).toBe(true);
      expect(client.received).not.toContain('"sid"');
    },
  );

  it.each([
    ['another path', '/realtime/?EIO=4&transport=websocket'],
    ['a path that begins alike', '/socket.iox/?EIO=4&transport=websocket'],
    ['no path', '/'],
  ])('are not even taken on %s', async (_name, path) => {
    const client = write(upgradeRequest(path), frame(`40/by-hand,{"token":"${sign()}"}`));
    expect(await client.closes(3_000)).toBe(true);
    expect(client.status).not.toBe('101');
    expect(ran).toEqual([]);
  });

  it.each(['GET', 'POST', 'PUT', 'OPTIONS'])('cannot be polled with %s', async (method) => {
    for (const query of ['EIO=4&transport=polling', 'EIO=4&transport=polling&sid=x', 'EIO=3']) {
      const response = await fetch(`http://127.0.0.1:${stack.port}/socket.io/?${query}`, {
        method,
        ...(['POST', 'PUT'].includes(method) && { body: '40/by-hand,' }),
      });
      expect(response.status).toBe(400);
      expect(response.headers.get('access-control-allow-origin')).toBeNull();
    }
  });

  it('serve no client script', async () => {
    const { status } = await fetch(`http://127.0.0.1:${stack.port}/socket.io/socket.io.js`);
    expect(status).toBe(400);
  });

  // Taken out: perMessageDeflate false.
  it('cannot be compressed', async () => {
    const extension = 'permessage-deflate; client_max_window_bits';
    const client = write(upgradeRequest(undefined, { 'Sec-WebSocket-Extensions': extension }));
    await wait(100);
    expect(client.status).toBe('101');
    expect(client.received).not.toMatch(/sec-websocket-extensions/i);
    client.send(frame('40/by-hand,', { rsv1: true }));
    expect(await client.closes(1_000)).toBe(true);
  });

  // Taken out: maxHttpBufferSize.
  it.each([
    ['one frame', [frame(`42${'x'.repeat(65_536)}`)]],
    ['a frame that only claims to be so long', [frame('42', { length: 70_000 })]],
    ['one binary frame', [frame(Buffer.alloc(65_537), { opcode: 2 })]],
    [
      'fragments',
      Array.from({ length: 70 }, (_, index) =>
        frame('x'.repeat(1_000), { opcode: index === 0 ? 1 : 0, fin: false }),
      ),
    ],
  ])('are closed on over 64 KiB in %s', async (_name, frames) => {
    const client = upgrade(`40/by-hand,{"token":"${sign()}"}`, ...frames);
    expect(await client.closes(1_000)).toBe(true);
    await expectServed();
  });

  it('are closed on a flood of empty fragments', async () => {
    const client = upgrade(frame('', { fin: false }));
    const flood = Buffer.concat(
      Array.from({ length: 20_000 }, () => frame('', { opcode: 0, fin: false })),
    );
    client.send(flood);
    expect(await client.closes(5_000)).toBe(true);
    await expectServed();
  });

  it.each([
    ['text', 'GARBAGE\r\n\r\n'],
    [
      'a request that never ends',
      'GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: x\r\n',
    ],
    ['a wrong key', upgradeRequest(undefined, { 'Sec-WebSocket-Key': 'short' })],
    [
      'a version from before the standard',
      upgradeRequest(undefined, { 'Sec-WebSocket-Version': '1' }),
    ],
    ['another protocol', upgradeRequest(undefined, { Upgrade: 'h2c' })],
    ['16 KiB of headers', upgradeRequest(undefined, { 'X-Long': 'x'.repeat(20_000) })],
  ])('survive %s in place of an upgrade', async (_name, bytes) => {
    const client = write(bytes, frame(`40/by-hand,{"token":"${sign()}"}`));
    await wait(150);
    expect(client.status).not.toBe('101');
    expect(ran).toEqual([]);
    await expectServed();
  });
});
