/** The comparison (b): the usual recipe in Nest, without the protections that it usually lacks. */
import 'reflect-metadata';
import { Controller, Inject, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { JwtModule, JwtService } from '@nestjs/jwt';
import type { RmqContext } from '@nestjs/microservices';
import { Ctx, EventPattern, Payload, Transport } from '@nestjs/microservices';
import { IoAdapter } from '@nestjs/platform-socket.io';
import {
  SubscribeMessage,
  WebSocketGateway,
  WebSocketServer,
  type OnGatewayConnection,
} from '@nestjs/websockets';
import type { Namespace, Socket } from 'socket.io';

const { PORT, JWT_SECRET, JWT_PUBLIC_KEY, RABBITMQ_URL = '' } = process.env;

@WebSocketGateway({ namespace: '/notifications', transports: ['websocket'] })
class NotificationsGateway implements OnGatewayConnection {
  @WebSocketServer() server!: Namespace;

  constructor(@Inject(JwtService) private readonly jwt: JwtService) {}

  handleConnection(client: Socket): void {
    try {
      const claims = this.jwt.verify<{ tenantId: string; sub: string }>(
        client.handshake.auth['token'] as string,
      );
      void client.join([`tenant:${claims.tenantId}`, `user:${claims.sub}`]);
    } catch {
      client.disconnect(true);
    }
  }

  @SubscribeMessage('notification.markRead')
  markRead(): unknown {
    return { ok: true, data: null };
  }
}

@Controller()
class NotificationsConsumer {
  constructor(@Inject(NotificationsGateway) private readonly gateway: NotificationsGateway) {}

  @EventPattern('notification.created')
  created(
    @Payload() data: { tenantId: string; notification: object },
    @Ctx() context: RmqContext,
  ): void {
    const message = context.getMessage() as { properties: { messageId: string } };
    const meta = { id: message.properties.messageId, at: new Date().toISOString() };
    this.gateway.server
      .to(`tenant:${data.tenantId}`)
      .emit('notification.created', data.notification, meta);
    context.getChannelRef().ack(context.getMessage());
  }
}

@Module({
  imports: [
    JwtModule.register(
      JWT_PUBLIC_KEY
        ? { publicKey: JWT_PUBLIC_KEY, verifyOptions: { algorithms: ['RS256'] } }
        : { secret: JWT_SECRET as string, verifyOptions: { algorithms: ['HS256'] } },
    ),
  ],
  controllers: [NotificationsConsumer],
  providers: [NotificationsGateway],
})
class AppModule {}

async function main(): Promise<void> {
  const app = await NestFactory.create(AppModule, { logger: ['error', 'warn'] });
  app.useWebSocketAdapter(new IoAdapter(app));
  app.connectMicroservice({
    transport: Transport.RMQ,
    options: {
      urls: [RABBITMQ_URL],
      queue: 'bench.nest',
      exchange: 'realtime.events',
      exchangeType: 'topic',
      routingKey: 'notification.created',
      noAck: false,
      prefetchCount: 100,
      queueOptions: { durable: true, arguments: { 'x-queue-type': 'quorum' } },
    },
  });
  await app.listen(Number(PORT));
  await app.startAllMicroservices();
  process.stdout.write('listening\n');
}

void main();
