import { listActions, type ListActions } from '@nx-realtime/react';
import { create, type StateCreator } from 'zustand';
import type { NotificationCreated } from '@acme/realtime-contracts/notifications';
import { realtime } from '../../../lib/realtime/realtime-client';

export type ListedNotification = NotificationCreated;

type Item = ListedNotification;

type Actions = ListActions<Item>;

interface State extends Omit<Actions, 'add' | 'update' | 'remove'> {
  /** Newest first, each id once. */
  readonly notifications: readonly Item[];
  /** The same: an item is found, and selected, by its id. */
  readonly byId: ReadonlyMap<string, Item>;
  readonly addNotification: Actions['add'];
  readonly updateNotification: Actions['update'];
  readonly removeNotification: Actions['remove'];
}

const createState: StateCreator<State> = (set, get) => {
  const { add, update, remove, ...actions } = listActions({
    get: () => get().byId,
    set: (byId, notifications) => set({ byId, notifications }),
    // The oldest give way, so that a page left open does not grow for ever.
    max: 200,
  });
  return {
    ...actions,
    notifications: [],
    byId: new Map(),
    addNotification: add,
    updateNotification: update,
    removeNotification: remove,
  };
};

export const useNotificationsStore = create(createState);

realtime.onUserChange(useNotificationsStore.getState().clear);
