import {
  liveList,
  type LiveOptions,
  type RealtimeHandler,
  type RealtimeHandlers,
  type RealtimeState,
  useChannel,
  useLive,
} from '@nx-realtime/react';
import {
  type NotificationMarkRead,
  type NotificationCreated,
  notificationCreatedSchema,
  NOTIFICATIONS_NAMESPACE,
} from '@acme/realtime-contracts/notifications';
import { realtime } from '../../../lib/realtime/realtime-client';
import { useNotificationsStore } from './use-notifications-store';

const schemas = {
  'notification.created': notificationCreatedSchema,
};

export const notificationsChannel = realtime.channel(
  NOTIFICATIONS_NAMESPACE,
  schemas,
);

const list = liveList({
  realtime,
  channel: notificationsChannel,
  store: useNotificationsStore,
  on: {
    'notification.created': 'add',
  },
});

/** Commands reject with a RealtimeCommandError. */
const commands = {
  markRead: (payload: NotificationMarkRead): Promise<unknown> =>
    notificationsChannel.send('notification.markRead', payload),
};

type State = RealtimeState & typeof commands;

type Handler<T> = RealtimeHandler<T> | undefined;

export interface NotificationsHandlers extends RealtimeHandlers {
  onNotificationCreated?: Handler<NotificationCreated>;
}

/** The connection's state and the commands; connected while it is mounted. */
export function useNotificationsSocket(
  handlers: NotificationsHandlers = {},
): State {
  const byEvent = {
    'notification.created': handlers.onNotificationCreated,
  };
  const state = useChannel(notificationsChannel, byEvent, handlers);
  return { ...state, ...commands };
}

/** The list, loaded once and kept right; without `load` it is only fed. */
export function useNotificationsLive(options?: LiveOptions<typeof list>) {
  return useLive(list, options);
}
