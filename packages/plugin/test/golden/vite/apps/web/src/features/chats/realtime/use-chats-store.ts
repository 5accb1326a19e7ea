import { create, type StateCreator } from 'zustand';
import type {
  MessagePosted,
  MessageEdited,
} from '@acme/realtime-contracts/chats';
import {
  changeList,
  type ListChange,
  type ListItems,
  type ListUpdate,
  onUserChange,
} from '../../../lib/realtime/realtime-client';

/** The oldest give way, so that a page left open does not grow for ever. */
const MAX_ITEMS = 200;

/** What adds an item, and what other events tell of it. */
export interface ListedChat extends MessagePosted {
  editedAt?: MessageEdited['editedAt'] | undefined;
}

type Item = ListedChat;

interface Items {
  /** Newest first, each id once. */
  readonly chats: readonly Item[];
  /** The same: an item is found, and selected, by its id. */
  readonly byId: ListItems<Item>;
}

interface State extends Items {
  readonly addChat: (item: Item) => void;
  readonly updateChat: (fields: ListUpdate<Item>) => void;
  readonly removeChat: (id: string) => void;
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
    addChat: (add) => change([{ add }]),
    updateChat: (update) => change([{ update }]),
    removeChat: (remove) => change([{ remove }]),
    merge: (items) => change(items.map((add) => ({ add }))),
    change,
    clear: () => set(listed(new Map())),
  };
};

export const useChatsStore = create(createState);

onUserChange(() => useChatsStore.getState().clear());

function listed(byId: ListItems<Item>): Items {
  return { chats: [...byId.values()].reverse(), byId };
}
