import * as z from 'zod/mini';

/** Socket.IO namespace of this domain. */
export const CHATS_NAMESPACE = '/chats';

/** Sent with each server event: its id, and its time (ISO 8601). */
export type RealtimeMeta = { id: string; at: string };

/** The one shape of every acknowledgement. */
export type RealtimeAck<T = unknown> =
  | { ok: true; data: T }
  | { ok: false; error: { code: string; message: string; details?: unknown } };

export const chatCreatedSchema = z.object({
  id: z.string(),
  message: z.string(),
  type: z.string(),
  chatId: z.string(),
});
export type ChatCreated = z.infer<typeof chatCreatedSchema>;

/** Client events refuse unknown fields. */
export const chatSubscribeSchema = z.strictObject({ id: z.string() });
export type ChatSubscribe = z.infer<typeof chatSubscribeSchema>;

export const chatUnsubscribeSchema = z.strictObject({ id: z.string() });
export type ChatUnsubscribe = z.infer<typeof chatUnsubscribeSchema>;

export interface ServerToClientEvents {
  'chat.created': (payload: ChatCreated, meta: RealtimeMeta) => void;
}

export interface ClientToServerEvents {
  'chat.subscribe': (
    payload: ChatSubscribe,
    ack: (ack: RealtimeAck) => void,
  ) => void;
  'chat.unsubscribe': (
    payload: ChatUnsubscribe,
    ack: (ack: RealtimeAck) => void,
  ) => void;
}
