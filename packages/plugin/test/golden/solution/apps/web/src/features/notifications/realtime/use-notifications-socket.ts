'use client';

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
  type NotificationCreated,
  notificationCreatedSchema,
  NOTIFICATIONS_NAMESPACE,
} from '@acme-ts/realtime-contracts/notifications';
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

type Handler<T> = RealtimeHandler<T> | undefined;

export interface NotificationsHandlers extends RealtimeHandlers {
  onNotificationCreated?: Handler<NotificationCreated>;
}

/** The connection's state; connected while it is mounted. */
export function useNotificationsSocket(
  handlers: NotificationsHandlers = {},
): RealtimeState {
  const byEvent = {
    'notification.created': handlers.onNotificationCreated,
  };
  return useChannel(notificationsChannel, byEvent, handlers);
}

/** The list, loaded once and kept right; without `load` it is only fed. */
export function useNotificationsLive(options?: LiveOptions<typeof list>) {
  return useLive(list, options);
}
