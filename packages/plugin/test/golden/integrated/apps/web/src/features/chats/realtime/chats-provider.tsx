'use client';

import { useChatsLive } from './use-chats-socket';

/** Connects while there is an access token and fills the store; renders nothing. */
export function ChatsProvider(): null {
  useChatsLive();
  return null;
}
