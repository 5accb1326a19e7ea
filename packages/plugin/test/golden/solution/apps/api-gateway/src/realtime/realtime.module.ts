import { Module } from '@nestjs/common';
import { RealtimeCoreModule } from '@nx-realtime/nest';
import { NOTIFICATIONS_NAMESPACE } from '@acme-ts/realtime-contracts/notifications';
import { WsAuthGuard } from './guards/ws-auth.guard';
import { NotificationsWsConsumer } from './notifications/notifications-ws.consumer';
import { NotificationsGateway } from './notifications/notifications.gateway';

@Module({
  imports: [
    RealtimeCoreModule.forRoot({
      app: 'api-gateway',
      guard: WsAuthGuard,
      // What sockets join, beside the room of their own user.
      rooms: {
        [NOTIFICATIONS_NAMESPACE]: 'tenant',
      },
    }),
  ],
  controllers: [NotificationsWsConsumer],
  providers: [WsAuthGuard, NotificationsGateway],
})
export class RealtimeModule {}
