import {
  type DynamicModule,
  Module,
  type Provider,
  type Type,
} from '@nestjs/common';
import { PUBLISHED_EVENTS, type PublishedEvents } from './published-events';
import {
  loadPublisherConfig,
  PUBLISHER_CONFIG,
  type PublisherConfig,
  type PublisherVariables,
} from './publisher.config';
import { PublisherTransport } from './publisher.transport';
import { RealtimePublisher } from './realtime-publisher';
import { RmqTransport } from './rmq.transport';
import { TcpTransport } from './tcp.transport';

/** Injection token of what RealtimePublisherModule was given. */
const OPTIONS: unique symbol = Symbol.for(
  '@nx-realtime/nest:publisher-options',
);

/** What `RealtimePublisherModule.forRoot` takes. */
export interface RealtimePublisherOptions {
  readonly events: PublishedEvents;
  /** Values in place of environment variables, by the same names. */
  readonly env?: PublisherVariables | undefined;
}

/** What `RealtimePublisherModule.forRootAsync` takes. */
export interface RealtimePublisherAsyncOptions {
  readonly imports?: DynamicModule['imports'];
  readonly inject?: readonly (Type | string | symbol)[] | undefined;
  /** Gets what `inject` names, in that order. */
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
      loadPublisherConfig({ ...process.env, ...env }, portsOf(events)),
  },
  {
    provide: PublisherTransport,
    inject: [PUBLISHER_CONFIG],
    useFactory: ({
      rabbitmqUrl,
      tcpPorts,
      timeoutMs,
    }: PublisherConfig): PublisherTransport =>
      rabbitmqUrl
        ? new RmqTransport(rabbitmqUrl, timeoutMs)
        : new TcpTransport(tcpPorts, timeoutMs),
  },
  RealtimePublisher,
];

/**
 * Has every module of an app inject RealtimePublisher.
 *
 * @example
 * ```ts
 * imports: [RealtimePublisherModule.forRoot({ events: REALTIME_EVENTS })]
 * ```
 */
@Module({})
export class RealtimePublisherModule {
  /** With options that are known when the module is written. */
  static forRoot(options: RealtimePublisherOptions): DynamicModule {
    return moduleOf({ provide: OPTIONS, useValue: options });
  }

  /** With options that other providers know. */
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
