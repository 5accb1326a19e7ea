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
} from '@nx-realtime/nest';
import {
  type ChatSay,
  chatSaySchema,
  type ChatLeave,
  chatLeaveSchema,
  CHATS_NAMESPACE,
} from '@acme/realtime-contracts/chats';
import { WsAuthGuard } from '../guards/ws-auth.guard';
import { ChatsService } from './chats.service';

@WebSocketGateway({ namespace: CHATS_NAMESPACE })
@UseGuards(WsAuthGuard)
@UseFilters(AckExceptionFilter)
export class ChatsGateway {
  constructor(private readonly service: ChatsService) {}

  @SubscribeMessage('chat.say')
  say(
    @MessageBody(new ContractPipe(chatSaySchema))
    payload: ChatSay,
    @ConnectedSocket() socket: RealtimeSocket,
  ): unknown {
    return this.service.say(payload, socket.data.identity);
  }

  @SubscribeMessage('chat.leave')
  leave(
    @MessageBody(new ContractPipe(chatLeaveSchema))
    payload: ChatLeave,
    @ConnectedSocket() socket: RealtimeSocket,
  ): unknown {
    return this.service.leave(payload, socket.data.identity);
  }
}
