import {
  type DynamicModule,
  Inject,
  Logger,
  Module,
  type Provider,
} from '@nestjs/common';
import { ModulesContainer } from '@nestjs/core';
import { brokerProvider } from '../broker/broker.provider';
import {
  REALTIME_APP,
  REALTIME_OPTIONS,
  type RealtimeCoreAsyncOptions,
  type RealtimeCoreOptions,
} from '../config/options';
import { loadModuleConfig, REALTIME_CONFIG } from '../config/realtime.config';
import { ConnectionLimits } from '../connections/connection-limits';
import { ConnectionRegistry } from '../connections/connection-registry';
import { RealtimeRevocation } from '../connections/revocation';
import { SessionRegistry } from '../connections/session';
import { requireSingleCopy } from '../copies';
import { Broadcaster } from '../events/broadcaster';
import { EventContext } from '../events/event-context';
import { EventNames } from '../events/event-names';
import { RequestContextService } from '../events/request-context';
import { Handshake } from '../handshake/handshake';
import { SecurityLog } from '../handshake/security-log';
import { TokenVerifier } from '../handshake/token-verifier';
import { endFirst } from '../private-doors';
import { Replicas } from '../replicas/replicas';
import { REALTIME_ROOMS } from '../rooms/rooms';
import { Subscriptions } from '../rooms/subscriptions';
import { RealtimeHealth } from './health';
import { RealtimeShutdown } from './shutdown';

/** Providers that modules of the app may inject. */
const PUBLIC = [
  Broadcaster,
  RealtimeHealth,
  RealtimeRevocation,
  RequestContextService,
  SessionRegistry,
  Subscriptions,
  TokenVerifier,
];

const PROVIDERS: readonly Provider[] = [
  ...PUBLIC,
  {
    provide: REALTIME_APP,
    inject: [REALTIME_OPTIONS],
    useFactory: ({ app }: RealtimeCoreOptions) => app,
  },
  {
    provide: REALTIME_CONFIG,
    inject: [REALTIME_OPTIONS],
    useFactory: ({ env }: RealtimeCoreOptions) =>
      loadModuleConfig(process.env, env ?? {}),
  },
  {
    provide: REALTIME_ROOMS,
    inject: [REALTIME_OPTIONS],
    useFactory: ({ rooms = {} }: RealtimeCoreOptions) =>
      new Map(Object.entries(rooms)),
  },
  brokerProvider,
  ConnectionLimits,
  ConnectionRegistry,
  EventContext,
  EventNames,
  Handshake,
  RealtimeShutdown,
  Replicas,
  SecurityLog,
];

/**
 * The server kernel of an app, for all of its modules: import it once.
 * Gateways, consumers and the guard belong to the modules of the app.
 *
 * @example
 * ```ts
 * @Module({
 *   imports: [
 *     RealtimeCoreModule.forRoot({
 *       app: 'api-gateway',
 *       guard: WsAuthGuard,
 *       rooms: { [NOTIFICATIONS_NAMESPACE]: 'tenant' },
 *     }),
 *   ],
 *   controllers: [NotificationsWsConsumer],
 *   providers: [NotificationsGateway, WsAuthGuard],
 * })
 * export class RealtimeModule {}
 * ```
 */
@Module({})
export class RealtimeCoreModule {
  constructor(@Inject(ModulesContainer) modules: ModulesContainer) {
    requireSingleCopy();
    // A database that services depend on closes after events in hand.
    if (!endFirst(modules, RealtimeCoreModule)) {
      new Logger('Realtime').warn(
        'Modules of the app may close before broker events in hand are done',
      );
    }
  }

  /** The module with options that are known when it is written. */
  static forRoot(options: RealtimeCoreOptions): DynamicModule {
    return moduleOf(options, {
      provide: REALTIME_OPTIONS,
      useValue: options,
    });
  }

  /**
   * The module with options that other providers know.
   *
   * @example
   * ```ts
   * RealtimeCoreModule.forRootAsync({
   *   inject: [ConfigService],
   *   useFactory: (config: ConfigService) => ({
   *     app: 'api-gateway',
   *     guard: WsAuthGuard,
   *     env: { RABBITMQ_URL: config.get('broker.url') },
   *   }),
   * })
   * ```
   */
  static forRootAsync(options: RealtimeCoreAsyncOptions): DynamicModule {
    const { imports = [], inject = [], useFactory } = options;
    return {
      ...moduleOf(options, {
        provide: REALTIME_OPTIONS,
        inject: [...inject],
        useFactory,
      }),
      imports,
    };
  }
}

function moduleOf(
  { observability }: Pick<RealtimeCoreOptions, 'observability'>,
  options: Provider,
): DynamicModule {
  const extension = observability?.providers ?? [];
  return {
    module: RealtimeCoreModule,
    global: true,
    providers: [options, ...PROVIDERS, ...extension],
    exports: [...PUBLIC, ...extension],
  };
}
