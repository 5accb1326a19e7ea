import { act, render, renderHook } from '@testing-library/react';
import { createElement } from 'react';
import type {
  MessagePosted,
  ChatCleared,
} from '@acme/realtime-contracts/chats';
import { setRealtimeReporter } from '../../../lib/realtime/realtime-client';
import { useAuthStore } from '../../../stores/auth.store';
import { ChatsProvider } from './chats-provider';
import {
  chatsChannel,
  useChatsSocket,
} from './use-chats-socket';
import { useChatsStore } from './use-chats-store';

function deliver(event: string, payload: unknown): void {
  const meta = { id: 'e1', at: '2026-01-01T00:00:00Z' };
  act(() => chatsChannel.receive(event, payload, meta));
}

const messagePosted: MessagePosted = {
  id: '2f1c6f0e-6b0a-4c59-9d0e-3a5a1d1f7b11',
  text: 'text-1',
  room: 'room-1',
  at: '2026-01-01T00:00:00Z',
  tags: ['tags-1'],
};

const chatCleared: ChatCleared = {};

describe('chats realtime', () => {
  it('renders nothing and stays idle without a token', () => {
    const { container } = render(createElement(ChatsProvider));
    const { result } = renderHook(() => useChatsSocket());

    expect(container.innerHTML).toBe('');
    expect(result.current.status).toBe('idle');
  });

  it('hands valid events to their handlers, and no others', () => {
    const received: unknown[] = [];
    const faults: unknown[] = [];
    setRealtimeReporter((fault) => faults.push(fault));
    renderHook(() =>
      useChatsSocket({
        onMessagePosted: (payload) => received.push(payload),
        onChatCleared: (payload) => received.push(payload),
      }),
    );
    deliver('message.posted', messagePosted);
    deliver('message.posted', 'invalid');
    deliver('chat.cleared', chatCleared);
    deliver('chat.cleared', 'invalid');

    expect(received).toEqual([messagePosted, chatCleared]);
    expect(faults).toHaveLength(2);
  });

  it('lists each id once, newest first, and forgets with the user', () => {
    const store = useChatsStore.getState;
    const newer = { ...messagePosted, id: 'newer' };
    useAuthStore.getState().setAccessToken('token');
    store().addChat(messagePosted);
    store().addChat(newer);
    store().addChat(messagePosted);

    expect(store().chats).toEqual([newer, messagePosted]);
    useAuthStore.getState().setAccessToken(null);
    expect(store().chats).toEqual([]);
  });

  it('refuses commands while not connected', async () => {
    const { result } = renderHook(() => useChatsSocket());
    const sent = result.current.say({
      room: 'room-1',
      text: 'text-1',
      mood: 'happy',
    });

    await expect(sent).rejects.toMatchObject({ code: 'NOT_CONNECTED' });
  });
});
