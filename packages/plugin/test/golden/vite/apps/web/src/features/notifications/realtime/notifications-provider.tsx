import { realtime } from '../../../lib/realtime/realtime-client';
import { useNotificationsSocket } from './use-notifications-socket';
import { useNotificationsStore } from './use-notifications-store';

const change = realtime.batch(useNotificationsStore.getState().change);

/** Connects while there is an access token and fills the store; renders nothing. */
export function NotificationsProvider(): null {
  useNotificationsSocket({
    onNotificationCreated: (add) => change({ add }),
  });
  return null;
}
