import { UseFilters, UseGuards } from '@nestjs/common';
import {
  ConnectedSocket,
  MessageBody,
  SubscribeMessage,
  WebSocketGateway,
} from '@nestjs/websockets';
import {
  AckExceptionFilter,
  ContractPipe,
  type RealtimeSocket,
  Subscriptions,
} from '@nx-realtime/nest';
import {
  type ChatSubscribe,
  chatSubscribeSchema,
  type ChatUnsubscribe,
  chatUnsubscribeSchema,
  CHATS_NAMESPACE,
} from '@observed/realtime-contracts/chats';
import { WsAuthGuard } from '../guards/ws-auth.guard';
import { ChatsPolicy } from './chats.policy';

@WebSocketGateway({ namespace: CHATS_NAMESPACE })
@UseGuards(WsAuthGuard)
@UseFilters(AckExceptionFilter)
export class ChatsGateway {
  constructor(
    private readonly subscriptions: Subscriptions,
    policy: ChatsPolicy,
  ) {
    subscriptions.protect(CHATS_NAMESPACE, policy);
  }

  @SubscribeMessage('chat.subscribe')
  subscribe(
    @MessageBody(new ContractPipe(chatSubscribeSchema))
    { id }: ChatSubscribe,
    @ConnectedSocket() socket: RealtimeSocket,
  ): unknown {
    return this.subscriptions.subscribe(socket, id);
  }

  @SubscribeMessage('chat.unsubscribe')
  unsubscribe(
    @MessageBody(new ContractPipe(chatUnsubscribeSchema))
    { id }: ChatUnsubscribe,
    @ConnectedSocket() socket: RealtimeSocket,
  ): unknown {
    return this.subscriptions.unsubscribe(socket, id);
  }
}
