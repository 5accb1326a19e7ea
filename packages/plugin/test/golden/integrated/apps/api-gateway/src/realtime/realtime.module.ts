import { Module } from '@nestjs/common';
import { TerminusModule } from '@nestjs/terminus';
import { NOTIFICATIONS_NAMESPACE } from '@acme/realtime-contracts/notifications';
import { CHATS_NAMESPACE } from '@acme/realtime-contracts/chats';
import { brokerProvider } from './core/broker.provider';
import { Broadcaster } from './core/broadcaster';
import { ConnectionLimits } from './core/connection-limits';
import { RealtimeHealth } from './core/health';
import {
  loadRealtimeConfig,
  REALTIME_APP,
  REALTIME_CONFIG,
} from './core/realtime.config';
import { Replicas } from './core/replicas';
import { RequestContextService } from './core/request-context';
import { RealtimeRevocation } from './core/revocation';
import { type JoinedRooms, REALTIME_ROOMS } from './core/rooms';
import { SecurityLog } from './core/security-log';
import { SessionRegistry } from './core/session';
import { RealtimeShutdown } from './core/shutdown';
import { TokenVerifier } from './core/token-verifier';
import { WsAuthGuard } from './guards/ws-auth.guard';
import { NotificationsWsConsumer } from './notifications/notifications-ws.consumer';
import { NotificationsGateway } from './notifications/notifications.gateway';
import { NotificationsService } from './notifications/notifications.service';
import { ChatsWsConsumer } from './chats/chats-ws.consumer';
import { ChatsGateway } from './chats/chats.gateway';
import { ChatsService } from './chats/chats.service';

@Module({
  // Without a logger: the endpoints of the kernel are asked every few seconds.
  imports: [TerminusModule.forRoot({ logger: false })],
  controllers: [NotificationsWsConsumer, ChatsWsConsumer],
  providers: [
    {
      provide: REALTIME_APP,
      useValue: 'api-gateway',
    },
    {
      provide: REALTIME_CONFIG,
      useFactory: () => loadRealtimeConfig(process.env),
    },
    {
      provide: REALTIME_ROOMS,
      useValue: new Map<string, JoinedRooms>([
        [NOTIFICATIONS_NAMESPACE, 'tenant'],
        [CHATS_NAMESPACE, 'tenant'],
      ]),
    },
    brokerProvider,
    Broadcaster,
    ConnectionLimits,
    RealtimeHealth,
    RealtimeRevocation,
    RealtimeShutdown,
    Replicas,
    RequestContextService,
    SecurityLog,
    SessionRegistry,
    TokenVerifier,
    WsAuthGuard,
    NotificationsGateway,
    NotificationsService,
    ChatsGateway,
    ChatsService,
  ],
  exports: [
    Broadcaster,
    RealtimeHealth,
    RealtimeRevocation,
    RequestContextService,
    SessionRegistry,
    TokenVerifier,
  ],
})
export class RealtimeModule {}
