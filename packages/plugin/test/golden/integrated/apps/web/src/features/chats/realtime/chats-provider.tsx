'use client';

import { realtime } from '../../../lib/realtime/realtime-client';
import { useChatsSocket } from './use-chats-socket';
import { useChatsStore } from './use-chats-store';

const list = realtime.batch(useChatsStore.getState().merge);

/** Connects while there is an access token and fills the store; renders nothing. */
export function ChatsProvider(): null {
  useChatsSocket({
    onMessagePosted: list,
  });
  return null;
}
