import { Controller } from '@nestjs/common';
import {
  Broadcaster,
  BrokerEvent,
  type BrokerMessage,
  type DomainBroadcaster,
  requireRecipient,
} from '@nx-realtime/nest';
import {
  NOTIFICATIONS_NAMESPACE,
  type NotificationCreated,
  notificationCreatedSchema,
  type ServerToClientEvents,
} from '@acme-ts/realtime-contracts/notifications';

/** Sends the broker's events on to the clients that they are meant for. */
@Controller()
export class NotificationsWsConsumer {
  private readonly clients: DomainBroadcaster<ServerToClientEvents>;

  constructor(broadcaster: Broadcaster) {
    this.clients = broadcaster.namespace(NOTIFICATIONS_NAMESPACE);
  }

  @BrokerEvent('notification.created', {
    key: 'notification',
    schema: notificationCreatedSchema,
  })
  onNotificationCreated({
    tenantId,
    payload,
    meta,
  }: BrokerMessage<NotificationCreated>): void {
    const recipient = payload.userId;
    if (recipient === undefined) {
      this.clients.toTenant(tenantId, 'notification.created', payload, meta);
      return;
    }
    this.clients.toUser(
      tenantId,
      requireRecipient(recipient),
      'notification.created',
      payload,
      meta,
    );
  }
}
