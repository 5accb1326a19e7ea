/**
 * Origin of an event, sent with each server event.
 *
 * @example
 * ```ts
 * const meta: EventMeta = { id: '0d0f5e0c', at: '2026-01-01T00:00:00.000Z' };
 * ```
 */
export interface EventMeta {
  /** Id of the event: the same each time that it is delivered. */
  id: string;
  /** Time that it happened at, as ISO 8601. */
  at: string;
}
