import type { ModuleMetadata, Provider, Type } from '@nestjs/common';
import type { EventPolicy } from '../broker/event-policy';
import type { RequestContextRunner } from '../events/request-context';
import type { HandshakeGuard } from '../handshake/handshake.guard';
import type { JoinedRooms } from '../rooms/rooms';
import type { RealtimeVariables } from './realtime.config';

/** Injection token of what RealtimeCoreModule was given. */
export const REALTIME_OPTIONS: unique symbol = Symbol.for(
  '@nx-realtime/nest:options',
);

/** Injection token of the app's name. */
export const REALTIME_APP: unique symbol = Symbol.for('@nx-realtime/nest:app');

/** What `RealtimeCoreModule.forRoot` takes. */
export interface RealtimeCoreOptions {
  /** Name of the app: its queues and Redis keys are named after it. */
  readonly app: string;
  /** The app's guard: a module of the app provides it. */
  readonly guard: Type<HandshakeGuard>;
  /**
   * What sockets join on connecting, by namespace. One that is not listed
   * joins the room of its user alone.
   */
  readonly rooms?: Readonly<Record<string, JoinedRooms>> | undefined;
  /**
   * Values in place of environment variables, by the same names: what a
   * ConfigService of yours has read, for example. They are parsed alike.
   */
  readonly env?: RealtimeVariables | undefined;
  /** Class of your own context service; a module of the app provides it. */
  readonly requestContext?: Type<RequestContextRunner> | undefined;
  /** Metrics and tracing: `realtimeObservability()`. */
  readonly observability?: RealtimeExtension | undefined;
  /** When a broker event is tried again, and when it is given up. */
  readonly events?: Partial<EventPolicy> | undefined;
}

/** Providers that a subpath of this package adds to the module. */
export interface RealtimeExtension {
  readonly providers: readonly Provider[];
}

/** What `RealtimeCoreModule.forRootAsync` takes. */
export interface RealtimeCoreAsyncOptions extends Pick<
  ModuleMetadata,
  'imports'
> {
  readonly inject?: readonly (Type | string | symbol)[] | undefined;
  /** Gets what `inject` names, in that order. */
  readonly useFactory: (
    ...dependencies: never[]
  ) =>
    | Omit<RealtimeCoreOptions, 'observability'>
    | Promise<Omit<RealtimeCoreOptions, 'observability'>>;
  /** Adds providers, so it cannot wait for the factory. */
  readonly observability?: RealtimeExtension | undefined;
}
