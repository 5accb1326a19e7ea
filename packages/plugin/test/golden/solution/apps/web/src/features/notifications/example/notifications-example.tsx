'use client';

import { RealtimeExample } from '../../../lib/realtime-example/realtime-example';
import { useNotificationsSocket } from '../realtime/use-notifications-socket';
import { useNotificationsStore } from '../realtime/use-notifications-store';

/** The domain at work; the provider fills the store. */
export function NotificationsExample() {
  const items = useNotificationsStore((state) => state.notifications);
  const socket = useNotificationsSocket();
  const view = {
    title: 'Notifications',
    connection: socket,
    items,
  };
  return <RealtimeExample {...view} />;
}
