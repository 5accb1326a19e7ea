import type { PayloadSchema } from '../events/payload-schema';

/** Injection token of the events that can be published. */
export const PUBLISHED_EVENTS: unique symbol = Symbol.for(
  '@nx-realtime/nest:published-events',
);

/**
 * An event that can be published.
 *
 * @example
 * ```ts
 * const created: PublishedEvent<Notification> = {
 *   key: 'notification',
 *   schema: notificationCreatedSchema,
 *   tcpPort: 'REALTIME_TCP_PORT_API_GATEWAY',
 * };
 * ```
 */
export interface PublishedEvent<T = unknown> {
  /** Key of the payload in `data`: the domain's singular in camelCase. */
  readonly key: string;
  /** Contract of the payload. */
  readonly schema: PayloadSchema<T>;
  /** Variable that holds the port of its app on the embedded transport. */
  readonly tcpPort: string;
}

/**
 * Every event that can be published, by name.
 *
 * @example
 * ```ts
 * const REALTIME_EVENTS = { 'notification.created': created } satisfies PublishedEvents;
 * ```
 */
export type PublishedEvents = Readonly<Record<string, PublishedEvent>>;

/**
 * Payload of an event, by its name.
 *
 * @example
 * ```ts
 * type Created = PublishedPayload<typeof REALTIME_EVENTS, 'notification.created'>;
 * ```
 */
export type PublishedPayload<
  Events extends PublishedEvents,
  Name extends keyof Events,
> =
  Events[Name]['schema'] extends PayloadSchema<infer Payload> ? Payload : never;
