import { create } from 'zustand';
import type { Message } from '../hooks/use-chat-socket';

interface ChatState {
  messages: Message[];
  unread: Message[] | null;
  add: (message: Message) => void;
}

export const useChatStore = create<ChatState>()((set) => ({
  messages: [],
  unread: null,
  add: (message) => set((state) => ({ messages: [...state.messages, message] })),
}));

// finds: no-unstable-selector
export const useRecent = () => useChatStore((state) => state.messages.filter(({ text }) => text));

// finds: no-unstable-selector
export const useUnread = () => useChatStore((state) => state.unread ?? []);
