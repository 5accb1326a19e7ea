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
  type NotificationMarkRead,
  notificationMarkReadSchema,
  NOTIFICATIONS_NAMESPACE,
} from '@acme/realtime-contracts/notifications';
import { WsAuthGuard } from '../guards/ws-auth.guard';
import { NotificationsService } from './notifications.service';

@WebSocketGateway({ namespace: NOTIFICATIONS_NAMESPACE })
@UseGuards(WsAuthGuard)
@UseFilters(AckExceptionFilter)
export class NotificationsGateway {
  constructor(private readonly service: NotificationsService) {}

  @SubscribeMessage('notification.markRead')
  markRead(
    @MessageBody(new ContractPipe(notificationMarkReadSchema))
    payload: NotificationMarkRead,
    @ConnectedSocket() socket: RealtimeSocket,
  ): unknown {
    return this.service.markRead(payload, socket.data.identity);
  }
}
