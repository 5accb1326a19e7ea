import { act, render, renderHook, waitFor } from '@testing-library/react';
import { createElement } from 'react';
import type {
  MessagePosted,
  MessageEdited,
  MessageDeleted,
  ChatCleared,
} from '@acme/realtime-contracts/chats';
import { realtime } from '../../../lib/realtime/realtime-client';
import { useAuthStore } from '../../../stores/auth.store';
import { ChatsProvider } from './chats-provider';
import { chatsChannel, useChatsSocket } from './use-chats-socket';
import { useChatsStore } from './use-chats-store';

let delivered = 0;

function deliver(event: string, payload: unknown): void {
  const meta = { id: `${(delivered += 1)}`, at: '2026-01-01T00:00:00Z' };
  act(() => chatsChannel.receive(event, payload, meta));
}

const messagePostedSample: MessagePosted = {
  id: '2f1c6f0e-6b0a-4c59-9d0e-3a5a1d1f7b11',
  text: 'text-1',
  room: 'room-1',
  at: '2026-01-01T00:00:00Z',
  tags: ['tags-1'],
};

const messageEditedSample: MessageEdited = {
  id: '2f1c6f0e-6b0a-4c59-9d0e-3a5a1d1f7b11',
  text: 'text-1',
  editedAt: '2026-01-01T00:00:00Z',
};

const messageDeletedSample: MessageDeleted = {
  id: 'id-1',
};

const chatClearedSample: ChatCleared = {};

describe('chats realtime', () => {
  it('renders nothing and stays idle without a token', () => {
    const { container } = render(createElement(ChatsProvider));
    const { result } = renderHook(() => useChatsSocket());

    expect(container.innerHTML).toBe('');
    expect(result.current.status).toBe('idle');
  });

  it('hands valid events to their handlers, and no others', () => {
    const received: unknown[] = [];
    const errors: unknown[] = [];
    const faults: unknown[] = [];
    const receive = (payload: unknown) => received.push(payload);
    realtime.configure({ onFault: (fault) => faults.push(fault) });
    renderHook(() =>
      useChatsSocket({
        onMessagePosted: receive,
        onMessageEdited: receive,
        onMessageDeleted: receive,
        onChatCleared: receive,
        onError: (error) => errors.push(error),
      }),
    );
    deliver('message.posted', messagePostedSample);
    deliver('message.posted', 'invalid');
    deliver('message.edited', messageEditedSample);
    deliver('message.edited', 'invalid');
    deliver('message.deleted', messageDeletedSample);
    deliver('message.deleted', 'invalid');
    deliver('chat.cleared', chatClearedSample);
    deliver('chat.cleared', 'invalid');

    expect(received).toEqual([
      messagePostedSample,
      messageEditedSample,
      messageDeletedSample,
      chatClearedSample,
    ]);
    expect(errors).toHaveLength(4);
    expect(faults).toEqual(errors);
  });

  it('lists each id once, newest first, and forgets with the user', () => {
    const store = useChatsStore.getState;
    const list = () => store().chats;
    const older = messagePostedSample;
    const newer = { ...older, id: 'newer' };
    useAuthStore.getState().setAccessToken('token');
    store().addChat(older);
    store().addChat(newer);
    store().addChat(older);

    expect(list()).toEqual([newer, older]);
    store().removeChat('newer');
    expect(list()).toEqual([older]);
    useAuthStore.getState().setAccessToken(null);
    expect(list()).toEqual([]);
  });

  it('does to the list what each event says', async () => {
    render(createElement(ChatsProvider));
    const store = useChatsStore.getState;
    const id = '2f1c6f0e-6b0a-4c59-9d0e-3a5a1d1f7b11';
    const withId = <T extends object>(sample: T) => ({ ...sample, id });
    const item = withId(messagePostedSample);
    const after = async (event: string, payload: object) => {
      store().addChat(item);
      deliver(event, withId(payload));
      await waitFor(() => expect(store().chats).not.toContain(item));
      return store().chats;
    };

    expect(await after('message.posted', messagePostedSample)).toEqual([
      withId(messagePostedSample),
    ]);

    expect(await after('message.edited', messageEditedSample)).toEqual([
      {
        ...item,
        ...withId(messageEditedSample),
      },
    ]);

    expect(await after('message.deleted', messageDeletedSample)).toEqual([]);
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
