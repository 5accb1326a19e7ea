import { RealtimeCommandError } from './errors';

/** Levels and values of a payload that `@nx-realtime/nest` takes. */
export const MAX_LEVELS = 32;
export const MAX_VALUES = 2_000;

/**
 * Refuses what the server would refuse, or cut the connection for.
 *
 * @param head how its packet begins on the wire
 * @param maxBytes of one message; all namespaces share the connection it cuts
 * @throws RealtimeCommandError TOO_LARGE, or VALIDATION for what is no JSON
 */
export function measure(
  head: string,
  event: string,
  payload: unknown,
  maxBytes: number,
): void {
  const text = encode([event, payload]);
  // Not TextEncoder: jsdom has none.
  const bytes = new Blob([head, text]).size;
  const [, body]: unknown[] = JSON.parse(text);
  if (bytes <= maxBytes && isBounded(body)) return;
  throw new RealtimeCommandError('TOO_LARGE', 'Not sent: it is too large', {
    bytes,
    maxBytes,
    maxLevels: MAX_LEVELS,
    maxValues: MAX_VALUES,
  });
}

function encode(packet: readonly unknown[]): string {
  try {
    return JSON.stringify(packet);
  } catch (error) {
    const message = `Not sent: ${(error as Error).message}`;
    throw new RealtimeCommandError('VALIDATION', message);
  }
}

function isBounded(payload: unknown): boolean {
  let left = MAX_VALUES;
  const walk = (item: unknown, levels: number): boolean => {
    if (typeof item !== 'object' || item === null) return true;
    const inner = Object.values(item);
    left -= inner.length;
    return (
      levels > 0 && left >= 0 && inner.every((next) => walk(next, levels - 1))
    );
  };
  return walk(payload, MAX_LEVELS);
}
