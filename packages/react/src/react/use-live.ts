import { useEffect, useSyncExternalStore } from 'react';
import {
  type LiveList,
  type LiveSnapshot,
  type LiveStatus,
  type LiveUser,
  NOTHING,
} from '../core/live-list';
import type { EventSchemas } from '../core/schemas';
import { useLatest } from './use-channel';

interface Options<T, S extends EventSchemas> extends LiveUser<T, S> {
  /** Id of the resource whose list it is; none is loaded while it has none. */
  readonly resource?: string | null | undefined;
}

/**
 * What `useLive` is given for a list.
 *
 * @example
 * const options: LiveOptions<typeof ticketsList> = {
 *   load: async (signal) => (await fetch('/api/tickets', { signal })).json(),
 * };
 */
export type LiveOptions<L> =
  L extends LiveList<infer T, infer S> ? Options<T, S> : never;

/**
 * A list and its state.
 *
 * @example
 * const { items, status, error, reload }: Live<Ticket> = useLive(...);
 */
export interface Live<T> extends Pick<LiveSnapshot<T>, 'items' | 'error'> {
  readonly status: LiveStatus;
  /** Loads again; what is shown stays meanwhile. */
  readonly reload: () => void;
}

const getServerSnapshot = (): LiveSnapshot<never> => NOTHING;

/**
 * Shows a list that is loaded once and stays right: it connects, loads while
 * events are kept, and carries them out on what was loaded. It loads again
 * after a gap, and for another user. Components share a list: one of them loads.
 *
 * @returns the items, newest first; on the server those of `initial`
 * @example
 * const { items, status, error, reload } = useLive(ticketsList, {
 *   load: async (signal) => (await fetch('/api/tickets', { signal })).json(),
 * });
 */
export function useLive<T, S extends EventSchemas>(
  list: LiveList<T, S>,
  options: Options<T, S> = {},
): Live<T> {
  const { resource, initial } = options;
  const latest = useLatest(options);
  // Of none, while the id is not known: a list that nothing feeds.
  const own = 'resource' in options ? list.of(resource ?? '') : list;
  const isOff = own !== list && !resource;
  useEffect(
    () => (isOff ? undefined : own.acquire(latest)),
    [own, isOff, latest],
  );
  const { items, isFresh, status, error } = useSyncExternalStore(
    own.subscribe,
    own.getSnapshot,
    getServerSnapshot,
  );
  const { reload } = own;
  return { items: (isFresh && initial) || items, status, error, reload };
}
