/** Why there is no connection, or no subscription. */
export interface RealtimeFailure {
  readonly code: string;
  readonly message: string;
}

/**
 * A failed command. NOT_CONNECTED: it was not sent. TIMEOUT, DISCONNECTED: it
 * may or may not have been carried out. Else the server's code.
 */
export class RealtimeCommandError extends Error {
  override readonly name = 'RealtimeCommandError';

  constructor(
    readonly code: string,
    message: string,
    readonly details?: unknown,
  ) {
    super(message);
  }
}

/** An event that does not match its contract; `reason` says where. */
export class RealtimeContractError extends Error {
  override readonly name = 'RealtimeContractError';

  constructor(
    readonly event: string,
    readonly reason: unknown,
  ) {
    super(`${event} does not match its contract`);
  }
}

let report = (error: unknown): void => {
  setTimeout(() => {
    throw error;
  });
};

/** Faults no component can handle become uncaught errors, or come here. */
export function setRealtimeReporter(reporter: (error: unknown) => void): void {
  report = reporter;
}

export function reportFault(error: unknown): void {
  report(error);
}

/** Runs a callback so that its error stops neither us nor the next one. */
export function guarded(callback: () => void): void {
  try {
    callback();
  } catch (error) {
    report(error);
  }
}

const RETRY_MS = { min: 500, usual: 5_000, max: 300_000 };

/** Milliseconds to wait, spread. @param asked for by the server, if it did */
export function retryDelay(asked: unknown): number {
  const { min, usual, max } = RETRY_MS;
  const { retryAfterMs = usual } = { ...(asked as { retryAfterMs?: number }) };
  const delay = Math.min(Math.max(Number(retryAfterMs) || usual, min), max);
  return delay * (1 + Math.random() / 2);
}
