import {
  type PublishedEvents,
  RealtimePublisherModule,
} from '@nx-realtime/nest/publisher';
import * as notificationsContract from '@acme/realtime-contracts/notifications';
import * as chatsContract from '@acme/realtime-contracts/chats';

/** Every event that this app can publish, by name. */
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
} as const satisfies PublishedEvents;

/** Inject `RealtimePublisher<RealtimeEvents>` where you publish. */
export type RealtimeEvents = typeof REALTIME_EVENTS;

export const RealtimeEventsModule = RealtimePublisherModule.forRoot({
  events: REALTIME_EVENTS,
});
