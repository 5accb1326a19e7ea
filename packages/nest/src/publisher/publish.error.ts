/**
 * Reason why an event was not published.
 *
 * - `INVALID`: the event, tenant, payload or id is wrong.
 * - `BUSY`: too many events wait for RabbitMQ already.
 * - `BLOCKED`: RabbitMQ is short of memory or disk and takes no messages.
 * - `DISCONNECTED`: the broker was not reached in time.
 * - `UNROUTABLE`: RabbitMQ has no queue for the event: its app never ran.
 * - `UNCONFIRMED`: sent, and perhaps delivered. Publish it again with the same
 *   id: the consumer recognises the duplicate.
 * - `CLOSED`: this app is shutting down.
 *
 * Nobody receives an event that was refused with another code than
 * `UNCONFIRMED`.
 *
 * @example
 * ```ts
 * const isLost = (code: PublishErrorCode) => code !== 'UNCONFIRMED';
 * ```
 */
export type PublishErrorCode =
  | 'INVALID'
  | 'BUSY'
  | 'BLOCKED'
  | 'DISCONNECTED'
  | 'UNROUTABLE'
  | 'UNCONFIRMED'
  | 'CLOSED';

/**
 * Tells why an event was not published. The message holds nothing of its
 * payload.
 *
 * @example
 * ```ts
 * if (error instanceof RealtimePublishError && error.code === 'BUSY') {
 *   // publish it again later
 * }
 * ```
 */
export class RealtimePublishError extends Error {
  constructor(
    readonly code: PublishErrorCode,
    readonly event: string,
    readonly id: string,
    detail: string,
  ) {
    super(`${code} ${event}: ${detail}`);
    this.name = 'RealtimePublishError';
  }
}
