import { act, cleanup, render, renderHook, waitFor } from '@testing-library/react';
import { createServer, type Server } from 'node:http';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ALICE, ALICE_AGAIN, BOB, item, loadPage, type Page, pause } from './page.js';
import { onRefresh, type RealtimeServer, refusal, startServer, token } from './realtime-server.js';

interface Gap {
  readonly since: Date;
  readonly until: Date;
}

const nowInSeconds = () => Math.floor(Date.now() / 1_000);

/** Of Alice, valid from now on. */
const lasting = (seconds: number, jti = '1', clock = nowInSeconds()) =>
  token('auth0|älice', 't1', { jti, iat: clock, exp: clock + seconds });

describe('the life of a connection', () => {
  let server: RealtimeServer;
  let page: Page;

  beforeEach(async () => {
    server = await startServer();
    page = await loadPage(server.url);
  });

  afterEach(async () => {
    vi.restoreAllMocks();
    page.signIn(null);
    cleanup();
    vi.unstubAllEnvs();
    await server.close();
  });

  const until = (status: string, timeout = 5_000) =>
    waitFor(() => expect(page.status()).toBe(status), { timeout });

  async function connect(accessToken = ALICE) {
    page.signIn(accessToken);
    const gaps: Gap[] = [];
    const hook = renderHook(() =>
      page.useNotificationsSocket({ onResync: (gap) => gaps.push(gap) }),
    );
    await until('connected');
    // Of the first connection.
    gaps.length = 0;
    return { ...hook, gaps };
  }

  const drop = () => {
    for (const socket of server.sockets()) socket.conn.close();
  };

  describe('a gap', () => {
    it('is told at the first connection: what was fetched before may lack events', async () => {
      const before = Date.now();
      page.signIn(ALICE);
      const told: [gap: Gap, status: string][] = [];
      const mount = () =>
        renderHook(() =>
          page.useNotificationsSocket({ onResync: (gap) => told.push([gap, page.status()]) }),
        );
      const { unmount } = mount();
      expect(told).toEqual([]);
      await until('connected');
      await pause(300);
      expect(told).toEqual([[{ since: new Date(0), until: expect.any(Date) }, 'connected']]);
      expect(told[0]![0].until.getTime()).toBeGreaterThanOrEqual(before);
      unmount();
      await until('idle');
      mount();
      await until('connected');
      expect(told).toHaveLength(2);
      expect(told[1]![0].since).toEqual(new Date(0));
    });

    it('is told at the first connection of one who was signed in before', async () => {
      const source = { get: () => ALICE, subscribe: () => () => undefined };
      const realtime = page.kernel.createRealtime({ url: server.url, token: source });
      const channel = realtime.channel('/notifications', {});
      const resync = vi.fn();
      channel.acquire({ receive: () => undefined, resync, fail: () => undefined });
      await waitFor(() => expect(resync).toHaveBeenCalledOnce(), { timeout: 5_000 });
      expect(resync.mock.calls[0]![0]).toMatchObject({ since: new Date(0) });
      realtime.dispose();
    });

    it('is told once it is over, with its time', async () => {
      const before = Date.now();
      const { gaps } = await connect();
      const connected = Date.now();
      drop();
      await until('reconnecting');
      await pause(300);
      expect(gaps).toEqual([]);
      await until('connected');

      expect(gaps).toHaveLength(1);
      const [gap] = gaps;
      // Not the moment that the loss was noticed: what came before may have been lost as well.
      expect(gap!.since.getTime()).toBeGreaterThanOrEqual(before);
      expect(gap!.since.getTime()).toBeLessThanOrEqual(connected);
      expect(gap!.until.getTime()).toBeGreaterThan(connected);
    });

    it('begins with the last sign of life', async () => {
      const { gaps } = await connect();
      await pause(300);
      const sent = Date.now();
      server.broadcast('notification.created', item('1'));
      await pause(100);
      drop();
      await until('reconnecting');
      await until('connected');
      expect(gaps[0]!.since.getTime()).toBeGreaterThanOrEqual(sent);
    });

    it('is told to each component, to the latest callback, once for every gap', async () => {
      page.signIn(ALICE);
      const told: string[] = [];
      const use = (name: string) =>
        renderHook(
          (props: { name: string }) =>
            page.useNotificationsSocket({ onResync: () => told.push(props.name) }),
          { initialProps: { name } },
        );
      const first = use('first');
      use('second');
      await until('connected');
      told.length = 0;
      first.rerender({ name: 'first, later' });
      for (const round of [1, 2]) {
        drop();
        await until('reconnecting');
        await until('connected');
        expect(told).toHaveLength(2 * round);
      }
      expect(told.sort()).toEqual(['first, later', 'first, later', 'second', 'second']);
    });

    it('is one however many attempts fail in it', async () => {
      const { gaps } = await connect();
      const { port } = server;
      const lost = Date.now();
      await server.close();
      await until('reconnecting');
      await waitFor(() => expect(page.error()?.code).toBe('UNREACHABLE'), { timeout: 5_000 });
      await pause(1_500);
      server = await startServer(port);
      await until('connected', 15_000);
      expect(gaps).toHaveLength(1);
      expect(gaps[0]!.since.getTime()).toBeLessThanOrEqual(lost + 50);
      expect(gaps[0]!.until.getTime() - lost).toBeGreaterThan(1_500);
    });

    it.each(['realtime.expired', 'realtime.kicked'])('also follows %s', async (event) => {
      const { gaps } = await connect();
      server.broadcast(event, {});
      server.sockets()[0]?.disconnect(true);
      await until('refused');
      page.signIn(ALICE_AGAIN);
      await until('connected');
      expect(gaps).toHaveLength(1);
    });

    it.each([
      ['another user comes', BOB],
      ['the same user comes back', ALICE],
    ])('is not told of when one user has left and %s: all is new to them', async (_who, next) => {
      const { gaps } = await connect();
      drop();
      await until('reconnecting');
      page.signIn(null);
      page.signIn(next);
      await until('connected');
      await pause(300);
      expect(gaps).toEqual([{ since: new Date(0), until: expect.any(Date) }]);
    });

    it('survives a callback that throws', async () => {
      page.signIn(ALICE);
      const told = vi.fn();
      const use = (onResync: () => void) =>
        renderHook(() => page.useNotificationsSocket({ onResync }));
      use(() => {
        throw new Error('broken');
      });
      use(told);
      await until('connected');
      drop();
      await until('reconnecting');
      await until('connected');
      expect(told).toHaveBeenCalledTimes(2);
      expect(page.faults.map(({ message }) => message)).toEqual(['broken', 'broken']);
    });
  });

  describe('a token', () => {
    it('is asked for before it expires and sent over the connection', async () => {
      const sent = onRefresh(server);
      const next = lasting(600, '2');
      const refresh = vi.fn(async () => page.signIn(next));
      page.realtime.configure({ refresh });
      await connect(lasting(3));
      await waitFor(() => expect(sent).toEqual([next]), { timeout: 4_000 });
      await pause(1_500);
      expect(refresh).toHaveBeenCalledOnce();
      expect(server.handshakes).toHaveLength(1);
      expect(page.status()).toBe('connected');
    });

    it('is asked for in time by a clock that is slow', async () => {
      const sent = onRefresh(server);
      const next = lasting(600, '2');
      page.realtime.configure({ refresh: async () => page.signIn(next) });
      // The server's clock, and so the token's, is an hour ahead.
      await connect(lasting(3, '1', nowInSeconds() + 3_600));
      await waitFor(() => expect(sent).toEqual([next]), { timeout: 4_000 });
    });

    it('is not asked for without end by a clock that is fast', async () => {
      const sent = onRefresh(server);
      let count = 1;
      const late = () => lasting(300, String((count += 1)), nowInSeconds() - 3_600);
      const refresh = vi.fn(async () => page.signIn(late()));
      page.realtime.configure({ refresh });
      await connect(late());
      await pause(1_000);
      expect(refresh).not.toHaveBeenCalled();
      // The server says by its own clock when it is time, and leaves some to do it in.
      server.broadcast('realtime.expired', undefined);
      await waitFor(() => expect(sent).toHaveLength(1));
      await pause(1_000);
      expect(refresh).toHaveBeenCalledOnce();
      expect(server.handshakes).toHaveLength(1);
    });

    it('is asked for once when it is refused, and the new one is used', async () => {
      server.admit = (given) => (given === ALICE ? refusal('TOKEN_EXPIRED') : undefined);
      const refresh = vi.fn(async () => page.signIn(ALICE_AGAIN));
      page.realtime.configure({ refresh });
      await connect();
      expect(refresh).toHaveBeenCalledOnce();
      expect(server.handshakes).toEqual([{ token: ALICE }, { token: ALICE_AGAIN }]);
    });

    it('is not asked for again when the new one is refused too', async () => {
      server.admit = () => refusal('TOKEN_EXPIRED');
      let count = 1;
      const refresh = vi.fn(async () =>
        page.signIn(token('auth0|älice', 't1', { jti: String((count += 1)) })),
      );
      page.realtime.configure({ refresh });
      page.signIn(ALICE);
      renderHook(() => page.useNotificationsSocket());
      await until('refused');
      await pause(1_000);
      expect(refresh).toHaveBeenCalledOnce();
      expect(server.handshakes).toHaveLength(2);
    });

    it('stays refused when there is no other', async () => {
      server.admit = () => refusal('UNAUTHORIZED');
      const refresh = vi.fn(async () => undefined);
      page.realtime.configure({ refresh });
      page.signIn(ALICE);
      renderHook(() => page.useNotificationsSocket());
      await until('refused');
      expect(page.error()?.code).toBe('UNAUTHORIZED');
      await pause(1_000);
      expect(refresh).toHaveBeenCalledOnce();
      expect(server.handshakes).toHaveLength(1);
    });

    it('is asked for again when the network failed, which is no refusal', async () => {
      server.admit = (given) => (given === ALICE ? refusal('TOKEN_EXPIRED') : undefined);
      const refresh = vi
        .fn<() => Promise<unknown>>()
        .mockRejectedValueOnce(new TypeError('Failed to fetch'))
        .mockImplementation(async () => page.signIn(ALICE_AGAIN));
      page.realtime.configure({ refresh });
      page.signIn(ALICE);
      renderHook(() => page.useNotificationsSocket());
      await until('reconnecting');
      await until('connected', 12_000);
      expect(refresh).toHaveBeenCalledTimes(2);
    });

    it('is not asked for when the server forbids or has cut the user', async () => {
      const refresh = vi.fn(async () => page.signIn(ALICE_AGAIN));
      page.realtime.configure({ refresh });
      server.admit = () => refusal('FORBIDDEN');
      page.signIn(ALICE);
      renderHook(() => page.useNotificationsSocket());
      await until('refused');
      server.admit = () => undefined;
      page.signIn(BOB);
      await until('connected');
      server.broadcast('realtime.kicked', {});
      server.sockets()[0]?.disconnect(true);
      await until('refused');
      await pause();
      expect(refresh).not.toHaveBeenCalled();
    });

    it('renewed while signing out connects nobody', async () => {
      server.admit = (given) => (given === ALICE ? refusal('TOKEN_EXPIRED') : undefined);
      let finish = (): void => undefined;
      page.realtime.configure({
        refresh: () => new Promise<void>((resolve) => (finish = resolve)),
      });
      page.signIn(ALICE);
      renderHook(() => page.useNotificationsSocket());
      await waitFor(() => expect(page.error()?.code).toBe('TOKEN_EXPIRED'));
      page.signIn(null);
      finish();
      await pause(500);
      expect(page.status()).toBe('idle');
      expect(server.handshakes).toHaveLength(1);
    });

    it('is sent once for all namespaces', async () => {
      const { useChatsSocket, chatsChannel } =
        await import('@web/features/chats/realtime/use-chats-socket');
      server.io.of('/chats');
      const sent = [onRefresh(server), onRefresh(server, undefined, '/chats')];
      await connect();
      renderHook(() => useChatsSocket());
      await waitFor(() => expect(chatsChannel.getState().status).toBe('connected'));
      page.signIn(ALICE_AGAIN);
      await waitFor(() => expect(sent.flat()).toEqual([ALICE_AGAIN]));
      await pause(300);
      expect(sent.flat()).toEqual([ALICE_AGAIN]);
    });

    it('is sent again when the server could not say, without a new handshake', async () => {
      let count = 0;
      const busy = {
        ok: false,
        error: { code: 'UNAVAILABLE', message: '', details: { retryAfterMs: 500 } },
      };
      const sent = onRefresh(server, () => ((count += 1) === 1 ? busy : { ok: true, data: {} }));
      await connect();
      page.signIn(ALICE_AGAIN);
      await waitFor(() => expect(sent).toEqual([ALICE_AGAIN, ALICE_AGAIN]), { timeout: 3_000 });
      await pause(800);
      expect(sent).toHaveLength(2);
      expect(server.handshakes).toHaveLength(1);
    });

    it('that cannot be read still settles the handshake', async () => {
      const { useAuthStore } = await import('@web/stores/auth.store');
      await connect();
      const { getState } = useAuthStore;
      let reads = 0;
      vi.spyOn(useAuthStore, 'getState').mockImplementation(() => {
        if ((reads += 1) === 1) throw new Error('no store');
        return getState();
      });
      drop();
      await waitFor(() => expect(server.handshakes).toHaveLength(2), { timeout: 4_000 });
      expect(server.handshakes[1]).toEqual({ token: null });
      expect(page.faults.map(({ message }) => message)).toEqual(['no store']);
    });
  });

  describe('a drain', () => {
    const drained = async (reconnectInMs: unknown): Promise<number> => {
      await connect();
      server.broadcast('realtime.draining', { reconnectInMs });
      await pause(100);
      expect(page.status()).toBe('connected');
      const started = Date.now();
      drop();
      await until('reconnecting');
      expect(page.error()?.code).toBe('DRAINING');
      await until('connected', 8_000);
      return Date.now() - started;
    };

    it('is followed by a return at the time that the server names, more or less', async () => {
      expect(await drained(4_000)).toBeGreaterThanOrEqual(2_000);
    });

    it.each([0, -1, 'soon', Number.NaN, null])('does not hammer for %s', async (reconnectInMs) => {
      expect(await drained(reconnectInMs)).toBeGreaterThanOrEqual(250);
    });

    it('is over with the next connection', async () => {
      await drained(3_000);
      const started = Date.now();
      drop();
      await until('reconnecting');
      expect(page.error()?.code).toBe('DISCONNECTED');
      await until('connected');
      expect(Date.now() - started).toBeLessThan(2_500);
    });
  });

  describe('the machine and its browser', () => {
    it('notices at once after sleep that the connection is dead', async () => {
      const { gaps } = await connect();
      const slept = Date.now() + 120_000;
      vi.spyOn(Date, 'now').mockImplementation(() => slept);
      act(() => void document.dispatchEvent(new Event('visibilitychange')));
      expect(page.status()).toBe('reconnecting');
      await until('connected', 900);
      expect(gaps).toHaveLength(1);
      expect(server.connections).toBe(2);
    });

    it('leaves a live connection alone when the page is looked at again', async () => {
      await connect();
      for (const event of ['online', 'pageshow', 'focus']) {
        act(() => void window.dispatchEvent(new Event(event)));
      }
      act(() => void document.dispatchEvent(new Event('visibilitychange')));
      await pause(300);
      expect(page.status()).toBe('connected');
      expect(server.connections).toBe(1);
    });

    it('closes the connection when the page is left and opens it when it comes back', async () => {
      const { gaps } = await connect();
      act(() => void window.dispatchEvent(new Event('pagehide')));
      expect(page.status()).toBe('reconnecting');
      await waitFor(() => expect(server.io.engine.clientsCount).toBe(0));
      await pause(2_000);
      expect(server.connections).toBe(1);

      act(() => void window.dispatchEvent(new Event('pageshow')));
      await until('connected', 900);
      expect(server.connections).toBe(2);
      expect(gaps).toHaveLength(1);
    });

    it('does not wake what was refused', async () => {
      server.admit = () => refusal('UNAUTHORIZED');
      page.signIn(ALICE);
      renderHook(() => page.useNotificationsSocket());
      await until('refused');
      for (const event of ['online', 'pagehide', 'pageshow']) {
        act(() => void window.dispatchEvent(new Event(event)));
      }
      await pause(300);
      expect(page.status()).toBe('refused');
      expect(server.handshakes).toHaveLength(1);
    });

    it('keeps its status while it waits, however often it is woken', async () => {
      await connect();
      await server.close();
      await until('reconnecting');
      const statuses: string[] = [];
      const stop = page.channel.subscribe(() => statuses.push(page.status()));
      for (let i = 0; i < 3; i += 1) {
        act(() => void window.dispatchEvent(new Event('online')));
        await pause(100);
      }
      stop();
      expect(new Set(statuses)).toEqual(new Set(statuses.length > 0 ? ['reconnecting'] : []));
    });
  });

  describe('other tabs', () => {
    /** What the browser tells one tab when another has written. */
    const tell = (event: string) => act(() => void window.dispatchEvent(new Event(event)));

    it.each(['storage', 'pageshow'])('sign this one out, at %s', async (event) => {
      await connect();
      page.useNotificationsStore.getState().addNotification(item('1'));
      localStorage.setItem('signed-out-at', `by another tab, before ${event}`);
      tell(event);
      expect(page.token()).toBeNull();
      expect(page.status()).toBe('idle');
      expect(page.useNotificationsStore.getState().notifications).toEqual([]);
      await waitFor(() => expect(server.io.engine.clientsCount).toBe(0));
    });

    it('are told of signing out, not of a start without a token', async () => {
      localStorage.clear();
      page = await loadPage(server.url);
      page.signIn(null);
      expect(localStorage.length).toBe(0);
      page.signIn(ALICE);
      page.signIn(ALICE_AGAIN);
      page.signIn(BOB);
      expect(localStorage.length).toBe(0);
      page.signIn(null);
      expect(localStorage.length).toBe(1);
      expect(JSON.stringify(localStorage)).not.toContain(BOB.split('.')[1]);
    });

    it('do not sign out what signs in later', async () => {
      localStorage.setItem('signed-out-at', 'long ago');
      page = await loadPage(server.url);
      page.signIn(ALICE);
      tell('storage');
      tell('pageshow');
      expect(page.token()).toBe(ALICE);
    });

    it('cannot be told where storage is denied, which breaks nothing', async () => {
      vi.spyOn(Storage.prototype, 'setItem').mockImplementation(() => {
        throw new Error('denied');
      });
      await connect();
      page.signIn(null);
      expect(page.status()).toBe('idle');
    });
  });

  describe('a server that cannot be reached', () => {
    let http: Server | undefined;

    afterEach(() => void http?.close());

    /** As the kernel answers, behind a proxy that lets no websocket through. */
    async function startBehindProxy(body: string): Promise<string[]> {
      const { port } = server;
      await server.close();
      const asked: string[] = [];
      http = createServer(({ url = '', method }, response) => {
        // Browsers ask no leave for such a request; happy-dom does.
        if (method !== 'OPTIONS') asked.push(`${method} ${url}`);
        const status = method === 'OPTIONS' ? 200 : 400;
        response.writeHead(status, { 'access-control-allow-origin': '*' });
        response.end(body);
      });
      http.on('upgrade', (_request, socket) => socket.destroy());
      await new Promise<void>((resolve) => http?.listen(port, '127.0.0.1', resolve));
      return asked;
    }
    const code = (expected: string) =>
      waitFor(() => expect(page.error()?.code).toBe(expected), { timeout: 9_000 });

    it('is told from one that answers, where no websocket gets through', async () => {
      const asked = await startBehindProxy(
        '{"code":0,"message":"This server takes websockets only"}',
      );
      page.signIn(ALICE);
      renderHook(() => page.useNotificationsSocket());
      await code('UNREACHABLE');
      await code('WEBSOCKET_BLOCKED');
      expect(page.status()).toBe('reconnecting');
      expect(new Set(asked)).toEqual(new Set(['GET /socket.io/?EIO=4&transport=polling']));
      const { port } = server;
      await new Promise((resolve) => http?.close(resolve));
      server = await startServer(port);
      act(() => void window.dispatchEvent(new Event('online')));
      await until('connected', 9_000);
      expect(page.error()).toBeNull();
    });

    it('is not told from a proxy that answers for it', async () => {
      const asked = await startBehindProxy('<h1>Bad gateway</h1>');
      page.signIn(ALICE);
      renderHook(() => page.useNotificationsSocket());
      await waitFor(() => expect(asked.length).toBeGreaterThan(1), { timeout: 9_000 });
      expect(page.error()?.code).toBe('UNREACHABLE');
    });
  });

  it('closes the old connection when hot reload replaces its modules', async () => {
    page.signIn(ALICE);
    const received: string[] = [];
    const use = ({ useNotificationsSocket }: Page, name: string) =>
      renderHook(() =>
        useNotificationsSocket({ onNotificationCreated: () => received.push(name) }),
      );
    const old = page;
    const mounted = use(old, 'old');
    await until('connected');
    page = await loadPage(server.url);
    page.signIn(ALICE);
    mounted.unmount();
    use(page, 'new');
    await until('connected');
    server.broadcast('notification.created', item('1'));
    await waitFor(() => expect(server.io.engine.clientsCount).toBe(1), { timeout: 3_000 });
    server.broadcast('notification.created', item('2'));
    await waitFor(() => expect(received).toEqual(['new', 'new']));
    old.signIn(ALICE_AGAIN);
    act(() => void window.dispatchEvent(new Event('online')));
    await pause(300);
    expect(server.connections).toBe(2);
  });

  describe('events', () => {
    it('are delivered once though the broker repeats them, until the user changes', async () => {
      page.signIn(ALICE);
      const received: string[] = [];
      renderHook(() =>
        page.useNotificationsSocket({ onNotificationCreated: ({ id }) => received.push(id) }),
      );
      await until('connected');
      const meta = (id: string) => ({ id, at: '2026-01-01T00:00:00Z' });
      for (const id of ['e1', 'e1', 'e2', 'e1']) {
        server.broadcast('notification.created', item(id), meta(id));
      }
      drop();
      await until('reconnecting');
      await until('connected');
      server.broadcast('notification.created', item('e2'), meta('e2'));
      server.broadcast('notification.created', item('no meta'), null);
      server.broadcast('notification.created', item('no meta'), null);
      await waitFor(() => expect(received).toEqual(['e1', 'e2', 'no meta', 'no meta']));
      page.signIn(BOB);
      await until('connected');
      server.broadcast('notification.created', item('e1'), meta('e1'));
      await waitFor(() => expect(received).toHaveLength(5));
    });

    it('that break their contract are told to onError, each, and to nobody else', async () => {
      page.signIn(ALICE);
      const errors: Error[] = [];
      const received: unknown[] = [];
      renderHook(() =>
        page.useNotificationsSocket({
          onError: (error) => errors.push(error),
          onNotificationCreated: (payload) => received.push(payload),
        }),
      );
      render(<page.NotificationsProvider />);
      await until('connected');
      server.broadcast('notification.created', { id: 1 });
      server.broadcast('notification.created', []);
      server.broadcast('notification.created', item('ok'));
      await waitFor(() => expect(received).toEqual([item('ok')]));
      expect(errors).toHaveLength(2);
      expect(errors[0]).toBeInstanceOf(page.kernel.RealtimeContractError);
      expect(errors[0]).toMatchObject({
        event: 'notification.created',
        code: 'CONTRACT',
        issues: [{ path: ['id'] }, { path: ['message'] }, { path: ['type'] }],
      });
      expect(page.channel.rejected).toBe(2);
      expect(page.faults).toEqual([errors[0]]);
    });
  });

  describe('a command', () => {
    it('is given up at once when the connection drops before the answer', async () => {
      const { result } = await connect();
      const sent = result.current.markRead({ notificationId: 'n1' }).catch((e: unknown) => e);
      await pause();
      const started = Date.now();
      act(drop);
      expect(await sent).toMatchObject({ code: 'DISCONNECTED' });
      expect(Date.now() - started).toBeLessThan(1_000);
    });

    it('of the user before is given up when another comes', async () => {
      const { result } = await connect();
      const sent = result.current.markRead({ notificationId: 'n1' }).catch((e: unknown) => e);
      page.signIn(BOB);
      expect(await sent).toMatchObject({ code: 'DISCONNECTED' });
    });
  });
});
