import { Controller } from '@nestjs/common';
import { Ctx, EventPattern, Payload } from '@nestjs/microservices';
import {
  NOTIFICATIONS_NAMESPACE,
  notificationCreatedSchema,
  type ServerToClientEvents,
} from '@observed/realtime-contracts/notifications';
import { Broadcaster, type DomainBroadcaster } from '../core/broadcaster';
import {
  BROKER_EVENT,
  type BrokerEventContext,
  parseBrokerEvent,
  REALTIME_BROKER,
  requireRecipient,
} from '../core/broker';

/** Sends the broker's events on to the clients that they are meant for. */
@Controller()
export class NotificationsWsConsumer {
  private readonly clients: DomainBroadcaster<ServerToClientEvents>;

  constructor(broadcaster: Broadcaster) {
    this.clients = broadcaster.namespace(NOTIFICATIONS_NAMESPACE);
  }

  @EventPattern('notification.created', REALTIME_BROKER, BROKER_EVENT)
  onNotificationCreated(
    @Payload() data: unknown,
    @Ctx() { meta }: BrokerEventContext,
  ): void {
    const { tenantId, payload } = parseBrokerEvent(
      data,
      'notification',
      notificationCreatedSchema,
    );
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
