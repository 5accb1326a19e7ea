import { realtime } from '../../../lib/realtime/realtime-client';
import { useChatsSocket } from './use-chats-socket';
import { useChatsStore } from './use-chats-store';

const change = realtime.batch(useChatsStore.getState().change);

/** Connects while there is an access token and fills the store; renders nothing. */
export function ChatsProvider(): null {
  useChatsSocket({
    onMessagePosted: (add) => change({ add }),
    onMessageEdited: (update) => change({ update }),
    onMessageDeleted: ({ id }) => change({ remove: id }),
  });
  return null;
}
