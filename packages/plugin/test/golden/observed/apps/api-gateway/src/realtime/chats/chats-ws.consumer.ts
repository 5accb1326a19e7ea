import { Controller } from '@nestjs/common';
import {
  Broadcaster,
  BrokerEvent,
  type BrokerMessage,
  type DomainBroadcaster,
  requireRecipient,
} from '@nx-realtime/nest';
import {
  CHATS_NAMESPACE,
  type ChatCreated,
  chatCreatedSchema,
  type ServerToClientEvents,
} from '@observed/realtime-contracts/chats';

/** Sends the broker's events on to the clients that they are meant for. */
@Controller()
export class ChatsWsConsumer {
  private readonly clients: DomainBroadcaster<ServerToClientEvents>;

  constructor(broadcaster: Broadcaster) {
    this.clients = broadcaster.namespace(CHATS_NAMESPACE);
  }

  @BrokerEvent('chat.created', {
    key: 'chat',
    schema: chatCreatedSchema,
  })
  onChatCreated({ tenantId, payload, meta }: BrokerMessage<ChatCreated>): void {
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
