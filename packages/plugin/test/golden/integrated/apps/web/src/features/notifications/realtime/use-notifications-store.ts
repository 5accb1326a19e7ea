'use client';

import { create, type StateCreator } from 'zustand';
import type { NotificationCreated } from '@acme/realtime-contracts/notifications';
import { realtime } from '../../../lib/realtime/realtime-client';

/** The oldest give way, so that a page left open does not grow for ever. */
const MAX_ITEMS = 200;

export type ListedNotification = NotificationCreated;

type Item = ListedNotification;

type ById = ReadonlyMap<string, Item>;

interface Items {
  /** Newest first, each id once. */
  readonly notifications: readonly Item[];
  /** The same: an item is found, and selected, by its id. */
  readonly byId: ById;
}

interface State extends Items {
  readonly addNotification: (item: Item) => void;
  readonly removeNotification: (id: string) => void;
  /** Several at the cost of one render, in their order of arrival. */
  readonly merge: (items: readonly Item[]) => void;
  readonly clear: () => void;
}

const NONE: Items = { notifications: [], byId: new Map() };

const createState: StateCreator<State> = (set) => ({
  ...NONE,
  addNotification: (item) => set((state) => merged(state, [item])),
  removeNotification: (id) => set((state) => without(state, id)),
  merge: (items) => set((state) => merged(state, items)),
  clear: () => set(NONE),
});

export const useNotificationsStore = create(createState);

realtime.onUserChange(() => useNotificationsStore.getState().clear());

/** What has an id that is listed already takes that one's place. */
function merged(state: Items, items: readonly Item[]): Items {
  const byId = new Map(state.byId);
  for (const item of items) byId.set(item.id, item);
  for (const oldest of byId.keys()) {
    if (byId.size <= MAX_ITEMS) break;
    byId.delete(oldest);
  }
  return listed(byId);
}

function without(state: Items, id: string): Items {
  if (!state.byId.has(id)) return state;
  const byId = new Map(state.byId);
  byId.delete(id);
  return listed(byId);
}

function listed(byId: ById): Items {
  return { notifications: [...byId.values()].reverse(), byId };
}
