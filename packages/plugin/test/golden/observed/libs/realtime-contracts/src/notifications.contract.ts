import * as z from 'zod/mini';

/** Socket.IO namespace of this domain. */
export const NOTIFICATIONS_NAMESPACE = '/notifications';

/** Sent with each server event: its id, and its time (ISO 8601). */
export type RealtimeMeta = { id: string; at: string };

export const notificationCreatedSchema = z.object({
  id: z.string(),
  message: z.string(),
  type: z.string(),
  userId: z.optional(z.string()),
});
export type NotificationCreated = z.infer<typeof notificationCreatedSchema>;

export interface ServerToClientEvents {
  'notification.created': (
    payload: NotificationCreated,
    meta: RealtimeMeta,
  ) => void;
}

export type ClientToServerEvents = Record<never, never>;
