import { ConnectionRegistry } from '../src/connections/connection-registry';
import { SessionRegistry } from '../src/connections/session';
import { TokenVerifier } from '../src/handshake/token-verifier';
import type { Socket } from 'socket.io-client';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { RawClient } from './support/raw-client.js';
import { connected, once, refused, sign, Stack, wait } from './support/stack.js';
import { eventually } from './broker/broker-app.js';

const GRACE = 400;

describe('session', () => {
  let stack: Stack;

  beforeAll(async () => {
    stack = await Stack.start({ env: { REALTIME_MAX_GRACE_MS: String(GRACE) } });
  });
  afterAll(() => stack?.close());

  /** A token that lives for at least so many seconds, and for less than one more. */
  const lives = (seconds: number, claims: object = {}): string =>
    sign({ exp: Math.ceil(Date.now() / 1000) + seconds, ...claims });
  const refresh = (client: Socket, token: unknown): Promise<unknown> =>
    client.timeout(2_000).emitWithAck('realtime.refresh', { token });

  it('is cut a grace after its token has expired, having said so', async () => {
    const client = await stack.connect('/notifications', lives(2));
    const started = Date.now();
    const expired = once(client, 'realtime.expired').then(() => Date.now());
    const closed = once(client, 'disconnect');
    expect((await closed)[0]).toBe('io server disconnect');
    expect(Date.now() - (await expired)).toBeGreaterThanOrEqual(GRACE - 50);
    expect(Date.now() - started).toBeLessThan(3_000 + GRACE + 2_000);
  });

  it('serves no client event between expiry and the cut', async () => {
    const client = await stack.connect('/notifications', lives(1));
    await once(client, 'realtime.expired');
    const ack: unknown = await client
      .timeout(1_000)
      .emitWithAck('notification.markRead', { notificationId: '1' });
    expect(ack).toMatchObject({ ok: false, error: { code: 'UNAUTHORIZED' } });
  });

  it('is prolonged by a refresh, on every namespace of the connection', async () => {
    const client = await stack.connect('/notifications', lives(1));
    const other = client.io.socket('/chats', { auth: { token: lives(1) } });
    await connected(other);
    await Promise.all([once(client, 'realtime.expired'), once(other, 'realtime.expired')]);
    const ack = await refresh(other, lives(60));
    expect(ack).toEqual({ ok: true, data: { expiresAt: expect.any(Number) } });
    await wait(GRACE + 300);
    expect([client.connected, other.connected]).toEqual([true, true]);
    const served: unknown = await client
      .timeout(1_000)
      .emitWithAck('notification.markRead', { notificationId: '1' });
    expect(served).toMatchObject({ ok: true });
  });

  it('cuts every namespace of the connection', async () => {
    const client = await stack.connect('/notifications', lives(1));
    const other = client.io.socket('/chats', { auth: { token: lives(1) } });
    await connected(other);
    await Promise.all([once(client, 'disconnect'), once(other, 'disconnect')]);
  });

  it.each([
    ['another user', { sub: 'u2' }],
    ['another tenant', { tenantId: 't2' }],
  ])('is not taken over by %s', async (_name, claims) => {
    const client = await stack.connect('/notifications', lives(1));
    const ack = await refresh(client, lives(60, claims));
    expect(ack).toMatchObject({ ok: false, error: { code: 'FORBIDDEN' } });
    await once(client, 'disconnect');
  });

  it.each([
    ['another user', { sub: 'u2' }],
    ['another tenant', { tenantId: 't2' }],
  ])('lets no namespace of %s onto the connection', async (_name, claims) => {
    const client = await stack.connect('/notifications');
    const other = client.io.socket('/chats', { auth: { token: sign(claims) } });
    const refusal = await refused(other);
    expect(refusal.code).toBe('FORBIDDEN');
    expect(refusal.message).toMatch(/^Unauthorized/);
    expect(client.connected).toBe(true);
  });

  it.each([
    ['an expired token', lives(-1), 'TOKEN_EXPIRED'],
    ['garbage', 'x', 'UNAUTHORIZED'],
    ['nothing', undefined, 'UNAUTHORIZED'],
  ])('refuses a refresh with %s and keeps what it had', async (_name, token, code) => {
    const client = await stack.connect('/notifications');
    expect(await refresh(client, token)).toMatchObject({ ok: false, error: { code } });
    expect(await client.timeout(1_000).emitWithAck('realtime.refresh')).toMatchObject({
      ok: false,
    });
    expect(client.connected).toBe(true);
  });

  it('is not shortened by an older token', async () => {
    const client = await stack.connect('/notifications', lives(60));
    await refresh(client, lives(1));
    await wait(2_000 + GRACE + 300);
    expect(client.connected).toBe(true);
  });

  it('serves a namespace that was opened with an older token as long as the others', async () => {
    const client = await stack.connect('/chats', lives(60));
    const other = client.io.socket('/notifications', { auth: { token: lives(1) } });
    await connected(other);
    await wait(2_200);
    const served: unknown = await other
      .timeout(1_000)
      .emitWithAck('notification.markRead', { notificationId: '1' });
    expect(served).toMatchObject({ ok: true });
  });

  it('is not cut before its token has expired, however far away that is', async () => {
    const client = await stack.connect('/notifications', lives(40 * 24 * 3_600));
    let expired = false;
    client.on('realtime.expired', () => (expired = true));
    await wait(500);
    expect([client.connected, expired]).toEqual([true, false]);
  });

  it('is cut on a connection that has left all its namespaces', async () => {
    const token = lives(2);
    const client = RawClient.upgrade(stack.port, `40/notifications,{"token":"${token}"}`);
    await vi.waitFor(() => expect(client.received).toContain('40/notifications,{"sid"'));
    client.send('41/notifications,');
    expect(await client.closes(3_000 + GRACE + 2_000)).toBe(true);
    client.end();
  });

  it('leaves nothing behind when its connection closes', async () => {
    const registry = stack.app.get(SessionRegistry);
    const connections = stack.app.get(ConnectionRegistry);
    const sessions = Reflect.get(connections, 'connections') as Map<unknown, unknown>;
    const earlier = new Set(sessions.keys());
    const kept = (): number => [...sessions.keys()].filter((key) => !earlier.has(key)).length;
    const clients = await Promise.all(
      Array.from({ length: 15 }, () =>
        stack.connect('/notifications', lives(3_600, { sub: 'u9' })),
      ),
    );
    // A refresh that is being verified while the connection closes opens nothing again.
    const verifier = stack.app.get(TokenVerifier);
    const verify = verifier.verify.bind(verifier);
    const verified: Promise<unknown>[] = [];
    let release = (): void => undefined;
    const closed = new Promise<void>((resolve) => (release = resolve));
    const slow = vi.spyOn(verifier, 'verify').mockImplementation((token) => {
      const result = closed.then(() => verify(token));
      verified.push(result);
      return result;
    });
    expect(kept()).toBe(clients.length);
    for (const client of clients)
      client.emit('realtime.refresh', { token: lives(7_200, { sub: 'u9' }) });
    await eventually(() => verified.length === clients.length);
    for (const client of clients) client.disconnect();
    await eventually(() => kept() === 0);
    release();
    await Promise.all(verified);
    await wait(100);
    slow.mockRestore();
    expect(kept()).toBe(0);
    expect(registry.socketsOf('t1', 'u9')).toEqual([]);
  });

  it('is not prolonged by a namespace that was left meanwhile', async () => {
    const client = await stack.connect('/notifications', lives(60, { sub: 'leaver' }));
    const other = client.io.socket('/chats', { auth: { token: lives(60, { sub: 'leaver' }) } });
    await connected(other);
    const registry = stack.app.get(SessionRegistry);
    const sockets = () => registry.socketsOf('t1', 'leaver');
    const verifier = stack.app.get(TokenVerifier);
    const verify = verifier.verify.bind(verifier);
    let open: () => void = () => undefined;
    const slow = vi.spyOn(verifier, 'verify').mockImplementation(async (token) => {
      await new Promise<void>((resolve) => (open = resolve));
      return verify(token);
    });
    client.emit('realtime.refresh', { token: lives(3_600, { sub: 'leaver' }) });
    await vi.waitFor(() => expect(slow).toHaveBeenCalledOnce());
    slow.mockRestore();
    client.disconnect();
    await vi.waitFor(() => expect(sockets()).toHaveLength(1));
    const before = sockets()[0]?.data.identity.expiresAt;
    open();
    await wait(100);
    expect(sockets()[0]?.data.identity.expiresAt).toBe(before);
    other.disconnect();
  });

  it('is not opened for a connection that closed while its token was verified', () => {
    const socket = { conn: { readyState: 'closed' }, data: {} };
    const identity = { userId: 'u1', tenantId: 't1', expiresAt: Date.now() + 60_000 };
    const token = { identity, claims: {} };
    const open = () => stack.app.get(SessionRegistry).open(socket as never, token);
    expect(open).toThrow('closed');
  });
});
