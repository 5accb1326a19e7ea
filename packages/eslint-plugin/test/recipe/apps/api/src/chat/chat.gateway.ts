import { BadRequestException, Logger, UseGuards } from '@nestjs/common';
import { JwtService } from '@nestjs/jwt';
import {
  ConnectedSocket,
  MessageBody,
  type OnGatewayConnection,
  type OnGatewayDisconnect,
  SubscribeMessage,
  WebSocketGateway,
  WebSocketServer,
} from '@nestjs/websockets';
import type { Server, Socket } from 'socket.io';
import { WsJwtGuard } from '../auth/ws-jwt.guard';
import { ChatService, PrismaService } from './chat.service';

interface SendMessage {
  room: string;
  text: string;
  tenantId: string;
}

// finds: websocket-only
@WebSocketGateway({
  namespace: '/chat',
  // finds: require-origin-check
  cors: {
    // finds: no-permissive-cors
    origin: '*',
  },
})
export class ChatGateway implements OnGatewayConnection, OnGatewayDisconnect {
  @WebSocketServer()
  server: Server;

  private readonly logger = new Logger(ChatGateway.name);
  private readonly users = new Map<string, string>();
  private readonly sockets = new Map<string, string>();

  constructor(
    private readonly jwtService: JwtService,
    private readonly chatService: ChatService,
    // finds: no-logic-in-gateway
    private readonly prisma: PrismaService,
  ) {}

  // finds: no-guard-on-connection
  @UseGuards(WsJwtGuard)
  async handleConnection(client: Socket) {
    // finds: no-token-in-query
    const token = client.handshake.query.token as string;
    if (!token) {
      // finds: no-throw-in-connection-hook
      throw new Error('Unauthorized');
    }
    // finds: no-auth-in-handle-connection, require-jwt-algorithms, no-throw-in-connection-hook
    const payload = await this.jwtService.verifyAsync(token);
    client.data.user = payload;
    // finds: no-leak-after-disconnect
    this.users.set(client.id, payload.sub);
    // finds: no-single-socket-per-user
    this.sockets.set(payload.sub, client.id);
    // finds: no-inline-room-name
    await client.join(`user:${payload.sub}`);
    // finds: prefer-logger
    console.log(`Client connected: ${client.id}`);
    // finds: require-ack-timeout
    await client.emitWithAck('welcome', payload.sub);
    // finds: no-leak-after-disconnect
    setInterval(() => client.emit('server.time', Date.now()), 30_000);
  }

  handleDisconnect(client: Socket) {
    // finds: prefer-logger
    console.log('Client disconnected', client.id);
  }

  @SubscribeMessage('room.join')
  async join(
    @ConnectedSocket() client: Socket,
    // finds: require-payload-validation
    @MessageBody() data: { room: string },
  ) {
    // finds: no-room-from-client-input
    await client.join(data.room);
    return { joined: data.room };
  }

  @UseGuards(WsJwtGuard)
  @SubscribeMessage('message.send')
  async send(
    @ConnectedSocket() client: Socket,
    // finds: require-payload-validation
    @MessageBody() data: SendMessage,
  ) {
    const count = await this.prisma.message.count({
      // finds: no-tenant-from-payload
      where: { tenantId: data.tenantId },
    });
    const message = await this.chatService.save(data);
    // finds: no-room-from-client-input
    this.server.to(data.room).emit('message.created', message);
    // finds: no-broadcast-without-room
    this.server.emit('message.count', count);
    // finds: no-broadcast-without-room
    this.server.except(client.id).emit('message.notice', message.text);
    // finds: no-broadcast-without-room
    client.broadcast.emit('typing.stopped', client.id);
    this.logger.debug('sent');
  }

  @UseGuards(WsJwtGuard)
  @SubscribeMessage('room.rules')
  rules(
    // finds: require-payload-validation
    @MessageBody() data: { room: string },
  ) {
    return this.chatService.rulesOf(data.room);
  }

  @SubscribeMessage('message.remove')
  async remove(
    // finds: require-payload-validation
    @MessageBody() data: { messageId: string; authorId: string },
  ) {
    // finds: no-http-exception-in-gateway
    if (!data.messageId) throw new BadRequestException('messageId is missing');
    try {
      // finds: no-unchecked-resource, no-identity-from-client
      return await this.chatService.remove(data.messageId, data.authorId);
    } catch (error) {
      // finds: no-stack-to-client
      return { ok: false, stack: (error as Error).stack };
    }
  }

  notifyTenants(rooms: string[]) {
    // finds: no-broadcast-without-room
    this.server.to([]).emit('tenants.changed', rooms.length);
  }
}
