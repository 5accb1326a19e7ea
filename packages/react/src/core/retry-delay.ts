const RETRY_MS = { min: 500, usual: 5_000, max: 300_000 };

/**
 * Milliseconds to wait before the next attempt, spread so that clients do not
 * come back all at once.
 *
 * @param asked what the server sent: `{ retryAfterMs }`, or anything else
 */
export function retryDelay(asked: unknown): number {
  const { min, usual, max } = RETRY_MS;
  const { retryAfterMs = usual } = { ...(asked as { retryAfterMs?: number }) };
  const delay = Math.min(Math.max(Number(retryAfterMs) || usual, min), max);
  return delay * (1 + Math.random() / 2);
}
