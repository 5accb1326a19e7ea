'use client';

import { listActions, type ListActions } from '@nx-realtime/react';
import { create, type StateCreator } from 'zustand';
import type {
  MessagePosted,
  MessageEdited,
} from '@acme/realtime-contracts/chats';
import { realtime } from '../../../lib/realtime/realtime-client';

/** What adds an item, and what other events tell of it. */
export interface ListedChat extends MessagePosted {
  editedAt?: MessageEdited['editedAt'] | undefined;
}

type Item = ListedChat;

type Actions = ListActions<Item>;

interface State extends Omit<Actions, 'add' | 'update' | 'remove'> {
  /** Newest first, each id once. */
  readonly chats: readonly Item[];
  /** The same: an item is found, and selected, by its id. */
  readonly byId: ReadonlyMap<string, Item>;
  readonly addChat: Actions['add'];
  readonly updateChat: Actions['update'];
  readonly removeChat: Actions['remove'];
}

const createState: StateCreator<State> = (set, get) => {
  const { add, update, remove, ...actions } = listActions({
    get: () => get().byId,
    set: (byId, chats) => set({ byId, chats }),
    // The oldest give way, so that a page left open does not grow for ever.
    max: 200,
  });
  return {
    ...actions,
    chats: [],
    byId: new Map(),
    addChat: add,
    updateChat: update,
    removeChat: remove,
  };
};

export const useChatsStore = create(createState);

realtime.onUserChange(useChatsStore.getState().clear);
