import { SubscribeMessage, WebSocketGateway, WebSocketServer } from '@nestjs/websockets';
import { EventPattern, Payload } from '@nestjs/microservices';
import type { Namespace } from 'socket.io';

// finds: require-gateway-auth, no-ignored-gateway-options, no-unsafe-server-options, websocket-only, consumer-in-controllers
@WebSocketGateway({ namespace: '/notifications', maxHttpBufferSize: 1e8 })
export class NotificationsGateway {
  @WebSocketServer()
  io: Namespace;

  @SubscribeMessage('ping')
  ping() {
    return 'pong';
  }

  @EventPattern('notification.created')
  // finds: require-ack
  onCreated(@Payload() data: { userId: string; message: string }) {
    this.io.to(data.userId).emit('notification', data);
  }
}
