import * as z from 'zod/mini';

/** Socket.IO namespace of this domain. */
export const NOTIFICATIONS_NAMESPACE = '/notifications';

/** Sent with each server event: its id, and its time (ISO 8601). */
export type RealtimeMeta = { id: string; at: string };

/** The one shape of every acknowledgement. */
export type RealtimeAck<T = unknown> =
  | { ok: true; data: T }
  | { ok: false; error: { code: string; message: string; details?: unknown } };

export const notificationCreatedSchema = z.object({
  id: z.string(),
  message: z.string(),
  type: z.string(),
  userId: z.optional(z.string()),
});
export type NotificationCreated = z.infer<typeof notificationCreatedSchema>;

/** Client events refuse unknown fields. */
export const notificationMarkReadSchema = z.strictObject({
  notificationId: z.string(),
});
export type NotificationMarkRead = z.infer<typeof notificationMarkReadSchema>;

export interface ServerToClientEvents {
  'notification.created': (
    payload: NotificationCreated,
    meta: RealtimeMeta,
  ) => void;
}

export interface ClientToServerEvents {
  'notification.markRead': (
    payload: NotificationMarkRead,
    ack: (ack: RealtimeAck) => void,
  ) => void;
}
