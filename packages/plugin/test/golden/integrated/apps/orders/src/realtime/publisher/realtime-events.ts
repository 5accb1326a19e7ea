import type { ZodType } from 'zod';
import * as notificationsContract from '@acme/realtime-contracts/notifications';
import * as chatsContract from '@acme/realtime-contracts/chats';

export interface EventSpec {
  /** Of the payload, in the event's data. */
  readonly key: string;
  readonly schema: ZodType;
  /** The variable that holds the port of its app on the embedded transport. */
  readonly tcpPort: string;
}

/** Every event that can be published, by name. */
export const REALTIME_EVENTS = {
  'notification.created': {
    key: 'notification',
    schema: notificationsContract.notificationCreatedSchema,
    tcpPort: 'REALTIME_TCP_PORT_API_GATEWAY',
  },
  'message.posted': {
    key: 'chat',
    schema: chatsContract.messagePostedSchema,
    tcpPort: 'REALTIME_TCP_PORT_API_GATEWAY',
  },
  'message.edited': {
    key: 'chat',
    schema: chatsContract.messageEditedSchema,
    tcpPort: 'REALTIME_TCP_PORT_API_GATEWAY',
  },
  'message.deleted': {
    key: 'chat',
    schema: chatsContract.messageDeletedSchema,
    tcpPort: 'REALTIME_TCP_PORT_API_GATEWAY',
  },
  'chat.cleared': {
    key: 'chat',
    schema: chatsContract.chatClearedSchema,
    tcpPort: 'REALTIME_TCP_PORT_API_GATEWAY',
  },
} as const satisfies Record<string, EventSpec>;

export type RealtimeEvent = keyof typeof REALTIME_EVENTS;

export type RealtimePayload<E extends RealtimeEvent> =
  (typeof REALTIME_EVENTS)[E] extends { schema: ZodType<infer Payload> }
    ? Payload
    : never;

/** The variables that the embedded transport needs. */
export const TCP_PORTS: readonly string[] = ['REALTIME_TCP_PORT_API_GATEWAY'];
