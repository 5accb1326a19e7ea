import { Module } from '@nestjs/common';
import { RealtimeCoreModule } from '@nx-realtime/nest';
import { NOTIFICATIONS_NAMESPACE } from '@acme/realtime-contracts/notifications';
import { CHATS_NAMESPACE } from '@acme/realtime-contracts/chats';
import { WsAuthGuard } from './guards/ws-auth.guard';
import { NotificationsWsConsumer } from './notifications/notifications-ws.consumer';
import { NotificationsGateway } from './notifications/notifications.gateway';
import { NotificationsService } from './notifications/notifications.service';
import { ChatsWsConsumer } from './chats/chats-ws.consumer';
import { ChatsGateway } from './chats/chats.gateway';
import { ChatsService } from './chats/chats.service';

@Module({
  imports: [
    RealtimeCoreModule.forRoot({
      app: 'api-gateway',
      guard: WsAuthGuard,
      // What sockets join, beside the room of their own user.
      rooms: {
        [NOTIFICATIONS_NAMESPACE]: 'tenant',
        [CHATS_NAMESPACE]: 'tenant',
      },
    }),
  ],
  controllers: [NotificationsWsConsumer, ChatsWsConsumer],
  providers: [
    WsAuthGuard,
    NotificationsGateway,
    NotificationsService,
    ChatsGateway,
    ChatsService,
  ],
})
export class RealtimeModule {}
