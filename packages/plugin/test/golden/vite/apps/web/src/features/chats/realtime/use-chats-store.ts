import { create, type StateCreator } from 'zustand';
import type { MessagePosted } from '@acme/realtime-contracts/chats';
import { onUserChange } from '../../../lib/realtime/realtime-client';

/** The oldest give way, so that a page left open does not grow for ever. */
const MAX_ITEMS = 200;

export type ListedChat = MessagePosted;

type Item = ListedChat;

interface State {
  /** Newest first, each id once. */
  readonly chats: readonly Item[];
  readonly addChat: (item: Item) => void;
  /** Several at the cost of one render, in their order of arrival. */
  readonly merge: (items: readonly Item[]) => void;
  readonly clear: () => void;
}

const createState: StateCreator<State> = (set) => ({
  chats: [],
  addChat: (item) => set((state) => merged(state, [item])),
  merge: (items) => set((state) => merged(state, items)),
  clear: () => set({ chats: [] }),
});

export const useChatsStore = create(createState);

onUserChange(() => useChatsStore.getState().clear());

/** What has an id that is listed already takes that one's place. */
function merged(state: State, items: readonly Item[]): Partial<State> {
  const byId = new Map<string, Item>();
  const listed = state.chats;
  const oldestFirst = [...listed].reverse().concat(items);
  for (const item of oldestFirst) byId.set(item.id, item);
  const newest = [...byId.values()].slice(-MAX_ITEMS);
  return { chats: newest.reverse() };
}
