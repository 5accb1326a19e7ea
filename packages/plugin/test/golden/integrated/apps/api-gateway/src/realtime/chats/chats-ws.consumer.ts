import { Controller } from '@nestjs/common';
import { Ctx, EventPattern, Payload } from '@nestjs/microservices';
import {
  CHATS_NAMESPACE,
  messagePostedSchema,
  messageEditedSchema,
  messageDeletedSchema,
  chatClearedSchema,
  type ServerToClientEvents,
} from '@acme/realtime-contracts/chats';
import { Broadcaster, type DomainBroadcaster } from '../core/broadcaster';
import {
  BROKER_EVENT,
  type BrokerEventContext,
  parseBrokerEvent,
  REALTIME_BROKER,
} from '../core/broker';

/** Sends the broker's events on to the clients that they are meant for. */
@Controller()
export class ChatsWsConsumer {
  private readonly clients: DomainBroadcaster<ServerToClientEvents>;

  constructor(broadcaster: Broadcaster) {
    this.clients = broadcaster.namespace(CHATS_NAMESPACE);
  }

  @EventPattern('message.posted', REALTIME_BROKER, BROKER_EVENT)
  onMessagePosted(
    @Payload() data: unknown,
    @Ctx() { meta }: BrokerEventContext,
  ): void {
    const { tenantId, payload } = parseBrokerEvent(
      data,
      'chat',
      messagePostedSchema,
    );
    this.clients.toTenant(tenantId, 'message.posted', payload, meta);
  }

  @EventPattern('message.edited', REALTIME_BROKER, BROKER_EVENT)
  onMessageEdited(
    @Payload() data: unknown,
    @Ctx() { meta }: BrokerEventContext,
  ): void {
    const { tenantId, payload } = parseBrokerEvent(
      data,
      'chat',
      messageEditedSchema,
    );
    this.clients.toTenant(tenantId, 'message.edited', payload, meta);
  }

  @EventPattern('message.deleted', REALTIME_BROKER, BROKER_EVENT)
  onMessageDeleted(
    @Payload() data: unknown,
    @Ctx() { meta }: BrokerEventContext,
  ): void {
    const { tenantId, payload } = parseBrokerEvent(
      data,
      'chat',
      messageDeletedSchema,
    );
    this.clients.toTenant(tenantId, 'message.deleted', payload, meta);
  }

  @EventPattern('chat.cleared', REALTIME_BROKER, BROKER_EVENT)
  onChatCleared(
    @Payload() data: unknown,
    @Ctx() { meta }: BrokerEventContext,
  ): void {
    const { tenantId, payload } = parseBrokerEvent(
      data,
      'chat',
      chatClearedSchema,
    );
    this.clients.toTenant(tenantId, 'chat.cleared', payload, meta);
  }
}
