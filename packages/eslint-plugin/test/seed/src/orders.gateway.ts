import { UseGuards } from '@nestjs/common';
import {
  ConnectedSocket,
  type OnGatewayConnection,
  SubscribeMessage,
  WebSocketGateway,
  WebSocketServer,
} from '@nestjs/websockets';
import { Namespace, Socket } from 'socket.io';
import type { Order } from './orders.service';
import { WsJwtGuard } from './ws-jwt.guard';

const tenantRoom = (tenantId: string): string => `tenant:${tenantId}`;
const userRoom = (tenantId: string, userId: string): string => `user:${tenantId}:${userId}`;

@UseGuards(WsJwtGuard)
@WebSocketGateway({ namespace: '/orders' })
export class OrdersGateway implements OnGatewayConnection {
  @WebSocketServer()
  server: Namespace;

  handleConnection(client: Socket) {
    // finds: no-guard-on-connection
    const { tenantId, userId } = client.data;
    void client.join([tenantRoom(tenantId), userRoom(tenantId, userId)]);
  }

  @SubscribeMessage('whoami')
  whoami(@ConnectedSocket() client: Socket) {
    return { tenantId: client.data.tenantId };
  }

  placed(order: Order) {
    // finds: no-broadcast-without-room
    this.server.emit('order.placed', order);
  }

  invoiced(order: Order) {
    this.notifyUser(order.tenantId, 'u1', `Invoice of ${order.id}`);
  }

  private notifyUser(tenantId: string, userId: string, text: string) {
    // finds: no-broadcast-without-room
    this.server
      .to(tenantRoom(tenantId))
      .except(userRoom(tenantId, userId))
      .emit('notice', { text });
  }
}
