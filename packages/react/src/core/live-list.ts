import type { RealtimeChannel, RealtimeMeta } from './channel';
import type { Realtime } from './create-realtime';
import {
  listActions,
  type ListActions,
  type ListChange,
  type ListRules,
} from './list';
import { liveLoad } from './live-load';
import type { EventSchemas, PayloadOf } from './schemas';

/** As changes name an item; `key` may find it by another field. */
type Item<T> = T & { readonly id: string };

/** What one event does to a list. */
export type LiveReducer<T, P> =
  | (P extends T ? 'add' : never)
  | 'update'
  | 'remove'
  | ((payload: P, meta: RealtimeMeta) => ListChange<Item<T>> | null);

/**
 * What events do to a list, by their names; the others do nothing. `add` puts
 * the payload into the list, or in the place of the item with its key; `update`
 * changes the fields that it has, of that item; `remove` removes that item. A
 * function returns one change, or null.
 *
 * @example
 * const on: LiveReducers<typeof schemas, Ticket> = {
 *   'ticket.opened': 'add',
 *   'ticket.merged': ({ from }) => ({ remove: from }),
 * };
 */
export type LiveReducers<S extends EventSchemas, T> = {
  readonly [E in keyof S]?: LiveReducer<T, PayloadOf<S[E]>> | null | undefined;
};

type AnyReducer<T> =
  string | ((payload: never, meta: RealtimeMeta) => ListChange<Item<T>> | null);

type AnyReducers<T> = Readonly<
  Record<string, AnyReducer<T> | null | undefined>
>;

/** A store that keeps a list, as zustand makes them. */
interface ListStore<T> {
  readonly getState: () => Pick<
    ListActions<Item<T>>,
    'change' | 'replace' | 'clear'
  > & { readonly byId: ReadonlyMap<string, T> };
  readonly subscribe: (watcher: () => void) => () => void;
}

/** What a list needs of `createRealtime`'s. */
type Users = Pick<Realtime, 'onUserChange'>;

interface Options<T> extends ListRules<T> {
  /** Where the items are. @default in the list itself, at most 200 */
  readonly store?: ListStore<T> | undefined;
  /** First part of `<domain>.subscribe`, where items belong to resources. */
  readonly domain?: string | undefined;
  /** The fields of events that name the resource: others are of all. */
  readonly resources?: Readonly<Record<string, string>> | undefined;
}

/** What `liveList` is given. */
export interface LiveListOptions<S extends EventSchemas, T> extends Options<T> {
  /** What `createRealtime` returned. */
  readonly realtime: Users;
  readonly channel: RealtimeChannel<S>;
  readonly on: LiveReducers<S, T>;
}

/** What a component does with a list. */
export interface LiveUser<T, S extends EventSchemas = EventSchemas> {
  /** Fetches the items, newest first. Without it the list is only fed. */
  readonly load?: ((signal: AbortSignal) => Promise<readonly T[]>) | undefined;
  /** What is shown until something was loaded. */
  readonly initial?: readonly T[] | undefined;
  /** Instead of the list's own, for these events; null for nothing. */
  readonly on?: LiveReducers<S, T> | undefined;
}

/**
 * - `idle`: nobody is signed in
 * - `loading`: nothing was loaded yet
 * - `reloading`: what is shown may lack changes, and is loaded again
 * - `live`: what is shown is right, and stays so
 * - `offline`: it was loaded, and no changes arrive now
 *
 * @example
 * const isOld = status === 'offline' || status === 'reloading';
 */
export type LiveStatus = 'idle' | 'loading' | 'reloading' | 'live' | 'offline';

/** What a list shows. */
export interface LiveSnapshot<T> {
  readonly byId: ReadonlyMap<string, T>;
  /** Newest first. */
  readonly items: readonly T[];
  readonly status: LiveStatus;
  /** Why the last load failed, which is tried again; else null. */
  readonly error: unknown;
  /** Neither loaded nor given `initial` yet. */
  readonly isFresh: boolean;
}

/**
 * A list that is loaded once and stays right.
 *
 * @example
 * const tickets: LiveList<Ticket> = liveList(options);
 */
export interface LiveList<T, S extends EventSchemas = EventSchemas> {
  readonly getSnapshot: () => LiveSnapshot<T>;
  /** Calls back at each change, and returns what ends that. */
  readonly subscribe: (watcher: () => void) => () => void;
  /** Loads again; what is shown stays meanwhile. */
  readonly reload: () => void;
  /** The list of one resource, apart from those of others. */
  readonly of: (id: string) => LiveList<T, S>;
  /** Feeds the list, and loads it where a user can, until released. */
  readonly acquire: (user: { readonly current: LiveUser<T, S> }) => () => void;
}

/** Long enough for StrictMode's second mount and for a change of page. */
const RELEASE_GRACE_MS = 1_000;
const FRAME_MS = 16;
const MAX_ITEMS = 200;

/**
 * A list that is loaded once and stays right, for `useLive`. Create it once, in
 * a module of the app; it does nothing until a component uses it.
 *
 * @example
 * export const ticketsList = liveList({
 *   realtime,
 *   channel: ticketsChannel,
 *   store: useTicketsStore,
 *   on: { 'ticket.opened': 'add', 'ticket.closed': 'remove' },
 * });
 */
export function liveList<S extends EventSchemas, T>(
  options: LiveListOptions<S, T>,
): LiveList<T, S> {
  return create(options);
}

function create<S extends EventSchemas, T>(
  options: LiveListOptions<S, T>,
  id = '',
  released = (): void => undefined,
): LiveList<T, S> {
  type Change = ListChange<Item<T>>;
  type User = Parameters<LiveList<T, S>['acquire']>[0];
  const { realtime, channel, domain = '', resources } = options;
  const store = options.store ?? ownStore<T>();
  /** Of resources, by their ids. */
  const lists = new Map<string, LiveList<T, S>>();
  const users = new Set<User>();
  const watchers = new Set<() => void>();
  let snapshot: LiveSnapshot<T> = { ...NOTHING, byId: new Map() };
  let isFresh = true;
  /** What was given before anybody had signed in. */
  let early: readonly T[] | null = null;
  /** They go to the store together, once a frame. */
  let pending: Change[] = [];
  let controller = new AbortController();
  let timer: ReturnType<typeof setTimeout> | undefined;
  let disconnect: (() => void) | undefined;
  /** The last one that could load. */
  let loader: User | undefined;

  const statusOfChannel = () => channel.getState().status;
  const tell = (): void => {
    const { isRight, hasLoaded, isOpen, isWaiting, error } = load.state();
    const { byId } = store.getState();
    const items =
      byId === snapshot.byId ? snapshot.items : [...byId.values()].reverse();
    const isIdle = isWaiting && statusOfChannel() === 'idle';
    const loading = hasLoaded ? 'reloading' : 'loading';
    const right = isOpen ? 'live' : 'offline';
    const status = isRight ? right : isIdle ? 'idle' : loading;
    snapshot = { byId, items, status, error, isFresh };
    watchers.forEach((watcher) => watcher());
  };
  const show = (items: readonly T[], changes?: readonly Change[]): void => {
    isFresh = false;
    pending = [];
    store.getState().replace(items as readonly Item<T>[], changes, options);
  };
  const load = liveLoad<T, Change>({
    async fetch(turn) {
      controller = new AbortController();
      const user = [...users].find(({ current }) => current.load) ?? loader;
      let items: readonly T[] = [];
      try {
        items = (await user?.current.load?.(controller.signal)) ?? [];
      } catch (error) {
        load.failed(turn, error);
        return tell();
      }
      load.loaded(turn, items);
      tell();
    },
    cancel() {
      controller.abort();
      clearTimeout(timer);
    },
    wait(ms) {
      clearTimeout(timer);
      timer = setTimeout(() => {
        if (statusOfChannel() !== 'idle') load.due();
        tell();
      }, ms);
    },
    show,
  });
  const restart = (): void => {
    load.restart();
    tell();
  };
  const open = (isOpen: boolean): void => {
    load.open(isOpen);
    tell();
  };
  /** Call when another user comes, before what is theirs. */
  const forget = (): void => {
    pending = [];
    store.getState().clear();
    if (early) show(early);
    early = null;
    load.forget();
    tell();
  };

  const receive = (
    event: keyof S & string,
    payload: unknown,
    meta: RealtimeMeta,
  ): void => {
    const others = [...users].map(({ current }) => current.on);
    const on: AnyReducers<T> = Object.assign({}, options.on, ...others);
    const field = resources?.[event];
    const isOfAnother =
      id && field && (payload as Record<string, unknown>)[field] !== id;
    const reducer = on[event];
    if (isOfAnother || !reducer) return;
    const change = changeOf(reducer, payload, meta, options);
    if (!change) return;
    load.change(change);
    if (pending.push(change) > 1) return;
    // Not requestAnimationFrame: it never fires in a hidden tab.
    setTimeout(() => {
      const changes = pending;
      pending = [];
      if (changes.length > 0) store.getState().change(changes, options);
    }, FRAME_MS);
  };

  const connect = (): (() => void) => {
    const follow = (): void => {
      const status = statusOfChannel();
      if (status !== 'idle') early = null;
      if (!id) open(status === 'connected');
    };
    const stops = [
      channel.subscribe(follow),
      channel.acquire({
        receive,
        resync: () => id || restart(),
        fail: () => undefined,
      }),
    ];
    follow();
    if (id) {
      stops.push(
        realtime.onUserChange(forget),
        channel.follow({
          domain,
          id,
          notify: ({ subscribed }) => open(subscribed),
          resync: restart,
        }),
      );
    }
    return () => stops.forEach((stop) => stop());
  };

  /** Ends what no user needs any more. */
  const rest = (): void => {
    if (![...users].some(({ current }) => current.load)) load.leave();
    if (users.size > 0 || !disconnect) return;
    disconnect();
    disconnect = undefined;
    isFresh = true;
    // Nothing feeds it from now on.
    open(false);
    restart();
    if (id) forget();
    released();
  };

  if (!id) realtime.onUserChange(forget);
  store.subscribe(tell);
  tell();
  return {
    getSnapshot: () => snapshot,
    subscribe(watcher) {
      watchers.add(watcher);
      return () => watchers.delete(watcher);
    },
    reload: restart,
    of(key) {
      const own = { ...options, store: undefined };
      const drop = (): void => void lists.delete(key);
      const list = lists.get(key) ?? create(own, key, drop);
      lists.set(key, list);
      return list;
    },
    acquire(user) {
      const { initial, load: canLoad } = user.current;
      users.add(user);
      disconnect ??= connect();
      if (isFresh && initial) {
        early = statusOfChannel() === 'idle' ? initial : null;
        show(initial);
      }
      if (canLoad) {
        loader = user;
        load.want();
      }
      tell();
      return () => {
        users.delete(user);
        setTimeout(rest, RELEASE_GRACE_MS);
      };
    },
  };
}

/** Before anything is known, and on the server. */
export const NOTHING: LiveSnapshot<never> = {
  byId: new Map<string, never>(),
  items: [] as never[],
  status: 'loading',
  error: null,
  isFresh: true,
};

function changeOf<T>(
  reducer: AnyReducer<T>,
  payload: unknown,
  meta: RealtimeMeta,
  { key }: ListRules<T>,
): ListChange<Item<T>> | null {
  if (typeof reducer === 'function') return reducer(payload as never, meta);
  const item = payload as Item<T>;
  if (reducer === 'remove') return { remove: key ? key(item) : item.id };
  return reducer === 'add' ? { add: item } : { update: item };
}

/** For lists that have no store of the app. */
function ownStore<T>(): ListStore<T> {
  let byId: ReadonlyMap<string, Item<T>> = new Map();
  const watchers = new Set<() => void>();
  const actions = listActions<Item<T>>({
    get: () => byId,
    set: (next) => {
      byId = next;
      watchers.forEach((watcher) => watcher());
    },
    max: MAX_ITEMS,
  });
  return {
    getState: () => ({ ...actions, byId }),
    subscribe: (watcher) => {
      watchers.add(watcher);
      return () => watchers.delete(watcher);
    },
  };
}
