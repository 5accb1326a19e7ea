import {
  type DynamicModule,
  Module,
  type Provider,
  type Type,
} from '@nestjs/common';
import { PUBLISHED_EVENTS, type PublishedEvents } from './published-events';
import {
  loadPublisherModuleConfig,
  PUBLISHER_CONFIG,
  type PublisherConfig,
  type PublisherVariables,
} from './publisher.config';
import { NoTransport } from './no.transport';
import { PublisherTransport } from './publisher.transport';
import { RealtimePublisher } from './realtime-publisher';
import { RmqTransport } from './rmq.transport';
import { TcpTransport } from './tcp.transport';

/** Injection token of the options of RealtimePublisherModule. */
const OPTIONS: unique symbol = Symbol.for(
  '@nx-realtime/nest:publisher-options',
);

/**
 * Options of `RealtimePublisherModule.forRoot`.
 *
 * @example
 * ```ts
 * const options: RealtimePublisherOptions = { events: REALTIME_EVENTS };
 * ```
 */
export interface RealtimePublisherOptions {
  /** Events that the app publishes. */
  readonly events: PublishedEvents;
  /** Values in place of environment variables, by the same names. */
  readonly env?: PublisherVariables | undefined;
}

/**
 * Options of `RealtimePublisherModule.forRootAsync`.
 *
 * @example
 * ```ts
 * const options: RealtimePublisherAsyncOptions = {
 *   inject: [ConfigService],
 *   useFactory: (config: ConfigService) => ({
 *     events: REALTIME_EVENTS,
 *     env: { RABBITMQ_URL: config.get('broker.url') },
 *   }),
 * };
 * ```
 */
export interface RealtimePublisherAsyncOptions {
  /** Modules that export what `inject` names. */
  readonly imports?: DynamicModule['imports'];
  /** Providers that the factory gets. */
  readonly inject?: readonly (Type | string | symbol)[] | undefined;
  /** Makes the options of what `inject` names, in that order. */
  readonly useFactory: (
    ...dependencies: never[]
  ) => RealtimePublisherOptions | Promise<RealtimePublisherOptions>;
}

const PROVIDERS: readonly Provider[] = [
  {
    provide: PUBLISHED_EVENTS,
    inject: [OPTIONS],
    useFactory: ({ events }: RealtimePublisherOptions) => events,
  },
  {
    provide: PUBLISHER_CONFIG,
    inject: [OPTIONS],
    useFactory: ({ events, env }: RealtimePublisherOptions) =>
      loadPublisherModuleConfig({ ...process.env, ...env }, portsOf(events)),
  },
  {
    provide: PublisherTransport,
    inject: [PUBLISHER_CONFIG],
    useFactory: ({
      rabbitmqUrl,
      tcpPorts,
      timeoutMs,
      exchange,
      incomplete,
    }: PublisherConfig): PublisherTransport =>
      incomplete
        ? new NoTransport(incomplete)
        : rabbitmqUrl
          ? new RmqTransport(rabbitmqUrl, timeoutMs, exchange)
          : new TcpTransport(tcpPorts, timeoutMs),
  },
  RealtimePublisher,
];

/**
 * Provides RealtimePublisher to every module of an app.
 *
 * @example
 * ```ts
 * imports: [RealtimePublisherModule.forRoot({ events: REALTIME_EVENTS })]
 * ```
 */
@Module({})
export class RealtimePublisherModule {
  /** The module with options that are known when it is written. */
  static forRoot(options: RealtimePublisherOptions): DynamicModule {
    return moduleOf({ provide: OPTIONS, useValue: options });
  }

  /** The module with options that other providers know. */
  static forRootAsync(options: RealtimePublisherAsyncOptions): DynamicModule {
    const { imports = [], inject = [], useFactory } = options;
    const provider = { provide: OPTIONS, inject: [...inject], useFactory };
    return { ...moduleOf(provider), imports };
  }
}

function moduleOf(options: Provider): DynamicModule {
  return {
    module: RealtimePublisherModule,
    global: true,
    providers: [options, ...PROVIDERS],
    exports: [RealtimePublisher],
  };
}

/** The variables that the embedded transport needs. */
function portsOf(events: PublishedEvents): string[] {
  return [...new Set(Object.values(events).map(({ tcpPort }) => tcpPort))];
}
