import { act, render, renderHook, waitFor } from '@testing-library/react';
import { createElement } from 'react';
import type { NotificationCreated } from '@acme-ts/realtime-contracts/notifications';
import { realtime } from '../../../lib/realtime/realtime-client';
import { useAuthStore } from '../../../stores/auth.store';
import { NotificationsProvider } from './notifications-provider';
import {
  notificationsChannel,
  useNotificationsSocket,
} from './use-notifications-socket';
import { useNotificationsStore } from './use-notifications-store';

let delivered = 0;

function deliver(event: string, payload: unknown): void {
  const meta = { id: `${(delivered += 1)}`, at: '2026-01-01T00:00:00Z' };
  act(() => notificationsChannel.receive(event, payload, meta));
}

const notificationCreatedSample: NotificationCreated = {
  id: 'id-1',
  message: 'message-1',
  type: 'type-1',
  userId: 'userId-1',
};

describe('notifications realtime', () => {
  it('renders nothing and stays idle without a token', () => {
    const { container } = render(createElement(NotificationsProvider));
    const { result } = renderHook(() => useNotificationsSocket());

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
      useNotificationsSocket({
        onNotificationCreated: receive,
        onError: (error) => errors.push(error),
      }),
    );
    deliver('notification.created', notificationCreatedSample);
    deliver('notification.created', 'invalid');

    expect(received).toEqual([notificationCreatedSample]);
    expect(errors).toHaveLength(1);
    expect(faults).toEqual(errors);
  });

  it('lists each id once, newest first, and forgets with the user', () => {
    const store = useNotificationsStore.getState;
    const list = () => store().notifications;
    const older = notificationCreatedSample;
    const newer = { ...older, id: 'newer' };
    useAuthStore.getState().setAccessToken('token');
    store().addNotification(older);
    store().addNotification(newer);
    store().addNotification(older);

    expect(list()).toEqual([newer, older]);
    store().removeNotification('newer');
    expect(list()).toEqual([older]);
    useAuthStore.getState().setAccessToken(null);
    expect(list()).toEqual([]);
  });

  it('does to the list what each event says', async () => {
    render(createElement(NotificationsProvider));
    const store = useNotificationsStore.getState;
    const id = 'id-1';
    const withId = <T extends object>(sample: T) => ({ ...sample, id });
    const item = withId(notificationCreatedSample);
    const after = async (event: string, payload: object) => {
      store().addNotification(item);
      deliver(event, withId(payload));
      await waitFor(() => expect(store().notifications).not.toContain(item));
      return store().notifications;
    };

    expect(
      await after('notification.created', notificationCreatedSample),
    ).toEqual([withId(notificationCreatedSample)]);
  });
});
