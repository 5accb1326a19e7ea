'use client';

import { create } from 'zustand';
import type { NotificationCreated } from '@acme-ts/realtime-contracts/notifications';
import { onUserChange } from '../../../lib/realtime/realtime-client';

/** The oldest give way, so that a page left open does not grow for ever. */
const MAX_NOTIFICATIONS = 200;

export type ListedNotification = NotificationCreated;

interface NotificationsState {
  /** Newest first, each id once. */
  readonly notifications: readonly ListedNotification[];
  readonly addNotification: (item: ListedNotification) => void;
  /** Several at the cost of one render, in their order of arrival. */
  readonly merge: (items: readonly ListedNotification[]) => void;
  readonly clear: () => void;
}

export const useNotificationsStore = create<NotificationsState>()((set) => ({
  notifications: [],
  addNotification: (item) => set((state) => merged(state, [item])),
  merge: (items) => set((state) => merged(state, items)),
  clear: () => set({ notifications: [] }),
}));

onUserChange(() => useNotificationsStore.getState().clear());

/** What has an id that is listed already takes that one's place. */
function merged(
  state: NotificationsState,
  items: readonly ListedNotification[],
): Pick<NotificationsState, 'notifications'> {
  const byId = new Map<string, ListedNotification>();
  const oldestFirst = [...state.notifications].reverse().concat(items);
  for (const item of oldestFirst) byId.set(item.id, item);
  const newest = [...byId.values()].slice(-MAX_NOTIFICATIONS);
  return { notifications: newest.reverse() };
}
