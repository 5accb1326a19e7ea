import * as z from 'zod/mini';

/** Socket.IO namespace of this domain. */
export const CHATS_NAMESPACE = '/chats';

/** Sent with each server event: its id, and its time (ISO 8601). */
export type RealtimeMeta = { id: string; at: string };

/** The one shape of every acknowledgement. */
export type RealtimeAck<T = unknown> =
  | { ok: true; data: T }
  | { ok: false; error: { code: string; message: string; details?: unknown } };

export const messagePostedSchema = z.object({
  id: z.uuid(),
  text: z.string(),
  room: z.string(),
  at: z.iso.datetime({ offset: true }),
  tags: z.optional(z.array(z.string())),
});
export type MessagePosted = z.infer<typeof messagePostedSchema>;

export const messageEditedSchema = z.object({
  id: z.uuid(),
  text: z.optional(z.string()),
  editedAt: z.iso.datetime({ offset: true }),
});
export type MessageEdited = z.infer<typeof messageEditedSchema>;

export const messageDeletedSchema = z.object({ id: z.string() });
export type MessageDeleted = z.infer<typeof messageDeletedSchema>;

export const chatClearedSchema = z.object({});
export type ChatCleared = z.infer<typeof chatClearedSchema>;

/** Client events refuse unknown fields. */
export const chatSaySchema = z.strictObject({
  room: z.string(),
  text: z.string(),
  mood: z.optional(z.enum(['happy', 'sad'])),
});
export type ChatSay = z.infer<typeof chatSaySchema>;

export const chatLeaveSchema = z.strictObject({});
export type ChatLeave = z.infer<typeof chatLeaveSchema>;

export interface ServerToClientEvents {
  'message.posted': (payload: MessagePosted, meta: RealtimeMeta) => void;
  'message.edited': (payload: MessageEdited, meta: RealtimeMeta) => void;
  'message.deleted': (payload: MessageDeleted, meta: RealtimeMeta) => void;
  'chat.cleared': (payload: ChatCleared, meta: RealtimeMeta) => void;
}

export interface ClientToServerEvents {
  'chat.say': (payload: ChatSay, ack: (ack: RealtimeAck) => void) => void;
  'chat.leave': (payload: ChatLeave, ack: (ack: RealtimeAck) => void) => void;
}
