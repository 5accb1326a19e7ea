import { act, cleanup, render, renderHook, waitFor } from '@testing-library/react';
import { StrictMode, useState } from 'react';
import { renderToString } from 'react-dom/server';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import {
  ALICE,
  ALICE_AGAIN,
  BOB,
  ALICE_ELSEWHERE,
  item,
  loadPage,
  type Page,
  pause,
} from './page.js';
import { META, type RealtimeServer, refusal, startServer } from './realtime-server.js';

interface Packet {
  readonly data?: readonly unknown[];
}

describe('the emitted browser side', () => {
  let server: RealtimeServer;
  let page: Page;

  beforeEach(async () => {
    server = await startServer();
    page = await loadPage(server.url);
  });

  afterEach(async () => {
    page.signIn(null);
    cleanup();
    vi.restoreAllMocks();
    vi.unstubAllEnvs();
    await server.close();
  });

  const until = (status: string, timeout = 5_000) =>
    waitFor(() => expect(page.status()).toBe(status), { timeout });

  async function connect(accessToken = ALICE) {
    page.signIn(accessToken);
    const hook = renderHook(() => page.useNotificationsSocket());
    await until('connected');
    return hook;
  }

  it('opens one connection for many components in StrictMode, and delivers once to each', async () => {
    const received: string[] = [];
    function Listener({ name }: { name: string }) {
      page.useNotificationsSocket({ onNotificationCreated: () => received.push(name) });
      return null;
    }
    page.signIn(ALICE);
    render(
      <StrictMode>
        <Listener name="a" />
        <Listener name="b" />
        <page.NotificationsProvider />
      </StrictMode>,
    );
    await until('connected');
    server.broadcast('notification.created', item('1'));
    await waitFor(() => expect(received).toHaveLength(2));
    await pause();

    expect(received.sort()).toEqual(['a', 'b']);
    expect(server.connections).toBe(1);
    expect(server.handshakes).toEqual([{ token: ALICE }]);
    expect(page.useNotificationsStore.getState().notifications).toEqual([item('1')]);
  });

  it('shows a list that it has loaded, with what came meanwhile, in the store too', async () => {
    let answer = (_items: ReturnType<typeof item>[]): void => undefined;
    const load = vi.fn(
      () => new Promise<ReturnType<typeof item>[]>((resolve) => (answer = resolve)),
    );
    page.signIn(ALICE);
    render(<page.NotificationsProvider />);
    await until('connected');
    const { result } = renderHook(() => page.useNotificationsLive({ load }));
    await waitFor(() => expect(load).toHaveBeenCalledOnce());
    server.broadcast('notification.created', item('2'));
    await waitFor(() =>
      expect(page.useNotificationsStore.getState().notifications).toEqual([item('2')]),
    );
    await act(async () => answer([item('1')]));
    expect(result.current).toMatchObject({ items: [item('2'), item('1')], status: 'live' });
    expect(page.useNotificationsStore.getState().notifications).toEqual(result.current.items);
    page.signIn(null);
    expect(result.current).toMatchObject({ items: [], status: 'idle' });
  });

  it('calls the latest closure and does not reconnect on rerender', async () => {
    const received: [number, unknown, unknown][] = [];
    let rerender = (): void => undefined;
    function Listener() {
      const [count, setCount] = useState(0);
      rerender = () => setCount((value) => value + 1);
      page.useNotificationsSocket({
        onNotificationCreated: (payload, meta) => received.push([count, payload, meta]),
      });
      return null;
    }
    page.signIn(ALICE);
    render(<Listener />);
    await until('connected');
    for (let i = 0; i < 5; i += 1) act(() => rerender());
    server.broadcast('notification.created', { ...item('1'), later: 'ignored' }, META);
    await waitFor(() => expect(received).toHaveLength(1));

    expect(received).toEqual([[5, item('1'), META]]);
    expect(server.connections).toBe(1);
    expect(server.handshakes).toHaveLength(1);
  });

  it('keeps command identities over renders', async () => {
    const { result, rerender } = await connect();
    const { markRead } = result.current;
    rerender();
    expect(result.current.markRead).toBe(markRead);
  });

  it('leaves no socket behind after the last unmount, and comes back for the next mount', async () => {
    const first = await connect();
    first.unmount();
    const second = renderHook(() => page.useNotificationsSocket());
    await pause(1_300);
    expect(server.sockets()).toHaveLength(1);
    expect(server.connections).toBe(1);

    second.unmount();
    await waitFor(() => expect(server.io.engine.clientsCount).toBe(0), { timeout: 3_000 });
    expect(page.status()).toBe('idle');

    renderHook(() => page.useNotificationsSocket());
    await until('connected');
    expect(server.connections).toBe(2);
  });

  it('stops listening on unmount without silencing others', async () => {
    const received: string[] = [];
    const use = (name: string) =>
      renderHook(() =>
        page.useNotificationsSocket({ onNotificationCreated: () => received.push(name) }),
      );
    page.signIn(ALICE);
    const gone = use('gone');
    use('here');
    await until('connected');
    gone.unmount();
    server.broadcast('notification.created', item('1'));
    await waitFor(() => expect(received).toEqual(['here']));
  });

  it('renders on the server without a socket', async () => {
    page.signIn(ALICE);
    function Status() {
      return <i>{page.useNotificationsSocket().status}</i>;
    }
    expect(
      renderToString(
        <>
          <page.NotificationsProvider />
          <Status />
        </>,
      ),
    ).toBe('<i>idle</i>');
    await pause();
    expect(server.connections).toBe(0);
  });

  it('waits for a token', async () => {
    renderHook(() => page.useNotificationsSocket());
    await pause();
    expect(server.connections).toBe(0);
    page.signIn(ALICE);
    await until('connected');
  });

  it.each(['UNAUTHORIZED', 'TOKEN_EXPIRED', 'FORBIDDEN', 'NAMESPACE_REQUIRED'])(
    'stops at %s until the token changes',
    async (code) => {
      server.admit = (given) => (given === ALICE ? refusal(code) : undefined);
      page.signIn(ALICE);
      const { result } = renderHook(() => page.useNotificationsSocket());
      await until('refused');
      expect(result.current.error?.code).toBe(code);
      await pause(1_000);
      expect(server.handshakes).toHaveLength(1);

      page.signIn(ALICE_AGAIN);
      await until('connected');
      expect(result.current.error).toBeNull();
    },
  );

  it.each(['RATE_LIMITED', 'UNAVAILABLE', 'INTERNAL'])('comes back after %s', async (code) => {
    server.admit = () =>
      server.handshakes.length < 2 ? refusal(code, { retryAfterMs: 700 }) : undefined;
    page.signIn(ALICE);
    renderHook(() => page.useNotificationsSocket());
    await until('reconnecting');
    expect(page.error()?.code).toBe(code);
    await pause(500);
    expect(server.handshakes).toHaveLength(1);
    await until('connected');
    expect(server.handshakes).toHaveLength(2);
  });

  it('does not hammer a server that names no sensible delay', async () => {
    server.admit = () => refusal('RATE_LIMITED', { retryAfterMs: -1 });
    page.signIn(ALICE);
    renderHook(() => page.useNotificationsSocket());
    await pause(1_200);
    expect(server.handshakes.length).toBeLessThanOrEqual(3);
  });

  it('shakes hands again when the refused token was replaced meanwhile', async () => {
    server.admit = (given) => {
      if (given !== ALICE) return undefined;
      page.signIn(ALICE_AGAIN);
      return refusal('TOKEN_EXPIRED');
    };
    await connect();
    expect(server.handshakes).toEqual([{ token: ALICE }, { token: ALICE_AGAIN }]);
  });

  it('refreshes the connection with another token of the same user', async () => {
    await connect();
    const refreshed = vi.fn();
    server.sockets()[0]?.on('realtime.refresh', (body, ack) => {
      refreshed(body);
      ack({ ok: true, data: {} });
    });
    page.useNotificationsStore.getState().addNotification(item('1'));
    page.signIn(ALICE_AGAIN);
    await waitFor(() => expect(refreshed).toHaveBeenCalledWith({ token: ALICE_AGAIN }));
    await pause();

    expect(server.handshakes).toHaveLength(1);
    expect(page.status()).toBe('connected');
    expect(page.useNotificationsStore.getState().notifications).toHaveLength(1);
  });

  it('shakes hands anew when a refresh is refused', async () => {
    await connect();
    server
      .sockets()[0]
      ?.on('realtime.refresh', (_body, ack) =>
        ack({ ok: false, error: { code: 'UNAUTHORIZED', message: '' } }),
      );
    page.signIn(ALICE_AGAIN);
    await waitFor(() => expect(server.handshakes).toHaveLength(2));
    await until('connected');
    expect(server.handshakes[1]).toEqual({ token: ALICE_AGAIN });
  });

  it.each([
    ['another user', BOB],
    ['another tenant', ALICE_ELSEWHERE],
    ['an opaque token', 'opaque'],
  ])('forgets everything and connects anew for %s', async (_who, other) => {
    page.signIn(ALICE);
    const received: unknown[] = [];
    render(<page.NotificationsProvider />);
    renderHook(() =>
      page.useNotificationsSocket({ onNotificationCreated: (payload) => received.push(payload) }),
    );
    await until('connected');
    const [old] = server.sockets();
    server.broadcast('notification.created', item('mine'));
    await waitFor(() =>
      expect(page.useNotificationsStore.getState().notifications).toHaveLength(1),
    );
    // One is still in the batch, one on the wire, when the user changes.
    server.broadcast('notification.created', item('batched'));
    await waitFor(() => expect(received).toHaveLength(2), { interval: 1 });
    old?.emit('notification.created', item('late'), META);
    page.signIn(other);
    expect(page.useNotificationsStore.getState().notifications).toEqual([]);
    expect(page.status()).toBe('connecting');
    await until('connected');
    await pause();

    expect(page.useNotificationsStore.getState().notifications).toEqual([]);
    expect(received).toEqual([item('mine'), item('batched')]);
    expect(server.connections).toBe(2);
    expect(server.handshakes.at(-1)).toEqual({ token: other });
    expect(server.sockets()).toHaveLength(1);
  });

  it('delivers nothing that was decoded for the user before', async () => {
    // Socket.IO dispatches a packet one microtask after decoding it: the user changes in between.
    const { Manager } = await import('socket.io-client');
    const prototype = Manager.prototype as unknown as { ondecoded(packet: Packet): void };
    const { ondecoded } = prototype;
    vi.spyOn(prototype, 'ondecoded').mockImplementation(function (this: unknown, packet) {
      ondecoded.call(this, packet);
      if (packet.data?.[0] === 'notification.created') page.signIn(BOB);
    });
    page.signIn(ALICE);
    const received: unknown[] = [];
    renderHook(() =>
      page.useNotificationsSocket({ onNotificationCreated: (payload) => received.push(payload) }),
    );
    await until('connected');
    server.broadcast('notification.created', item('alices'));
    await waitFor(() => expect(server.handshakes.at(-1)).toEqual({ token: BOB }));
    await until('connected');
    await pause();
    expect(received).toEqual([]);
  });

  it('disconnects and forgets when the user signs out', async () => {
    await connect();
    page.useNotificationsStore.getState().addNotification(item('1'));
    page.signIn(null);
    expect(page.useNotificationsStore.getState().notifications).toEqual([]);
    expect(page.status()).toBe('idle');
    await waitFor(() => expect(server.io.engine.clientsCount).toBe(0));
  });

  it('is refused after realtime.expired, and resumes with a new token', async () => {
    await connect();
    server.broadcast('realtime.expired', undefined);
    server.sockets()[0]?.disconnect(true);
    await until('refused');
    expect(page.error()?.code).toBe('TOKEN_EXPIRED');
    page.signIn(ALICE_AGAIN);
    await until('connected');
  });

  it('returns by itself after realtime.expired when the store holds another token', async () => {
    await connect();
    page.signIn(ALICE_AGAIN);
    server.broadcast('realtime.expired', undefined);
    server.sockets()[0]?.disconnect(true);
    await waitFor(() => expect(server.handshakes).toHaveLength(2));
    await until('connected');
  });

  it('is no longer expired once it was refreshed, and returns from an unexplained disconnect', async () => {
    await connect();
    server.sockets()[0]?.on('realtime.refresh', (_body, ack) => ack({ ok: true, data: {} }));
    server.broadcast('realtime.expired', undefined);
    await pause();
    page.signIn(ALICE_AGAIN);
    await pause();
    server.sockets()[0]?.disconnect(true);
    await until('reconnecting');
    expect(page.error()?.code).toBe('DISCONNECTED');
    await until('connected', 9_000);
  });

  it('stays away after realtime.kicked', async () => {
    await connect();
    server.broadcast('realtime.kicked', {});
    server.sockets()[0]?.disconnect(true);
    await until('refused');
    expect(page.error()?.code).toBe('KICKED');
    await pause(1_000);
    expect(server.handshakes).toHaveLength(1);
  });

  it('reconnects by itself when the transport closes', async () => {
    await connect();
    server.broadcast('realtime.draining', {});
    for (const socket of server.sockets()) socket.conn.close();
    await until('reconnecting');
    await until('connected');
    expect(server.connections).toBe(2);
  });

  it('reconnects to a server that was restarted, with the token of now', async () => {
    await connect();
    const { port } = server;
    await server.close();
    await until('reconnecting');
    page.signIn(ALICE_AGAIN);
    await pause(2_500);
    server = await startServer(port);
    await until('connected', 12_000);
    expect(server.handshakes).toEqual([{ token: ALICE_AGAIN }]);
  });

  it('wakes at once when the machine is online again', async () => {
    await connect();
    const { port } = server;
    await server.close();
    await until('reconnecting');
    await pause(4_000);
    server = await startServer(port);
    act(() => void window.dispatchEvent(new Event('online')));
    await until('connected', 400);
    await pause(2_000);
    expect(server.connections).toBe(1);
    // Reconnection still works afterwards.
    for (const socket of server.sockets()) socket.conn.close();
    await until('reconnecting');
    await until('connected');
  });

  it('shares the connection between namespaces', async () => {
    server.io.of('/chats').use((_socket, next) => next());
    const { useChatsSocket, chatsChannel } =
      await import('@web/features/chats/realtime/use-chats-socket');
    await connect();
    const chats = renderHook(() => useChatsSocket());
    await waitFor(() => expect(chatsChannel.getState().status).toBe('connected'));
    expect(server.connections).toBe(1);
    chats.unmount();
    await waitFor(() => expect(server.io.of('/chats').sockets.size).toBe(0), { timeout: 3_000 });
    expect(page.status()).toBe('connected');
  });

  it('resolves a command with its data and rejects with its error', async () => {
    const { result } = await connect();
    server.sockets()[0]?.on('notification.markRead', ({ notificationId }, ack) =>
      ack(
        notificationId === 'n1'
          ? { ok: true, data: { read: notificationId } }
          : {
              ok: false,
              error: { code: 'NOT_FOUND', message: 'None', details: { notificationId } },
            },
      ),
    );
    await expect(result.current.markRead({ notificationId: 'n1' })).resolves.toEqual({
      read: 'n1',
    });
    const failed = await result.current.markRead({ notificationId: 'n2' }).catch((e: unknown) => e);
    expect(failed).toBeInstanceOf(page.kernel.RealtimeCommandError);
    expect(failed).toMatchObject({
      code: 'NOT_FOUND',
      message: 'None',
      details: { notificationId: 'n2' },
    });
  });

  it('gives a command up after five seconds', async () => {
    const { result } = await connect();
    const started = Date.now();
    await expect(result.current.markRead({ notificationId: 'n1' })).rejects.toMatchObject({
      code: 'TIMEOUT',
    });
    expect(Date.now() - started).toBeGreaterThan(4_500);
  });

  it('refuses a command at once while offline and never sends it later', async () => {
    const { result } = await connect();
    const late = vi.fn();
    const { port } = server;
    await server.close();
    await until('reconnecting');
    const started = Date.now();
    await expect(result.current.markRead({ notificationId: 'n1' })).rejects.toMatchObject({
      code: 'NOT_CONNECTED',
    });
    expect(Date.now() - started).toBeLessThan(100);
    server = await startServer(port);
    server.io.of('/notifications').on('connection', (socket) => socket.onAny(late));
    await until('connected', 12_000);
    await pause();
    expect(late).not.toHaveBeenCalled();
  });

  it('does not send later what a dead connection swallowed', async () => {
    const { result } = await connect();
    const { Socket } = await import('engine.io-client');
    // What a laptop finds after sleep: the socket looks connected until the first write.
    const expired = vi
      .spyOn(Socket.prototype as unknown as { _hasPingExpired(): boolean }, '_hasPingExpired')
      .mockReturnValue(true);
    const sent = expect(result.current.markRead({ notificationId: 'n1' })).rejects.toMatchObject({
      code: 'DISCONNECTED',
    });
    expired.mockRestore();
    const late = vi.fn();
    server.io.of('/notifications').on('connection', (socket) => socket.onAny(late));
    for (const socket of server.sockets()) socket.conn.close();
    await act(() => sent);
    await until('connected');
    await pause();
    expect(late).not.toHaveBeenCalled();
  });

  it('counts payloads that break the contract, reports once, and goes on', async () => {
    page.signIn(ALICE);
    render(<page.NotificationsProvider />);
    await until('connected');
    server.broadcast('notification.created', { id: 1 });
    server.broadcast('notification.created', null);
    server.broadcast('toString', item('x'));
    server.broadcast('notification.unknown', item('y'));
    server.broadcast('notification.created', item('ok'));
    await waitFor(() =>
      expect(page.useNotificationsStore.getState().notifications).toEqual([item('ok')]),
    );
    expect(page.channel.rejected).toBe(2);
    expect(page.faults.map((fault) => fault.message)).toEqual([
      'notification.created does not match its contract',
    ]);
  });

  it('isolates a handler that throws', async () => {
    page.signIn(ALICE);
    const received: unknown[] = [];
    renderHook(() =>
      page.useNotificationsSocket({
        onNotificationCreated: () => {
          throw new Error('broken');
        },
      }),
    );
    renderHook(() =>
      page.useNotificationsSocket({ onNotificationCreated: (payload) => received.push(payload) }),
    );
    await until('connected');
    server.broadcast('notification.created', item('1'));
    await waitFor(() => expect(received).toHaveLength(1));
    expect(page.faults.map((fault) => fault.message)).toEqual(['broken']);
  });

  it('lists a burst of 5,000 events in few updates, and keeps the newest 200', async () => {
    page.signIn(ALICE);
    render(<page.NotificationsProvider />);
    await until('connected');
    let updates = 0;
    page.useNotificationsStore.subscribe(() => (updates += 1));
    for (let id = 1; id <= 5_000; id += 1) {
      server.broadcast('notification.created', item(String(id)));
    }
    const newest = () => page.useNotificationsStore.getState().notifications[0]?.id;
    await waitFor(() => expect(newest()).toBe('5000'), { timeout: 10_000 });
    const { notifications } = page.useNotificationsStore.getState();
    expect(notifications).toHaveLength(200);
    expect(notifications[199]?.id).toBe('4801');
    expect(updates).toBeLessThan(200);
  });

  it('finds and removes an item by its id, and renders only what changed', async () => {
    const { addNotification, removeNotification, merge } = page.useNotificationsStore.getState();
    merge([item('1'), item('2')]);
    let renders = 0;
    const { result } = renderHook(() => {
      renders += 1;
      return page.useNotificationsStore((state) => state.byId.get('1'));
    });
    expect(result.current).toEqual(item('1'));
    act(() => addNotification(item('3')));
    act(() => removeNotification('2'));
    act(() => removeNotification('unknown'));
    expect(renders).toBe(1);
    expect(page.useNotificationsStore.getState().notifications).toEqual([item('3'), item('1')]);
    act(() => addNotification({ ...item('1'), message: 'later' }));
    expect(result.current?.message).toBe('later');
    expect(page.useNotificationsStore.getState().notifications.map(({ id }) => id)).toEqual([
      '3',
      '1',
    ]);
    act(() => removeNotification('1'));
    expect(result.current).toBeUndefined();
  });

  it('resets every store though one reset throws', async () => {
    page.realtime.onUserChange(() => {
      throw new Error('reset');
    });
    const last = vi.fn();
    page.realtime.onUserChange(last);
    page.signIn(ALICE);
    expect(last).toHaveBeenCalledOnce();
    expect(page.faults).toHaveLength(1);
  });

  it.each(['', '/api', 'localhost:3333', 'ftp://x'])(
    'never connects to its own origin when NEXT_PUBLIC_REALTIME_URL is "%s"',
    async (url) => {
      page.signIn(null);
      page = await loadPage(url);
      const sockets = vi.spyOn((await import('socket.io-client')).Manager.prototype, 'socket');
      page.signIn(ALICE);
      renderHook(() => page.useNotificationsSocket());
      expect(page.status()).toBe('refused');
      expect(page.error()).toMatchObject({ code: 'CONFIGURATION' });
      expect(page.faults[0]?.message).toContain('NEXT_PUBLIC_REALTIME_URL');
      expect(sockets).not.toHaveBeenCalled();
    },
  );
});
