import { useNotificationsLive } from './use-notifications-socket';

/** Connects while there is an access token and fills the store; renders nothing. */
export function NotificationsProvider(): null {
  useNotificationsLive();
  return null;
}
