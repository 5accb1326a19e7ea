import { create, type StateCreator } from 'zustand';
import type { NotificationCreated } from '@acme/realtime-contracts/notifications';
import {
  changeList,
  type ListChange,
  type ListItems,
  type ListUpdate,
  onUserChange,
} from '../../../lib/realtime/realtime-client';

/** The oldest give way, so that a page left open does not grow for ever. */
const MAX_ITEMS = 200;

export type ListedNotification = NotificationCreated;

type Item = ListedNotification;

interface Items {
  /** Newest first, each id once. */
  readonly notifications: readonly Item[];
  /** The same: an item is found, and selected, by its id. */
  readonly byId: ListItems<Item>;
}

interface State extends Items {
  readonly addNotification: (item: Item) => void;
  readonly updateNotification: (fields: ListUpdate<Item>) => void;
  readonly removeNotification: (id: string) => void;
  /** Several at the cost of one render, in their order of arrival. */
  readonly merge: (items: readonly Item[]) => void;
  /** The same for whatever events do. */
  readonly change: (changes: readonly ListChange<Item>[]) => void;
  readonly clear: () => void;
}

const createState: StateCreator<State> = (set) => {
  const change: State['change'] = (changes) =>
    set((state) => {
      const byId = changeList(state.byId, changes, MAX_ITEMS);
      return byId === state.byId ? state : listed(byId);
    });
  return {
    ...listed(new Map()),
    addNotification: (add) => change([{ add }]),
    updateNotification: (update) => change([{ update }]),
    removeNotification: (remove) => change([{ remove }]),
    merge: (items) => change(items.map((add) => ({ add }))),
    change,
    clear: () => set(listed(new Map())),
  };
};

export const useNotificationsStore = create(createState);

onUserChange(() => useNotificationsStore.getState().clear());

function listed(byId: ListItems<Item>): Items {
  return { notifications: [...byId.values()].reverse(), byId };
}
