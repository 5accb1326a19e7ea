/** Sent with each server event. */
export interface EventMeta {
  /** The event's id: the same each time that it is delivered. */
  id: string;
  /** When it happened, as ISO 8601. */
  at: string;
}
