/**
 * Treatment of broker events that fail or come twice: the option `events` of
 * RealtimeCoreModule.
 *
 * @example
 * ```ts
 * const events: Partial<EventPolicy> = {
 *   retries: 3,
 *   isInvalid: (error) => error instanceof UnknownOrderError,
 * };
 * ```
 */
export interface EventPolicy {
  /**
   * Number of attempts after the first one; then the event is a dead letter.
   */
  readonly retries: number;
  /**
   * Returns the milliseconds to wait after a failed attempt; the first one is
   * 0.
   */
  readonly pauseMs: (attempt: number) => number;
  /** Milliseconds after which a handler has failed. */
  readonly timeoutMs: number;
  /** Number of ids that are remembered to recognise duplicates. */
  readonly rememberedIds: number;
  /**
   * Returns true for an error that no further attempt can mend: its event is a
   * dead letter at once, as with a BaseRpcException `invalid`. It gets what the
   * handler threw.
   */
  readonly isInvalid: (error: unknown) => boolean;
}

/** 5 retries over 3.1 s, 30 s for each attempt, 10,000 ids. */
export const EVENT_POLICY: EventPolicy = {
  retries: 5,
  pauseMs: (attempt) => 100 * 2 ** attempt,
  timeoutMs: 30_000,
  rememberedIds: 10_000,
  isInvalid: () => false,
};
