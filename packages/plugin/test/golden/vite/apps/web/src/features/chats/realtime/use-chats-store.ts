import { create, type StateCreator } from 'zustand';
import type { MessagePosted } from '@acme/realtime-contracts/chats';
import { realtime } from '../../../lib/realtime/realtime-client';

/** The oldest give way, so that a page left open does not grow for ever. */
const MAX_ITEMS = 200;

export type ListedChat = MessagePosted;

type Item = ListedChat;

type ById = ReadonlyMap<string, Item>;

interface Items {
  /** Newest first, each id once. */
  readonly chats: readonly Item[];
  /** The same: an item is found, and selected, by its id. */
  readonly byId: ById;
}

interface State extends Items {
  readonly addChat: (item: Item) => void;
  readonly removeChat: (id: string) => void;
  /** Several at the cost of one render, in their order of arrival. */
  readonly merge: (items: readonly Item[]) => void;
  readonly clear: () => void;
}

const NONE: Items = { chats: [], byId: new Map() };

const createState: StateCreator<State> = (set) => ({
  ...NONE,
  addChat: (item) => set((state) => merged(state, [item])),
  removeChat: (id) => set((state) => without(state, id)),
  merge: (items) => set((state) => merged(state, items)),
  clear: () => set(NONE),
});

export const useChatsStore = create(createState);

realtime.onUserChange(() => useChatsStore.getState().clear());

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
  return { chats: [...byId.values()].reverse(), byId };
}
