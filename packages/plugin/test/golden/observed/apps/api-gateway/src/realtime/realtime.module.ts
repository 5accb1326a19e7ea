import { Module } from '@nestjs/common';
import { RealtimeCoreModule } from '@nx-realtime/nest';
import { realtimeObservability } from '@nx-realtime/nest/observability';
import { NOTIFICATIONS_NAMESPACE } from '@observed/realtime-contracts/notifications';
import { CHATS_NAMESPACE } from '@observed/realtime-contracts/chats';
import { WsAuthGuard } from './guards/ws-auth.guard';
import { NotificationsWsConsumer } from './notifications/notifications-ws.consumer';
import { NotificationsGateway } from './notifications/notifications.gateway';
import { ChatsWsConsumer } from './chats/chats-ws.consumer';
import { ChatsGateway } from './chats/chats.gateway';
import { ChatsPolicy } from './chats/chats.policy';

@Module({
  imports: [
    RealtimeCoreModule.forRoot({
      app: 'api-gateway',
      guard: WsAuthGuard,
      // What sockets join, beside the room of their own user.
      rooms: {
        [NOTIFICATIONS_NAMESPACE]: 'tenant',
        [CHATS_NAMESPACE]: 'user',
      },
      observability: realtimeObservability(),
    }),
  ],
  controllers: [NotificationsWsConsumer, ChatsWsConsumer],
  providers: [WsAuthGuard, NotificationsGateway, ChatsGateway, ChatsPolicy],
})
export class RealtimeModule {}
