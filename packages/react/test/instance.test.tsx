import { act, cleanup, renderHook, waitFor } from '@testing-library/react';
import { createRealtime, type RealtimeOptions, useChannel } from '@nx-realtime/react';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import * as z from 'zod';
import * as mini from 'zod/mini';
import * as three from 'zod/v3';
import { pause } from './page.js';
import { onRefresh, type RealtimeServer, startServer, token } from './realtime-server.js';

const META = { id: 'e1', at: '2026-01-01T00:00:00Z' };

/** A token store without any library. */
function tokenStore() {
  let held: string | null = null;
  const listeners = new Set<() => void>();
  return {
    get: () => held,
    subscribe: (listener: () => void) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    set: (next: string | null) =>
      act(() => {
        held = next;
        for (const listener of [...listeners]) listener();
      }),
    listeners,
  };
}

/** A page, as an app makes one, with a store of its own. */
function createPage(server: RealtimeServer, options: Partial<RealtimeOptions> = {}) {
  const store = tokenStore();
  const faults: unknown[] = [];
  const realtime = createRealtime({
    url: server.url,
    token: store,
    onFault: (fault) => faults.push(fault),
    ...options,
  });
  const schemas = { 'notification.created': z.object({ id: z.string() }) };
  const channel = realtime.channel('/notifications', schemas);
  const received: string[] = [];
  const mount = () =>
    renderHook(() =>
      useChannel(channel, { 'notification.created': ({ id }) => received.push(id) }, {}),
    );
  const until = (status: string) =>
    waitFor(() => expect(channel.getState().status).toBe(status), {
      timeout: 5_000,
    });
  return { store, faults, realtime, channel, received, mount, until };
}

describe('what createRealtime returns', () => {
  let server: RealtimeServer;
  let pages: ReturnType<typeof createPage>[];

  const open = (...args: Parameters<typeof createPage>) => {
    const page = createPage(...args);
    pages.push(page);
    return page;
  };

  beforeEach(async () => {
    pages = [];
    server = await startServer();
  });

  afterEach(async () => {
    cleanup();
    vi.restoreAllMocks();
    for (const { realtime } of pages) realtime.dispose();
    await server.close();
  });

  it('holds all state: two of them on a page share nothing', async () => {
    const other = await startServer();
    const [first, second] = [open(server), open(other)];
    first.realtime.onUserChange(() => {
      throw new Error('first');
    });
    const refresh = vi.fn(async () => undefined);
    second.realtime.configure({ refresh });
    first.mount();
    second.mount();
    first.store.set(token('alice', 't1'));
    second.store.set(token('bob', 't2'));
    await first.until('connected');
    await second.until('connected');
    server.broadcast('notification.created', { id: 'of the first' }, META);
    other.broadcast('notification.created', { id: 'of the second' }, META);
    await waitFor(() => expect(second.received).toEqual(['of the second']));
    await waitFor(() => expect(first.received).toEqual(['of the first']));
    server.broadcast('realtime.expired', undefined);
    first.store.set(null);
    await pause();
    expect(first.channel.getState().status).toBe('idle');
    expect(second.channel.getState().status).toBe('connected');
    expect(first.faults).toHaveLength(2);
    expect(second.faults).toEqual([]);
    expect(refresh).not.toHaveBeenCalled();
    await other.close();
  });

  describe('knows the user again by the claims that the server reads', () => {
    const orgToken = (sub: unknown, org: unknown, jti: string) =>
      token('', '', {
        sub,
        tenantId: undefined,
        org_id: org,
        at: { org, sub },
        jti,
      });
    const named = { tenant: 'org_id' };
    const nested = ({ at }: Readonly<Record<string, unknown>>) =>
      Object.values({ ...(at as object) });

    it.each([
      ['by name', named, 'alice'],
      ['by a function', nested, 'alice'],
      ['where ids are numbers', named, 7],
    ])('%s', async (_how, claims, sub) => {
      const sent = onRefresh(server);
      const { realtime, store, mount, until } = open(server, { claims });
      const forget = vi.fn();
      realtime.onUserChange(forget);
      mount();
      store.set(orgToken(sub, 'o1', '1'));
      await until('connected');
      forget.mockClear();
      const renewed = orgToken(sub, 'o1', '2');
      store.set(renewed);
      await waitFor(() => expect(sent).toEqual([renewed]));
      expect(forget).not.toHaveBeenCalled();
      expect(server.handshakes).toHaveLength(1);

      store.set(orgToken(sub, 'o2', '3'));
      expect(forget).toHaveBeenCalledOnce();
      await waitFor(() => expect(server.handshakes).toHaveLength(2));
    });
  });

  it('ends for good when it is disposed, and leaves nothing on the page', async () => {
    const targets = [window, document];
    const spies = (name: 'addEventListener' | 'removeEventListener') =>
      targets.map((target) => vi.spyOn(target, name));
    const [added, removed] = [spies('addEventListener'), spies('removeEventListener')];
    const ofPage = (spied: typeof added) =>
      spied
        .flatMap(({ mock }) => mock.calls as unknown as [string, unknown][])
        .filter(([name]) => /^(online|visibility|page)/.test(name));
    const { realtime, store, mount, until, channel } = open(server);
    const forget = vi.fn();
    realtime.onUserChange(forget);
    const mounted = mount();
    store.set(token('alice', 't1'));
    await until('connected');
    forget.mockClear();
    act(() => realtime.dispose());
    expect(channel.getState()).toEqual({ status: 'idle', error: null });
    expect(forget).toHaveBeenCalledOnce();
    expect(store.listeners.size).toBe(0);
    expect(ofPage(added)).toHaveLength(4);
    expect(ofPage(removed)).toEqual(expect.arrayContaining(ofPage(added)));
    await waitFor(() => expect(server.io.engine.clientsCount).toBe(0));

    store.set(token('alice', 't1', { jti: '2' }));
    mounted.unmount();
    mount();
    act(() => void window.dispatchEvent(new Event('online')));
    await pause(300);
    expect(channel.getState().status).toBe('idle');
    expect(server.connections).toBe(1);
  });

  it('connects at the path that it is given', async () => {
    const path = '/realtime/';
    const elsewhere = await startServer(0, '/notifications', path);
    const { store, mount, until } = open(elsewhere, { path });
    mount();
    store.set(token('alice', 't1'));
    await until('connected');
    expect(elsewhere.connections).toBe(1);
    await elsewhere.close();
  });

  it.each(['/api/socket.io', '/realtime/'])('connects at the path %s of its URL', async (path) => {
    const elsewhere = await startServer(0, '/notifications', path);
    const url = `${elsewhere.url}${path}`;
    const { store, mount, until } = open(elsewhere, { url, apiUrl: 'http://127.0.0.1:1/api' });
    mount();
    store.set(token('alice', 't1'));
    await until('connected');
    await elsewhere.close();
  });

  it('has one channel for a namespace, with the events of all that ask for it', () => {
    const { realtime, channel } = open(server);
    const typed = { 'notification.read': z.object({ id: z.string() }) };
    const other = realtime.channel('/notifications', typed);
    expect(other).toBe(channel);
    const received: string[] = [];
    renderHook(() => {
      useChannel(channel, { 'notification.created': ({ id }) => received.push(id) }, {});
      useChannel(other, { 'notification.read': ({ id }) => received.push(id) }, {});
    });
    channel.receive('notification.created', { id: 'created' }, { ...META, id: '1' });
    channel.receive('notification.read', { id: 'read' }, { ...META, id: '2' });
    expect(received).toEqual(['created', 'read']);
  });

  it('takes the origin alone of the URL of an API', async () => {
    const apiUrl = `${server.url}/api`;
    const { store, mount, until } = open(server, { url: undefined, apiUrl });
    mount();
    store.set(token('alice', 't1'));
    await until('connected');
  });

  it('names the variable where it cannot connect, and the API has a path', async () => {
    const nowhere = 'http://127.0.0.1:1';
    const messages: Record<string, string | undefined> = {};
    const urlVariable = 'NEXT_PUBLIC_REALTIME_URL';
    for (const path of ['/api', '']) {
      const apiUrl = `${nowhere}${path}`;
      const { store, mount, until, channel } = open(server, { url: '', apiUrl, urlVariable });
      mount();
      store.set(token('alice', 't1'));
      await until('reconnecting');
      messages[path] = channel.getState().error?.message;
    }
    expect(messages['/api']).toContain(`tried ${nowhere} without /api.`);
    expect(messages['/api']).toContain(`Set ${urlVariable} if Socket.IO is elsewhere.`);
    expect(messages['']).not.toContain(urlVariable);
  });

  it.each(['http://', 'http://a b', 'https://%', '/api', 'ws://host'])(
    'is refused with %s, which is no URL of a server',
    async (url) => {
      const { store, mount, until, channel } = open(server, {
        url,
        urlVariable: 'VITE_REALTIME_URL',
      });
      mount();
      store.set(token('alice', 't1'));
      await until('refused');
      expect(channel.getState().error?.message).toContain('VITE_REALTIME_URL is not an absolute');
    },
  );

  it('makes uncaught errors of faults that nobody handles, also of a handler that fails', () => {
    vi.useFakeTimers();
    try {
      const { realtime, store, faults } = open(server);
      realtime.onUserChange(() => {
        throw new Error('a reset');
      });
      realtime.configure({ onFault: undefined });
      store.set(token('alice', 't1'));
      expect(faults).toEqual([]);
      expect(() => vi.runAllTimers()).toThrow('a reset');
      realtime.configure({
        onFault: () => {
          throw new Error('the handler');
        },
      });
      store.set(null);
      expect(() => vi.runAllTimers()).toThrow('the handler');
      expect(() => vi.runAllTimers()).toThrow('a reset');
    } finally {
      pages[0]?.realtime.configure({ onFault: () => undefined });
      vi.useRealTimers();
    }
  });
});

it('knows its errors from those of another copy of the package', async () => {
  const kernel = await import('@nx-realtime/react');
  vi.resetModules();
  const copy = await import('@nx-realtime/react');
  expect(copy.RealtimeCommandError).not.toBe(kernel.RealtimeCommandError);
  const errors = [
    new copy.RealtimeCommandError('FORBIDDEN', 'No'),
    new copy.RealtimeContractError('x.y', []),
  ];
  const { RealtimeCommandError, RealtimeContractError } = kernel;
  expect(errors.map((error) => error instanceof RealtimeCommandError)).toEqual([true, false]);
  expect(errors.map((error) => error instanceof RealtimeContractError)).toEqual([false, true]);
  for (const other of [new Error('x'), null, undefined, 'NOT_CONNECTED', { code: 'FORBIDDEN' }]) {
    expect(other instanceof (RealtimeCommandError as never)).toBe(false);
  }
});

describe('a channel takes any Standard Schema', () => {
  const own = {
    '~standard': {
      validate: (value: unknown) => {
        const { id } = { ...(value as { id?: unknown }) };
        return typeof id === 'string' ? { value: { id } } : { issues: [{ message: 'No id' }] };
      },
      types: undefined as { readonly output: { readonly id: string } } | undefined,
    },
  };
  const page = () => {
    const faults: Error[] = [];
    const token = { get: () => null, subscribe: () => () => undefined };
    const onFault = (fault: unknown) => faults.push(fault as Error);
    return {
      faults,
      realtime: createRealtime({ url: undefined, token, onFault }),
    };
  };

  it.each([
    ['of zod', z.object({ id: z.string() })],
    ['of zod/mini', mini.object({ id: mini.string() })],
    ['of zod 3', three.object({ id: three.string() })],
    ['of its own', own],
  ])('%s, and hands on what that returns', (_library, schema) => {
    const channel = page().realtime.channel('/notifications', {
      'notification.created': schema,
    });
    const received: string[] = [];
    const errors: unknown[] = [];
    renderHook(() =>
      useChannel(
        channel,
        { 'notification.created': ({ id }) => received.push(id) },
        { onError: ({ issues }) => errors.push(issues[0]?.message) },
      ),
    );
    channel.receive('notification.created', { id: '1', more: true }, { ...META, id: '1' });
    channel.receive('notification.created', { id: 1 }, { ...META, id: '2' });
    expect(received).toEqual(['1']);
    expect(errors).toEqual([expect.any(String)]);
    cleanup();
  });

  it('that is not asynchronous: events would be handled out of order', () => {
    const slow = z.object({ id: z.string() }).refine(async () => true);
    const { realtime, faults } = page();
    const channel = realtime.channel('/notifications', {
      'notification.created': slow,
    });
    const receive = vi.fn();
    channel.acquire({
      receive,
      resync: () => undefined,
      fail: () => undefined,
    });
    channel.receive('notification.created', { id: '1' }, META);
    expect(receive).not.toHaveBeenCalled();
    expect(faults[0]).toMatchObject({
      code: 'CONTRACT',
      issues: [{ message: 'The schema is asynchronous' }],
    });
  });
});
