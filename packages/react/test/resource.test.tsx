import { act, cleanup, renderHook, waitFor } from '@testing-library/react';
import { StrictMode } from 'react';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type RealtimeServer, startServer, token } from './realtime-server.js';

const ALICE = token('alice', 't1');

/** A fresh copy of the emitted modules, whose state is that of one page. */
async function loadPage(url: string) {
  vi.resetModules();
  vi.stubEnv('NEXT_PUBLIC_REALTIME_URL', url);
  const { useAuthStore } = await import('@web/stores/auth.store');
  const hook = await import('@web/features/documents/realtime/use-documents-socket');
  return {
    ...hook,
    signIn: (accessToken: string | null) =>
      act(() => useAuthStore.getState().setAccessToken(accessToken)),
  };
}

const pause = (ms = 150) => act(() => new Promise((resolve) => setTimeout(resolve, ms)));

describe('a resource that a component subscribes to', () => {
  let server: RealtimeServer;
  let page: Awaited<ReturnType<typeof loadPage>>;
  let commands: string[];
  let refuse: (id: string) => object | undefined;
  /** What the server waits for before it acknowledges. */
  let answering: Promise<void>;

  beforeEach(async () => {
    server = await startServer(0, '/documents');
    commands = [];
    refuse = () => undefined;
    answering = Promise.resolve();
    serve();
    page = await loadPage(server.url);
    page.signIn(ALICE);
  });

  afterEach(async () => {
    page.signIn(null);
    cleanup();
    vi.unstubAllEnvs();
    await server.close();
  });

  /** Acknowledges what subscribes, as the kernel does. */
  function serve(): void {
    server.io.of('/documents').on('connection', (socket) =>
      socket.onAny(async (event: string, body: { id: string }, ack: (ack: object) => void) => {
        await answering;
        commands.push(`${event.replace('document.', '')} ${body.id}`);
        const error = event.endsWith('.subscribe') ? refuse(body.id) : undefined;
        ack(error ? { ok: false, error } : { ok: true, data: null });
      }),
    );
  }
  const mount = (resource: string | null, options = {}) =>
    renderHook((props: { resource: string | null }) => page.useDocumentsSocket(props), {
      initialProps: { resource },
      ...options,
    });
  const subscribed = (hook: ReturnType<typeof mount>) =>
    waitFor(() => expect(hook.result.current.subscribed).toBe(true), { timeout: 5_000 });

  it('is held while mounted', async () => {
    const hook = mount('d1');
    expect(hook.result.current.subscribed).toBe(false);
    await subscribed(hook);
    hook.unmount();
    await waitFor(() => expect(commands).toEqual(['subscribe d1', 'unsubscribe d1']));
  });

  it('follows the id that is asked for, none included', async () => {
    const hook = mount(null);
    await waitFor(() => expect(hook.result.current.status).toBe('connected'));
    hook.rerender({ resource: 'd1' });
    await subscribed(hook);
    hook.rerender({ resource: 'd2' });
    expect(hook.result.current.subscribed).toBe(false);
    await subscribed(hook);
    hook.rerender({ resource: null });
    expect(hook.result.current.subscribed).toBe(false);
    await pause();
    expect(commands).toEqual(['subscribe d1', 'unsubscribe d1', 'subscribe d2', 'unsubscribe d2']);
  });

  it('is subscribed to again after each reconnect', async () => {
    const hook = mount('d1');
    await subscribed(hook);
    for (const socket of server.sockets()) socket.conn.close();
    await waitFor(() => expect(hook.result.current.subscribed).toBe(false));
    await subscribed(hook);
    expect(commands).toEqual(['subscribe d1', 'subscribe d1']);
  });

  it('stays while one of several components holds it', async () => {
    const [first, second] = [mount('d1'), mount('d1')];
    await Promise.all([subscribed(first), subscribed(second)]);
    first.unmount();
    await pause();
    expect(commands).not.toContain('unsubscribe d1');
    expect(second.result.current.subscribed).toBe(true);
    second.unmount();
    await waitFor(() => expect(commands.at(-1)).toBe('unsubscribe d1'));
  });

  it('is held in StrictMode', async () => {
    const hook = mount('d1', { wrapper: StrictMode });
    await subscribed(hook);
    await pause();
    expect(hook.result.current.subscribed).toBe(true);
    expect(commands.at(-1)).toBe('subscribe d1');
  });

  it('says why it is refused, to those who asked for it', async () => {
    refuse = (id) => (id === 'secret' ? { code: 'FORBIDDEN', message: 'No' } : undefined);
    const [denied, granted] = [mount('secret'), mount('d1')];
    await subscribed(granted);
    await waitFor(() =>
      expect(denied.result.current.subscriptionError).toEqual({ code: 'FORBIDDEN', message: 'No' }),
    );
    expect(denied.result.current.subscribed).toBe(false);
    expect(granted.result.current.subscriptionError).toBeNull();
    denied.rerender({ resource: 'd1' });
    await subscribed(denied);
    expect(denied.result.current.subscriptionError).toBeNull();
  });

  describe('after a gap', () => {
    async function mounted(resource = 'd1') {
      const onResync = vi.fn();
      const hook = renderHook(() => page.useDocumentsSocket({ resource, onResync }));
      await subscribed(hook as unknown as ReturnType<typeof mount>);
      // Of the first subscription: what was fetched before it may lack events.
      expect(onResync.mock.calls).toEqual([[{ since: new Date(0), until: expect.any(Date) }]]);
      onResync.mockClear();
      const drop = async () => {
        for (const socket of server.sockets()) socket.conn.close();
        await waitFor(() => expect(hook.result.current.status).toBe('reconnecting'));
      };
      return { hook, onResync, drop };
    }
    const connected = (hook: Awaited<ReturnType<typeof mounted>>['hook']) =>
      waitFor(() => expect(hook.result.current.status).toBe('connected'), { timeout: 5_000 });

    it('is told of only when it is subscribed to again: what is fetched before may be late', async () => {
      const { hook, onResync, drop } = await mounted();
      expect(onResync).not.toHaveBeenCalled();
      let answer = (): void => undefined;
      answering = new Promise((resolve) => (answer = resolve));
      const lost = Date.now();
      await drop();
      await connected(hook);
      await pause(300);
      expect(onResync).not.toHaveBeenCalled();
      answer();
      await waitFor(() => expect(onResync).toHaveBeenCalledOnce());
      expect(hook.result.current.subscribed).toBe(true);
      const [{ since, until }] = onResync.mock.calls[0] as [{ since: Date; until: Date }];
      expect(since.getTime()).toBeLessThanOrEqual(lost);
      expect(until.getTime()).toBeGreaterThan(lost + 300);
    });

    it('is told of when it is refused: other events of the hook were missed', async () => {
      const { hook, onResync, drop } = await mounted();
      refuse = () => ({ code: 'FORBIDDEN', message: 'No' });
      await drop();
      await waitFor(() => expect(onResync).toHaveBeenCalledOnce(), { timeout: 5_000 });
      expect(hook.result.current.subscriptionError?.code).toBe('FORBIDDEN');
    });

    it('is not told of to another user', async () => {
      const { hook, onResync, drop } = await mounted();
      await drop();
      page.signIn(token('bob', 't1'));
      await subscribed(hook as unknown as ReturnType<typeof mount>);
      await pause(300);
      expect(onResync.mock.calls).toEqual([[{ since: new Date(0), until: expect.any(Date) }]]);
    });
  });

  it.each(['RATE_LIMITED', 'INTERNAL'])('is asked for again after %s', async (code) => {
    let count = 0;
    const busy = { code, message: 'Later', details: { retryAfterMs: 500 } };
    refuse = () => ((count += 1) === 1 ? busy : undefined);
    const hook = mount('d1');
    await waitFor(() => expect(hook.result.current.subscriptionError?.code).toBe(code));
    await subscribed(hook);
    expect(hook.result.current.subscriptionError).toBeNull();
    await pause(900);
    expect(commands).toEqual(['subscribe d1', 'subscribe d1']);
  });

  it('is not asked for again once nobody wants it', async () => {
    refuse = () => ({ code: 'INTERNAL', message: '', details: { retryAfterMs: 500 } });
    const hook = mount('d1');
    await waitFor(() => expect(hook.result.current.subscriptionError?.code).toBe('INTERNAL'));
    hook.unmount();
    await pause(1_000);
    expect(commands.filter((command) => command.startsWith('subscribe'))).toHaveLength(1);
  });
});
