import { create, type StateCreator } from 'zustand';
import type { NotificationCreated } from '@acme/realtime-contracts/notifications';
import { onUserChange } from '../../../lib/realtime/realtime-client';

/** The oldest give way, so that a page left open does not grow for ever. */
const MAX_ITEMS = 200;

export type ListedNotification = NotificationCreated;

type Item = ListedNotification;

interface State {
  /** Newest first, each id once. */
  readonly notifications: readonly Item[];
  readonly addNotification: (item: Item) => void;
  /** Several at the cost of one render, in their order of arrival. */
  readonly merge: (items: readonly Item[]) => void;
  readonly clear: () => void;
}

const createState: StateCreator<State> = (set) => ({
  notifications: [],
  addNotification: (item) => set((state) => merged(state, [item])),
  merge: (items) => set((state) => merged(state, items)),
  clear: () => set({ notifications: [] }),
});

export const useNotificationsStore = create(createState);

onUserChange(() => useNotificationsStore.getState().clear());

/** What has an id that is listed already takes that one's place. */
function merged(state: State, items: readonly Item[]): Partial<State> {
  const byId = new Map<string, Item>();
  const listed = state.notifications;
  const oldestFirst = [...listed].reverse().concat(items);
  for (const item of oldestFirst) byId.set(item.id, item);
  const newest = [...byId.values()].slice(-MAX_ITEMS);
  return { notifications: newest.reverse() };
}
