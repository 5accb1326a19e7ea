import type { ModuleMetadata, Provider, Type } from '@nestjs/common';
import type { EventPolicy } from '../broker/event-policy';
import type { RequestContextRunner } from '../events/request-context';
import type { HandshakeGuard } from '../handshake/handshake.guard';
import type { JoinedRooms } from '../rooms/rooms';
import type { RealtimeVariables } from './realtime.config';

/** Injection token of the options of RealtimeCoreModule. */
export const REALTIME_OPTIONS: unique symbol = Symbol.for(
  '@nx-realtime/nest:options',
);

/** Injection token of the app's name. */
export const REALTIME_APP: unique symbol = Symbol.for('@nx-realtime/nest:app');

/**
 * Options of `RealtimeCoreModule.forRoot`.
 *
 * @example
 * ```ts
 * const options: RealtimeCoreOptions = {
 *   app: 'api-gateway',
 *   guard: WsAuthGuard,
 *   rooms: { '/notifications': 'tenant' },
 * };
 * ```
 */
export interface RealtimeCoreOptions {
  /** Name of the app: its queues and Redis keys are named after it. */
  readonly app: string;
  /** The app's guard: a module of the app provides it. */
  readonly guard: Type<HandshakeGuard>;
  /**
   * Rooms that sockets join on connecting, by namespace. A socket of a
   * namespace that is not listed joins the room of its user alone.
   */
  readonly rooms?: Readonly<Record<string, JoinedRooms>> | undefined;
  /**
   * Values in place of environment variables, by the same names: what a
   * ConfigService of yours has read, for example. They are parsed alike.
   */
  readonly env?: RealtimeVariables | undefined;
  /**
   * True where the tokens hold numbers for ids: a safe integer is taken as its
   * decimal text, `7` as `'7'`, for the user, the tenant and `sid`. Events name
   * their tenant and recipient by that text. Default: such a token is refused.
   */
  readonly numericIds?: boolean | undefined;
  /** Class of your own context service; a module of the app provides it. */
  readonly requestContext?: Type<RequestContextRunner> | undefined;
  /** Metrics and tracing: `realtimeObservability()`. */
  readonly observability?: RealtimeExtension | undefined;
  /** Decides when a broker event is tried again, and when it is given up. */
  readonly events?: Partial<EventPolicy> | undefined;
  /**
   * Gateways that the app had before: they stay as they are, without token,
   * limits and origins, until you adopt them. One on the port of the app needs
   * another path than `REALTIME_PATH`.
   */
  readonly keepGateways?: readonly Type[] | undefined;
}

/** Providers that a subpath of this package adds to the module. */
export interface RealtimeExtension {
  readonly providers: readonly Provider[];
}

/**
 * Options of `RealtimeCoreModule.forRootAsync`.
 *
 * @example
 * ```ts
 * const options: RealtimeCoreAsyncOptions = {
 *   inject: [ConfigService],
 *   useFactory: (config: ConfigService) => ({
 *     app: 'api-gateway',
 *     guard: WsAuthGuard,
 *     env: { REDIS_URL: config.get('redis.url') },
 *   }),
 * };
 * ```
 */
export interface RealtimeCoreAsyncOptions extends Pick<
  ModuleMetadata,
  'imports'
> {
  /** Providers that the factory gets. */
  readonly inject?: readonly (Type | string | symbol)[] | undefined;
  /** Makes the options of what `inject` names, in that order. */
  readonly useFactory: (
    ...dependencies: never[]
  ) =>
    | Omit<RealtimeCoreOptions, 'observability'>
    | Promise<Omit<RealtimeCoreOptions, 'observability'>>;
  /** Adds providers, so it cannot wait for the factory. */
  readonly observability?: RealtimeExtension | undefined;
}
