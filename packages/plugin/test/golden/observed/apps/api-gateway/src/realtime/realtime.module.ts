import { Module } from '@nestjs/common';
import { TerminusModule } from '@nestjs/terminus';
import { NOTIFICATIONS_NAMESPACE } from '@observed/realtime-contracts/notifications';
import { CHATS_NAMESPACE } from '@observed/realtime-contracts/chats';
import { brokerProvider } from './core/broker.provider';
import { Broadcaster } from './core/broadcaster';
import { ConnectionLimits } from './core/connection-limits';
import { RealtimeHealth } from './core/health';
import { RealtimeMetrics } from './core/metrics';
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
import { Subscriptions } from './core/subscriptions';
import { TokenVerifier } from './core/token-verifier';
import { RealtimeTracing } from './core/tracing';
import { WsAuthGuard } from './guards/ws-auth.guard';
import { NotificationsWsConsumer } from './notifications/notifications-ws.consumer';
import { NotificationsGateway } from './notifications/notifications.gateway';
import { ChatsWsConsumer } from './chats/chats-ws.consumer';
import { ChatsGateway } from './chats/chats.gateway';
import { ChatsPolicy } from './chats/chats.policy';

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
        [CHATS_NAMESPACE, 'user'],
      ]),
    },
    brokerProvider,
    Broadcaster,
    ConnectionLimits,
    RealtimeHealth,
    {
      provide: RealtimeMetrics,
      useFactory: () =>
        new RealtimeMetrics(process.env['REALTIME_METRICS_ADDRESS']),
    },
    RealtimeRevocation,
    RealtimeShutdown,
    RealtimeTracing,
    Replicas,
    RequestContextService,
    SecurityLog,
    SessionRegistry,
    Subscriptions,
    TokenVerifier,
    WsAuthGuard,
    NotificationsGateway,
    ChatsGateway,
    ChatsPolicy,
  ],
  exports: [
    Broadcaster,
    RealtimeHealth,
    RealtimeMetrics,
    RealtimeRevocation,
    RequestContextService,
    SessionRegistry,
    Subscriptions,
    TokenVerifier,
  ],
})
export class RealtimeModule {}
