import { z } from 'zod';

/** Socket.IO namespace of this domain. */
export const NOTIFICATIONS_NAMESPACE = '/notifications';

/** Sent with each server event: the event's id and its time (ISO 8601). */
export interface RealtimeMeta {
  id: string;
  at: string;
}

/** The one shape of every acknowledgement. */
export type RealtimeAck<T = unknown> =
  | {
      ok: true;
      data: T;
    }
  | {
      ok: false;
      error: RealtimeAckError;
    };

export interface RealtimeAckError {
  code: string;
  message: string;
  details?: unknown;
}

export const notificationCreatedSchema = z.object({
  id: z.string(),
  message: z.string(),
  type: z.string(),
  userId: z.string().optional(),
});
export type NotificationCreated = z.infer<typeof notificationCreatedSchema>;

export interface ServerToClientEvents {
  'notification.created': (
    payload: NotificationCreated,
    meta: RealtimeMeta,
  ) => void;
}

export type ClientToServerEvents = Record<never, never>;
