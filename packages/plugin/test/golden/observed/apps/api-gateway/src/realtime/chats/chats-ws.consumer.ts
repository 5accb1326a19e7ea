import { Controller } from '@nestjs/common';
import { Ctx, EventPattern, Payload } from '@nestjs/microservices';
import {
  CHATS_NAMESPACE,
  chatCreatedSchema,
  type ServerToClientEvents,
} from '@observed/realtime-contracts/chats';
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
export class ChatsWsConsumer {
  private readonly clients: DomainBroadcaster<ServerToClientEvents>;

  constructor(broadcaster: Broadcaster) {
    this.clients = broadcaster.namespace(CHATS_NAMESPACE);
  }

  @EventPattern('chat.created', REALTIME_BROKER, BROKER_EVENT)
  onChatCreated(
    @Payload() data: unknown,
    @Ctx() { meta }: BrokerEventContext,
  ): void {
    const { tenantId, payload } = parseBrokerEvent(
      data,
      'chat',
      chatCreatedSchema,
    );
    const recipient = payload.chatId;
    this.clients.toResource(
      tenantId,
      requireRecipient(recipient),
      'chat.created',
      payload,
      meta,
    );
  }
}
