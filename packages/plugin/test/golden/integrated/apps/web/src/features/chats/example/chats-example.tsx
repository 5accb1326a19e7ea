'use client';

import { chatSaySchema, chatLeaveSchema } from '@acme/realtime-contracts/chats';
import { command } from '../../../lib/realtime-example/command-form';
import {
  RealtimeExample,
  useReceived,
} from '../../../lib/realtime-example/realtime-example';
import { useChatsSocket } from '../realtime/use-chats-socket';
import { useChatsStore } from '../realtime/use-chats-store';

/** The domain at work; the provider fills the store. */
export function ChatsExample() {
  const [received, add] = useReceived();
  const items = useChatsStore((state) => state.chats);
  const socket = useChatsSocket({
    onChatCleared: (payload) => add('chat.cleared', payload),
  });
  const view = {
    title: 'Chats',
    connection: socket,
    items,
    received,
    commands: [
      command('chat.say', chatSaySchema, socket.say),
      command('chat.leave', chatLeaveSchema, socket.leave),
    ],
  };
  return <RealtimeExample {...view} />;
}
