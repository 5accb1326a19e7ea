/**
 * - `INVALID`: the event, tenant, payload or id is wrong.
 * - `BUSY`: too many events wait for RabbitMQ already.
 * - `DISCONNECTED`: the broker was not reached in time.
 * - `UNROUTABLE`: RabbitMQ has no queue for the event: its app never ran.
 * - `UNCONFIRMED`: sent, and perhaps delivered. Publish it again with the same
 *   id: the consumer recognises the duplicate.
 * - `CLOSED`: this app is shutting down.
 *
 * Of all but `UNCONFIRMED` nobody receives anything.
 */
export type PublishErrorCode =
  'INVALID' | 'BUSY' | 'DISCONNECTED' | 'UNROUTABLE' | 'UNCONFIRMED' | 'CLOSED';

/** Why an event was not published. The message holds nothing of its payload. */
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
