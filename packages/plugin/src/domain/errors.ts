/**
 * A mistake in what the user gave or in what the host holds: shown as one message with a stable
 * code and no stack trace.
 */
export class RealtimeError extends Error {
  /** @param code stable, `RT` and three digits; @param message what is wrong, where, and what to do. */
  constructor(
    readonly code: `RT${number}`,
    message: string,
  ) {
    super(`${code} ${message}`);
    this.name = 'RealtimeError';
  }
}
