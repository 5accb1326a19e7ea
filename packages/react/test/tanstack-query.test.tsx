import { act, cleanup, render, screen, waitFor } from '@testing-library/react';
import {
  QueryClient,
  QueryClientProvider,
  useInfiniteQuery,
  useQuery,
} from '@tanstack/react-query';
import { createRealtime, useChannel } from '@nx-realtime/react';
import { useEffect } from 'react';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import * as z from 'zod';
import { liveQuery } from '../src/tanstack-query.js';
import { type RealtimeServer, startServer, token } from './realtime-server.js';

const schemas = {
  'row.added': z.object({ id: z.string(), text: z.string() }),
  'row.read': z.object({ id: z.string(), text: z.string().optional() }),
  'row.gone': z.object({ id: z.string() }),
};
const KEY = ['rows'];
const ON = { 'row.added': 'add', 'row.read': 'update', 'row.gone': 'remove' } as const;
const row = (id: string, text = `text ${id}`) => ({ id, text });
type Row = ReturnType<typeof row>;

describe('liveQuery, with TanStack Query', () => {
  let server: RealtimeServer;
  let queryClient: QueryClient;
  let page: ReturnType<typeof createPage>;
  /** What the API is asked, answered when the test says so. */
  let asked: { signal: AbortSignal; answer: (rows: unknown) => Promise<void> }[];

  function createPage() {
    let listener = (): void => undefined;
    let held: string | null = null;
    const realtime = createRealtime({
      url: server.url,
      token: { get: () => held, subscribe: (next) => ((listener = next), () => undefined) },
    });
    const signIn = (next: string | null) =>
      act(() => {
        held = next;
        listener();
      });
    return { realtime, channel: realtime.channel('/notifications', schemas), signIn };
  }

  const load = ({ signal }: { signal: AbortSignal }) =>
    new Promise<never>((resolve) => {
      asked.push({
        signal,
        answer: (rows) => act(async () => resolve(rows as never)),
      });
    });
  const connected = () =>
    waitFor(() => expect(page.channel.getState().status).toBe('connected'), { timeout: 5_000 });
  const requests = (count: number) =>
    waitFor(() => expect(asked).toHaveLength(count), { timeout: 5_000 });
  /** Resolves when the page has seen all that the server has sent. */
  async function arrived(): Promise<void> {
    const id = `${Math.random()}`;
    const seen = vi.fn();
    const release = page.channel.acquire({
      receive: (_event, payload) => payload.id === id && seen(),
      resync: () => undefined,
      fail: () => undefined,
    });
    server.broadcast('row.gone', { id });
    await waitFor(() => expect(seen).toHaveBeenCalled());
    release();
  }
  const data = (): Row[] | undefined => queryClient.getQueryData(KEY);

  function Rows({ live = true }) {
    useEffect(() => (live ? liveQuery(queryClient, KEY, page.channel, ON) : undefined), [live]);
    const { data } = useQuery<Row[]>({ queryKey: KEY, queryFn: load });
    return <i>{data?.map(({ text }) => text).join() ?? 'loading'}</i>;
  }
  const mount = (rows = <Rows />) =>
    render(<QueryClientProvider client={queryClient}>{rows}</QueryClientProvider>);

  beforeEach(async () => {
    asked = [];
    server = await startServer();
    page = createPage();
    queryClient = new QueryClient({
      defaultOptions: { queries: { retry: false, gcTime: 60_000 } },
    });
  });

  afterEach(async () => {
    cleanup();
    queryClient.clear();
    page.realtime.dispose();
    await server.close();
  });

  it('fetches anew at the first connection, whatever was fetched before', async () => {
    mount();
    await requests(1);
    page.signIn(token('alice', 't1'));
    await requests(2);
    await connected();
    expect(asked[0]!.signal.aborted).toBe(true);
    await asked[0]!.answer([row('before')]);
    await asked[1]!.answer([row('1')]);
    await screen.findByText('text 1');
  });

  it('carries out events on what is there, and again on what a fetch brings', async () => {
    page.signIn(token('alice', 't1'));
    mount();
    await connected();
    await requests(2);
    server.broadcast('row.added', row('3'));
    server.broadcast('row.gone', { id: '1' });
    server.broadcast('row.read', { id: '2', text: 'read' });
    await arrived();
    expect(data()).toBeUndefined();
    await asked[1]!.answer([row('2'), row('1')]);
    expect(data()).toEqual([row('3'), row('2', 'read')]);
    await screen.findByText('text 3,read');

    act(() => void queryClient.refetchQueries({ queryKey: KEY }));
    await requests(3);
    server.broadcast('row.added', row('4'));
    await arrived();
    expect(data()).toEqual([row('4'), row('3'), row('2', 'read')]);
    await asked[2]!.answer([row('3')]);
    expect(data()).toEqual([row('4'), row('3')]);
    server.broadcast('row.gone', { id: '3' });
    await arrived();
    expect(data()).toEqual([row('4')]);
    expect(asked).toHaveLength(3);
  });

  it('cancels the first fetch before it invalidates, after a gap', async () => {
    page.signIn(token('alice', 't1'));
    mount();
    await connected();
    await requests(2);
    server.sockets().forEach((socket) => socket.conn.close());
    await requests(3);
    expect(asked[1]!.signal.aborted).toBe(true);
    await asked[1]!.answer([row('lacks what was missed')]);
    await asked[2]!.answer([row('whole')]);
    expect(data()).toEqual([row('whole')]);
  });

  it('keeps what came during a fetch that is cancelled, which puts older data back', async () => {
    page.signIn(token('alice', 't1'));
    mount();
    await connected();
    await requests(2);
    await asked[1]!.answer([row('1')]);
    act(() => void queryClient.refetchQueries({ queryKey: KEY }));
    await requests(3);
    server.broadcast('row.added', row('2'));
    await arrived();
    // As optimistic updates do.
    await act(() => queryClient.cancelQueries({ queryKey: KEY }));
    expect(data()).toEqual([row('2'), row('1')]);
  });

  it('makes nothing fresh that is to be fetched again', async () => {
    page.signIn(token('alice', 't1'));
    const { unmount } = mount();
    await connected();
    await requests(2);
    await asked[1]!.answer([row('1')]);
    unmount();
    const stop = liveQuery(queryClient, KEY, page.channel, ON);
    await waitFor(() => expect(queryClient.getQueryState(KEY)?.isInvalidated).toBe(true));
    const before = queryClient.getQueryState(KEY)!.dataUpdatedAt;
    server.broadcast('row.added', row('2'));
    await arrived();
    expect(data()).toEqual([row('2'), row('1')]);
    expect(queryClient.getQueryState(KEY)).toMatchObject({
      isInvalidated: true,
      dataUpdatedAt: before,
    });
    stop();
    server.broadcast('row.added', row('3'));
    await waitFor(() => expect(page.channel.getState().status).toBe('idle'), { timeout: 3_000 });
    expect(data()).toHaveLength(2);
  });

  it('changes the page that holds the item, of an infinite query', async () => {
    function Pages() {
      useEffect(() => liveQuery(queryClient, KEY, page.channel, ON), []);
      const { data, fetchNextPage } = useInfiniteQuery<Row[]>({
        queryKey: KEY,
        queryFn: load,
        initialPageParam: 0,
        getNextPageParam: (_last, pages) => pages.length,
      });
      return <button onClick={() => void fetchNextPage()}>{JSON.stringify(data?.pages)}</button>;
    }
    page.signIn(token('alice', 't1'));
    mount(<Pages />);
    await connected();
    await requests(2);
    await asked[1]!.answer([row('4'), row('3')]);
    act(() => screen.getByRole('button').click());
    await requests(3);
    server.broadcast('row.added', row('5'));
    server.broadcast('row.gone', { id: '3' });
    await arrived();
    await asked[2]!.answer([row('2'), row('1')]);
    server.broadcast('row.read', { id: '2', text: 'read' });
    server.broadcast('row.gone', { id: '1' });
    await arrived();
    expect(queryClient.getQueryData(KEY)).toEqual({
      pages: [[row('5'), row('4')], [row('2', 'read')]],
      pageParams: [0, 1],
    });
  });

  it('lets a function change data of any form', async () => {
    function Unread() {
      useEffect(
        () =>
          liveQuery(queryClient, KEY, page.channel, {
            'row.added': (data: { unread: number }) => ({ unread: data.unread + 1 }),
          }),
        [],
      );
      const { data } = useQuery<{ unread: number }>({ queryKey: KEY, queryFn: load });
      return <i>{`unread: ${data?.unread}`}</i>;
    }
    page.signIn(token('alice', 't1'));
    mount(<Unread />);
    await connected();
    await requests(2);
    await asked[1]!.answer({ unread: 1 });
    server.broadcast('row.added', row('1'));
    await screen.findByText('unread: 2');
  });

  it('polls while there is no connection, as the README says', async () => {
    function Polled() {
      const { status } = useChannel(page.channel, {}, {});
      useQuery({
        queryKey: KEY,
        queryFn: load,
        refetchInterval: status === 'connected' ? false : 30,
      });
      return null;
    }
    mount(<Polled />);
    for (const count of [1, 2, 3]) {
      await requests(count);
      await asked.at(-1)!.answer([]);
    }
    page.signIn(token('alice', 't1'));
    await connected();
    await act(() => new Promise((resolve) => setTimeout(resolve, 100)));
    await Promise.all(asked.map(({ answer }) => answer([])));
    const { length } = asked;
    await act(() => new Promise((resolve) => setTimeout(resolve, 200)));
    expect(asked).toHaveLength(length);
  });
});
