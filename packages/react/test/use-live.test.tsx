import { act, cleanup, render, renderHook, screen, waitFor } from '@testing-library/react';
import { createRealtime, liveList, type LiveOptions, useLive } from '@nx-realtime/react';
import { StrictMode } from 'react';
import { hydrateRoot } from 'react-dom/client';
import { renderToString } from 'react-dom/server';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import * as z from 'zod';
import { create } from 'zustand';
import { listActions, type ListActions } from '../src/core/list.js';
import { pause } from './page.js';
import { type RealtimeServer, startServer, token } from './realtime-server.js';

interface Row {
  readonly id: string;
  readonly text: string;
  readonly read?: boolean | undefined;
}

const schemas = {
  'row.added': z.object({ id: z.string(), text: z.string() }),
  'row.read': z.object({ id: z.string(), read: z.boolean() }),
  'row.gone': z.object({ id: z.string(), docId: z.string().optional() }),
  'row.of': z.object({ id: z.string(), text: z.string(), docId: z.string() }),
};
const row = (id: string): Row => ({ id, text: `text ${id}` });

/** What is asked of the API, answered when the test says so. */
function api() {
  const asked: {
    readonly signal: AbortSignal;
    readonly answer: (rows: readonly Row[]) => Promise<void>;
    readonly fail: () => Promise<void>;
  }[] = [];
  const load = vi.fn(
    (signal: AbortSignal) =>
      new Promise<readonly Row[]>((resolve, reject) => {
        asked.push({
          signal,
          answer: (rows) => act(async () => resolve(rows)),
          fail: () => act(async () => reject(new Error('503'))),
        });
      }),
  );
  return { asked, load };
}

/** A page of an app: its connection, a store of its own, and a list in it. */
function createPage(server: RealtimeServer, namespace = '/notifications') {
  let held: string | null = null;
  const listeners = new Set<() => void>();
  const realtime = createRealtime({
    url: server.url,
    token: {
      get: () => held,
      subscribe: (listener) => {
        listeners.add(listener);
        return () => listeners.delete(listener);
      },
    },
  });
  const channel = realtime.channel(namespace, schemas);
  type State = ListActions<Row> & { byId: ReadonlyMap<string, Row>; rows: readonly Row[] };
  const store = create<State>()((set, get) => ({
    rows: [],
    byId: new Map(),
    ...listActions<Row>({
      get: () => get().byId,
      set: (byId, rows) => set({ byId, rows }),
      max: 3,
    }),
  }));
  realtime.onUserChange(store.getState().clear);
  const list = liveList({
    realtime,
    channel,
    store,
    on: { 'row.added': 'add', 'row.read': 'update', 'row.gone': 'remove', 'row.of': 'add' },
    domain: 'doc',
    resources: { 'row.of': 'docId' },
  });
  return {
    realtime,
    channel,
    store,
    list,
    signIn: (next: string | null) =>
      act(() => {
        held = next;
        for (const listener of [...listeners]) listener();
      }),
    use: (options: LiveOptions<typeof list>) =>
      renderHook((props) => useLive(list, props), { initialProps: options }),
  };
}

const ALICE = token('alice', 't1');
const BOB = token('bob', 't1');

describe('useLive', () => {
  let server: RealtimeServer;
  let page: ReturnType<typeof createPage>;

  beforeEach(async () => {
    server = await startServer();
    page = createPage(server);
  });

  afterEach(async () => {
    cleanup();
    vi.restoreAllMocks();
    vi.useRealTimers();
    page.realtime.dispose();
    await server.close();
  });

  const until = (status: string) =>
    waitFor(() => expect(page.list.getSnapshot().status).toBe(status), { timeout: 5_000 });
  const calls = (load: { mock: { calls: unknown[] } }, count: number) =>
    waitFor(() => expect(load.mock.calls).toHaveLength(count), { timeout: 10_000 });
  const drop = () => server.sockets().forEach((socket) => socket.conn.close());
  /** Until the page has seen what the server has sent. */
  const arrived = async (id: string) => {
    server.broadcast('row.added', { id, text: `text ${id}` });
    await waitFor(() => expect(page.store.getState().byId.has(id)).toBe(true));
  };

  it('connects first, then loads, and carries out on it what came meanwhile', async () => {
    const { asked, load } = api();
    const { result } = page.use({ load });
    expect(result.current).toMatchObject({ items: [], status: 'idle', error: null });
    expect(load).not.toHaveBeenCalled();
    page.signIn(ALICE);
    expect(result.current.status).toBe('loading');
    await calls(load, 1);
    expect(page.channel.getState().status).toBe('connected');
    server.broadcast('row.read', { id: '1', read: true });
    server.broadcast('row.gone', { id: '2' });
    await arrived('3');
    await asked[0]!.answer([row('2'), row('1')]);
    const expected = [row('3'), { ...row('1'), read: true }];
    expect(result.current).toMatchObject({ items: expected, status: 'live', error: null });
    expect(page.store.getState().rows).toEqual(expected);
    await arrived('4');
    expect(result.current.items).toEqual([row('4'), ...expected]);
    await pause(300);
    expect(load).toHaveBeenCalledOnce();
  });

  it('is loaded once for two components, in StrictMode, and for a third that comes later', async () => {
    const { asked, load } = api();
    const Show = () => <i>{useLive(page.list, { load }).items.map(({ id }) => id)}</i>;
    const both = (
      <StrictMode>
        <Show />
        <Show />
      </StrictMode>
    );
    page.signIn(ALICE);
    const { container, rerender } = render(both);
    await calls(load, 1);
    await asked[0]!.answer([row('2'), row('1')]);
    expect(container.innerHTML).toBe('<i>21</i><i>21</i>');
    rerender(
      <StrictMode>
        <Show />
        <Show />
        <Show />
      </StrictMode>,
    );
    await pause(1_200);
    expect(container.innerHTML).toBe('<i>21</i><i>21</i><i>21</i>');
    expect(load).toHaveBeenCalledOnce();
    expect(asked[0]!.signal.aborted).toBe(true);
  });

  it('starts over after a gap, and keeps what it shows meanwhile', async () => {
    const { asked, load } = api();
    page.signIn(ALICE);
    const { result } = page.use({ load });
    await calls(load, 1);
    await asked[0]!.answer([row('1')]);
    drop();
    await until('offline');
    await calls(load, 2);
    expect(result.current).toMatchObject({ items: [row('1')], status: 'reloading' });
    act(() => result.current.reload());
    expect(asked[1]!.signal.aborted).toBe(true);
    await asked[1]!.answer([row('old')]);
    await asked[2]!.answer([row('2')]);
    expect(result.current).toMatchObject({ items: [row('2')], status: 'live' });
  });

  it('tries again what fails, with what came since', async () => {
    const { asked, load } = api();
    page.signIn(ALICE);
    const { result } = page.use({ load });
    await calls(load, 1);
    await arrived('2');
    await asked[0]!.fail();
    expect(result.current).toMatchObject({ status: 'loading', error: new Error('503') });
    await calls(load, 2);
    // Read from a replica that is late.
    await asked[1]!.answer([row('1')]);
    expect(result.current).toMatchObject({ items: [row('2'), row('1')], error: null });
  });

  it('shows nothing of the user before, however late it comes', async () => {
    const { asked, load } = api();
    page.signIn(ALICE);
    const { result } = page.use({ load, initial: [row('seed')] });
    expect(result.current.items).toEqual([row('seed')]);
    await calls(load, 1);
    await asked[0]!.answer([row('alices')]);
    act(() => result.current.reload());
    server.broadcast('row.added', row('alices, too'));
    await waitFor(() => expect(result.current.items).toHaveLength(2));
    page.signIn(BOB);
    expect(asked[1]!.signal.aborted).toBe(true);
    expect(result.current).toMatchObject({ items: [], status: 'loading' });
    await asked[1]!.answer([row('alices')]);
    await calls(load, 3);
    expect(result.current.items).toEqual([]);
    await asked[2]!.answer([row('bobs')]);
    expect(result.current.items).toEqual([row('bobs')]);
    page.signIn(null);
    expect(result.current).toMatchObject({ items: [], status: 'idle' });
  });

  it('loads without a connection after five seconds, and once more with one', async () => {
    vi.spyOn(Math, 'random').mockReturnValue(0);
    const { asked, load } = api();
    const { port } = server;
    await server.close();
    page.signIn(ALICE);
    const began = Date.now();
    const { result } = page.use({ load });
    await calls(load, 1);
    expect(Date.now() - began).toBeGreaterThan(4_900);
    await asked[0]!.answer([row('1')]);
    expect(result.current).toMatchObject({ items: [row('1')], status: 'offline' });
    server = await startServer(port);
    act(() => void window.dispatchEvent(new Event('online')));
    await calls(load, 2);
    await asked[1]!.answer([row('2')]);
    expect(result.current).toMatchObject({ items: [row('2')], status: 'live' });
  });

  it('ends with its last component: gives the fetch up, leaves no connection', async () => {
    const { asked, load } = api();
    page.signIn(ALICE);
    const { unmount } = page.use({ load });
    await calls(load, 1);
    unmount();
    await waitFor(() => expect(asked[0]!.signal.aborted).toBe(true), { timeout: 2_000 });
    await waitFor(() => expect(server.io.engine.clientsCount).toBe(0), { timeout: 3_000 });
    await asked[0]!.answer([row('1')]);
    expect(page.store.getState().rows).toEqual([]);
    page.use({ load });
    await calls(load, 2);
    await asked[1]!.answer([row('2')]);
    expect(page.store.getState().rows).toEqual([row('2')]);
  });

  it('is fed without a load, and loaded when somebody can', async () => {
    const { asked, load } = api();
    page.signIn(ALICE);
    const feed = page.use({});
    await waitFor(() => expect(page.channel.getState().status).toBe('connected'));
    await arrived('2');
    expect(feed.result.current).toMatchObject({ items: [row('2')], status: 'loading' });
    const loader = page.use({ load });
    await calls(load, 1);
    await asked[0]!.answer([row('1')]);
    expect(feed.result.current).toMatchObject({ items: [row('1')], status: 'live' });
    loader.unmount();
    await pause(1_200);
    await arrived('3');
    const again = page.use({ load });
    expect(again.result.current).toMatchObject({ items: [row('3'), row('1')], status: 'live' });
    await pause();
    expect(load).toHaveBeenCalledOnce();
  });

  it('keeps a longer page than its store holds, for events of the store too', async () => {
    const { asked, load } = api();
    page.signIn(ALICE);
    const { result } = page.use({ load });
    await calls(load, 1);
    await asked[0]!.answer(['5', '4', '3', '2', '1'].map(row));
    await arrived('6');
    act(() => page.store.getState().add(row('7')));
    expect(result.current.items.map(({ id }) => id).join('')).toBe('76543');
  });

  it('does what the component says instead of its own', async () => {
    const { asked, load } = api();
    page.signIn(ALICE);
    const { result } = page.use({
      load,
      on: {
        'row.added': null,
        'row.gone': ({ id }) => ({ update: { id, text: 'gone' } }),
      },
    });
    await calls(load, 1);
    await asked[0]!.answer([row('1')]);
    server.broadcast('row.added', row('2'));
    server.broadcast('row.gone', { id: '1' });
    await waitFor(() => expect(result.current.items).toEqual([{ id: '1', text: 'gone' }]));
  });

  it('knows by the contract which payload can be an item', () => {
    const { realtime, channel } = page;
    liveList<typeof schemas, Row>({
      realtime,
      channel,
      on: {
        'row.read': ({ id, read }) => (read ? { remove: id } : null),
        // @ts-expect-error Its payload lacks the text that an item has.
        'row.gone': 'add',
      },
    });
    liveList<typeof schemas, Row>({
      realtime,
      channel,
      // @ts-expect-error There is no such event.
      on: { 'row.other': 'remove' },
    });
    // @ts-expect-error The list has no such items.
    const wrong = () => useLive(page.list, { load: async () => [{ id: 1 }] });
    expect(wrong).toBeTypeOf('function');
  });

  it('goes on in a hidden tab', async () => {
    vi.spyOn(document, 'hidden', 'get').mockReturnValue(true);
    vi.stubGlobal('requestAnimationFrame', () => 0);
    const { asked, load } = api();
    page.signIn(ALICE);
    const { result } = page.use({ load });
    await calls(load, 1);
    await asked[0]!.answer([row('1')]);
    await arrived('2');
    expect(result.current.items).toEqual([row('2'), row('1')]);
    drop();
    await calls(load, 2);
    vi.unstubAllGlobals();
  });

  describe('with items of the server', () => {
    function Show({ load }: { load: () => Promise<readonly Row[]> }) {
      const { items, status } = useLive(page.list, { load, initial: [row('1')] });
      return <i>{`${items.map(({ text }) => text).join()} ${status}`}</i>;
    }

    it('shows them on the server and while it hydrates, until it is loaded', async () => {
      const { asked, load } = api();
      const html = renderToString(<Show load={load as never} />);
      expect(html).toBe('<i>text 1 loading</i>');
      expect(load).not.toHaveBeenCalled();
      const root = document.createElement('div');
      root.innerHTML = html;
      document.body.append(root);
      const errors = vi.spyOn(console, 'error');
      const seen = new Set<string>();
      const watcher = new MutationObserver(() => seen.add(root.innerHTML));
      watcher.observe(root, { subtree: true, childList: true, characterData: true });
      const hydrated = await act(async () => hydrateRoot(root, <Show load={load as never} />));
      await screen.findByText('text 1 idle');
      // The token comes after the page.
      page.signIn(ALICE);
      await screen.findByText('text 1 loading');
      await calls(load, 1);
      await asked[0]!.answer([row('2')]);
      await screen.findByText('text 2 live');
      expect([...seen].filter((shown) => !/text \d/.test(shown))).toEqual([]);
      expect(errors).not.toHaveBeenCalled();
      act(() => hydrated.unmount());
      watcher.disconnect();
    });
  });

  describe('of a resource', () => {
    let refuse: (id: string) => boolean;

    beforeEach(() => {
      refuse = () => false;
      server.io.of('/notifications').on('connection', (socket) =>
        socket.onAny((event: string, { id }: { id: string }, ack: (ack: object) => void) => {
          if (event === 'doc.unsubscribe' || !refuse(id)) ack({ ok: true, data: null });
          else ack({ ok: false, error: { code: 'FORBIDDEN', message: 'No' } });
        }),
      );
    });

    it('waits for the subscription, takes its own events, and follows the id', async () => {
      const { asked, load } = api();
      page.signIn(ALICE);
      const { result, rerender } = page.use({ load, resource: null });
      await pause();
      expect(load).not.toHaveBeenCalled();
      expect(result.current).toMatchObject({ items: [], status: 'loading' });
      rerender({ load, resource: 'd1' });
      await calls(load, 1);
      server.broadcast('row.of', { ...row('of d2'), docId: 'd2' });
      server.broadcast('row.of', { ...row('of d1'), docId: 'd1' });
      await waitFor(() => expect(result.current.items).toHaveLength(1));
      await asked[0]!.answer([row('1')]);
      const ofFirst = [expect.objectContaining(row('of d1')), row('1')];
      expect(result.current).toMatchObject({ items: ofFirst, status: 'live' });
      const other = page.use({ load, resource: 'd2' });
      await calls(load, 2);
      await asked[1]!.answer([row('2')]);
      expect(result.current.items).toEqual(ofFirst);
      rerender({ load, resource: 'd2' });
      expect(result.current).toMatchObject({ items: [row('2')], status: 'live' });
      expect(other.result.current.items).toBe(result.current.items);
      await pause(1_200);
      rerender({ load, resource: 'd1' });
      expect(result.current).toMatchObject({ items: [], status: 'loading' });
      await calls(load, 3);
    });

    it('starts over once it is subscribed to again, and for another user', async () => {
      const { asked, load } = api();
      page.signIn(ALICE);
      const { result } = page.use({ load, resource: 'd1' });
      await calls(load, 1);
      await asked[0]!.answer([row('1')]);
      drop();
      await calls(load, 2);
      expect(result.current).toMatchObject({ items: [row('1')], status: 'reloading' });
      page.signIn(BOB);
      expect(asked[1]!.signal.aborted).toBe(true);
      expect(result.current.items).toEqual([]);
      await calls(load, 3);
      await asked[2]!.answer([row('bobs')]);
      expect(result.current).toMatchObject({ items: [row('bobs')], status: 'live' });
    });

    it('leaves it to the API what one may see who is refused', async () => {
      refuse = () => true;
      const { asked, load } = api();
      page.signIn(ALICE);
      const { result } = page.use({ load, resource: 'd1' });
      await calls(load, 1);
      await asked[0]!.answer([row('1')]);
      expect(result.current).toMatchObject({ items: [row('1')], status: 'offline' });
    });
  });
});
