'use client';

import {
  liveList,
  type LiveOptions,
  type RealtimeHandler,
  type RealtimeHandlers,
  type RealtimeState,
  useChannel,
  useLive,
} from '@nx-realtime/react';
import {
  type ChatSay,
  type ChatLeave,
  type MessagePosted,
  messagePostedSchema,
  type MessageEdited,
  messageEditedSchema,
  type MessageDeleted,
  messageDeletedSchema,
  type ChatCleared,
  chatClearedSchema,
  CHATS_NAMESPACE,
} from '@acme/realtime-contracts/chats';
import { realtime } from '../../../lib/realtime/realtime-client';
import { useChatsStore } from './use-chats-store';

const schemas = {
  'message.posted': messagePostedSchema,
  'message.edited': messageEditedSchema,
  'message.deleted': messageDeletedSchema,
  'chat.cleared': chatClearedSchema,
};

export const chatsChannel = realtime.channel(CHATS_NAMESPACE, schemas);

const list = liveList({
  realtime,
  channel: chatsChannel,
  store: useChatsStore,
  on: {
    'message.posted': 'add',
    'message.edited': 'update',
    'message.deleted': 'remove',
  },
});

/** Commands reject with a RealtimeCommandError. */
const commands = {
  say: (payload: ChatSay): Promise<unknown> =>
    chatsChannel.send('chat.say', payload),
  leave: (payload: ChatLeave): Promise<unknown> =>
    chatsChannel.send('chat.leave', payload),
};

type State = RealtimeState & typeof commands;

type Handler<T> = RealtimeHandler<T> | undefined;

export interface ChatsHandlers extends RealtimeHandlers {
  onMessagePosted?: Handler<MessagePosted>;
  onMessageEdited?: Handler<MessageEdited>;
  onMessageDeleted?: Handler<MessageDeleted>;
  onChatCleared?: Handler<ChatCleared>;
}

/** The connection's state and the commands; connected while it is mounted. */
export function useChatsSocket(handlers: ChatsHandlers = {}): State {
  const byEvent = {
    'message.posted': handlers.onMessagePosted,
    'message.edited': handlers.onMessageEdited,
    'message.deleted': handlers.onMessageDeleted,
    'chat.cleared': handlers.onChatCleared,
  };
  const state = useChannel(chatsChannel, byEvent, handlers);
  return { ...state, ...commands };
}

/** The list, loaded once and kept right; without `load` it is only fed. */
export function useChatsLive(options?: LiveOptions<typeof list>) {
  return useLive(list, options);
}
