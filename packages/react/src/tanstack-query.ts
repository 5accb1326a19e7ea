import type { RealtimeChannel, RealtimeMeta } from './core/channel';
import { changeList, type ListChange, type ListRules } from './core/list';
import type { EventSchemas, PayloadOf } from './core/schemas';

/**
 * What an event does to the data of a query: the usual three to a list, newest
 * first, or to the pages of an infinite one; a function to any other data.
 *
 * @example
 * const count: QueryReducer<{ unread: number }, unknown> = ({ unread }) => ({
 *   unread: unread + 1,
 * });
 */
export type QueryReducer<D, P> =
  | 'add'
  | 'update'
  | 'remove'
  | ((data: D, payload: P, meta: RealtimeMeta) => D);

/**
 * What events do to the data, by their names; the others do nothing.
 *
 * @example
 * const reducers: QueryReducers<typeof schemas> = { 'ticket.opened': 'add' };
 */
export type QueryReducers<S extends EventSchemas, D = never> = {
  readonly [E in keyof S]?: QueryReducer<D, PayloadOf<S[E]>> | undefined;
};

interface Filters {
  readonly queryKey: readonly unknown[];
  readonly exact: true;
}

interface Query {
  readonly state: {
    readonly data: unknown;
    readonly dataUpdatedAt: number;
    readonly fetchStatus: string;
    readonly isInvalidated: boolean;
  };
  invalidate(): void;
}

interface CacheEvent {
  readonly type: string;
  readonly query: object;
  readonly action?: { readonly type: string; readonly manual?: boolean };
}

/**
 * What is used of a QueryClient of TanStack Query 5.
 *
 * @example
 * const queryClient: LiveQueryClient = new QueryClient();
 */
export interface LiveQueryClient {
  getQueryCache(): {
    find(filters: Filters): Query | undefined;
    subscribe(listener: (event: CacheEvent) => void): () => void;
  };
  setQueryData(
    key: readonly unknown[],
    data: unknown,
    options: { readonly updatedAt: number },
  ): unknown;
  cancelQueries(filters: Filters): Promise<unknown>;
  invalidateQueries(filters: Filters): Promise<unknown>;
}

/**
 * Keeps the data of one query right: events change it, those that come during a
 * fetch are carried out again on what it brings, and after a gap it is fetched
 * anew. It connects the channel until the returned function is called.
 *
 * @example
 * useEffect(
 *   () =>
 *     liveQuery(queryClient, ['tickets'], ticketsChannel, {
 *       'ticket.opened': 'add',
 *       'ticket.closed': 'remove',
 *     }),
 *   [queryClient],
 * );
 */
export function liveQuery<S extends EventSchemas, D = never>(
  queryClient: LiveQueryClient,
  queryKey: readonly unknown[],
  channel: RealtimeChannel<S>,
  reducers: QueryReducers<S, D>,
  rules: ListRules<{ readonly id: string }> = {},
): () => void {
  type Change = (data: unknown) => unknown;
  const filters = { queryKey, exact: true } as const;
  const cache = queryClient.getQueryCache();
  const isFetching = (): boolean =>
    (cache.find(filters)?.state.fetchStatus ?? 'idle') !== 'idle';
  /** Since the fetch in flight began. */
  let changes: Change[] = [];
  let isOwn = false;

  const apply = (all: readonly Change[]): void => {
    const query = cache.find(filters);
    if (query?.state.data === undefined || all.length === 0) return;
    const { data, dataUpdatedAt: updatedAt, isInvalidated } = query.state;
    const next = all.reduce<unknown>((held, change) => change(held), data);
    isOwn = true;
    queryClient.setQueryData(queryKey, next, { updatedAt });
    isOwn = false;
    // An event makes nothing fresh that is to be fetched again.
    if (isInvalidated) query.invalidate();
  };

  const restart = (): void => {
    // First: what is invalidated joins its first fetch, which lacks events.
    void queryClient
      .cancelQueries(filters)
      .then(() => queryClient.invalidateQueries(filters));
  };

  const follow = ({ type, query, action }: CacheEvent): void => {
    if (isOwn || type !== 'updated' || query !== cache.find(filters)) return;
    if (action?.type === 'fetch') changes = [];
    // What was fetched, or put back by a cancellation, lacks them.
    const isOlder = action?.type === 'success' && action.manual !== true;
    if (isOlder || action?.type === 'setState') apply(changes);
    if (!isFetching()) changes = [];
  };

  const stops = [
    cache.subscribe(follow),
    channel.acquire({
      receive(event, payload, meta) {
        const reducer = reducers[event] as QueryReducer<never, unknown>;
        if (!reducer) return;
        const change: Change = (data) =>
          typeof reducer === 'function'
            ? reducer(data as never, payload, meta)
            : changed(data, reducer, payload as Row, rules);
        if (isFetching()) changes.push(change);
        apply([change]);
      },
      resync: restart,
      fail: () => undefined,
    }),
  ];
  // What is there was not fed until now.
  if (cache.find(filters) && channel.getState().status === 'connected') {
    restart();
  }
  return () => stops.forEach((stop) => stop());
}

interface Row {
  readonly id: string;
}

interface Pages {
  readonly pages: readonly (readonly Row[])[];
}

function changed(
  data: unknown,
  reducer: 'add' | 'update' | 'remove',
  row: Row,
  rules: ListRules<Row>,
): unknown {
  const { key = ({ id }) => id } = rules;
  const change: ListChange<Row> =
    reducer === 'add'
      ? { add: row }
      : reducer === 'update'
        ? { update: row }
        : { remove: key(row) };
  const carryOut = (rows: readonly Row[]): readonly Row[] => {
    const oldestFirst = [...rows].reverse();
    const byId = new Map(oldestFirst.map((one) => [key(one), one]));
    const next = changeList(byId, [change], Infinity, rules);
    return next === byId ? rows : [...next.values()].reverse();
  };
  if (Array.isArray(data)) return carryOut(data as readonly Row[]);
  const { pages } = data as Pages;
  const holds = (rows: readonly Row[]): boolean =>
    rows.some((one) => key(one) === key(row));
  const held = pages.findIndex(holds);
  const at = Math.max(held, 0);
  const next = pages.map((rows, index) =>
    index === at ? carryOut(rows) : rows,
  );
  return { ...(data as Pages), pages: next };
}
