'use client';

import { create } from 'zustand';
import type { MessagePosted } from '@acme/realtime-contracts/chats';
import { onUserChange } from '../../../lib/realtime/realtime-client';

/** The oldest give way, so that a page left open does not grow for ever. */
const MAX_CHATS = 200;

export type ListedChat = MessagePosted;

interface ChatsState {
  /** Newest first, each id once. */
  readonly chats: readonly ListedChat[];
  readonly addChat: (item: ListedChat) => void;
  /** Several at the cost of one render, in their order of arrival. */
  readonly merge: (items: readonly ListedChat[]) => void;
  readonly clear: () => void;
}

export const useChatsStore = create<ChatsState>()((set) => ({
  chats: [],
  addChat: (item) => set((state) => merged(state, [item])),
  merge: (items) => set((state) => merged(state, items)),
  clear: () => set({ chats: [] }),
}));

onUserChange(() => useChatsStore.getState().clear());

/** What has an id that is listed already takes that one's place. */
function merged(
  state: ChatsState,
  items: readonly ListedChat[],
): Pick<ChatsState, 'chats'> {
  const byId = new Map<string, ListedChat>();
  const oldestFirst = [...state.chats].reverse().concat(items);
  for (const item of oldestFirst) byId.set(item.id, item);
  const newest = [...byId.values()].slice(-MAX_CHATS);
  return { chats: newest.reverse() };
}
