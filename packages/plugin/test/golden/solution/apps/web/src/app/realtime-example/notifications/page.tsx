import { NotificationsExample } from '../../../features/notifications/example/notifications-example';

export default function NotificationsPage() {
  return <NotificationsExample />;
}
