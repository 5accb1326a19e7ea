'use client';

import {
  type RealtimeHandler,
  type RealtimeHandlers,
  type RealtimeState,
  useChannel,
} from '@nx-realtime/react';
import {
  type NotificationCreated,
  notificationCreatedSchema,
  NOTIFICATIONS_NAMESPACE,
} from '@acme-ts/realtime-contracts/notifications';
import { realtime } from '../../../lib/realtime/realtime-client';

const schemas = {
  'notification.created': notificationCreatedSchema,
};

export const notificationsChannel = realtime.channel(
  NOTIFICATIONS_NAMESPACE,
  schemas,
);

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
