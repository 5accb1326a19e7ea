import { Controller } from '@nestjs/common';
import {
  Broadcaster,
  BrokerEvent,
  type BrokerMessage,
  type DomainBroadcaster,
} from '@nx-realtime/nest';
import {
  CHATS_NAMESPACE,
  type MessagePosted,
  messagePostedSchema,
  type MessageEdited,
  messageEditedSchema,
  type MessageDeleted,
  messageDeletedSchema,
  type ChatCleared,
  chatClearedSchema,
  type ServerToClientEvents,
} from '@acme/realtime-contracts/chats';

/** Sends the broker's events on to the clients that they are meant for. */
@Controller()
export class ChatsWsConsumer {
  private readonly clients: DomainBroadcaster<ServerToClientEvents>;

  constructor(broadcaster: Broadcaster) {
    this.clients = broadcaster.namespace(CHATS_NAMESPACE);
  }

  @BrokerEvent('message.posted', {
    key: 'chat',
    schema: messagePostedSchema,
  })
  onMessagePosted({
    tenantId,
    payload,
    meta,
  }: BrokerMessage<MessagePosted>): void {
    this.clients.toTenant(tenantId, 'message.posted', payload, meta);
  }

  @BrokerEvent('message.edited', {
    key: 'chat',
    schema: messageEditedSchema,
  })
  onMessageEdited({
    tenantId,
    payload,
    meta,
  }: BrokerMessage<MessageEdited>): void {
    this.clients.toTenant(tenantId, 'message.edited', payload, meta);
  }

  @BrokerEvent('message.deleted', {
    key: 'chat',
    schema: messageDeletedSchema,
  })
  onMessageDeleted({
    tenantId,
    payload,
    meta,
  }: BrokerMessage<MessageDeleted>): void {
    this.clients.toTenant(tenantId, 'message.deleted', payload, meta);
  }

  @BrokerEvent('chat.cleared', {
    key: 'chat',
    schema: chatClearedSchema,
  })
  onChatCleared({ tenantId, payload, meta }: BrokerMessage<ChatCleared>): void {
    this.clients.toTenant(tenantId, 'chat.cleared', payload, meta);
  }
}
