/** Refusals that end a client's attempts, with the message it is shown. */
const FINAL: Readonly<Record<string, string>> = {
  UNAUTHORIZED: 'Unauthorized',
  TOKEN_EXPIRED: 'Unauthorized: the token has expired',
  FORBIDDEN: 'Unauthorized: the connection belongs to another user',
  NAMESPACE_REQUIRED: 'Unauthorized: connect to a namespace',
};

/** Refusals after which a client may come back. */
const RETRYABLE: Readonly<Record<string, string>> = {
  RATE_LIMITED: 'Too many connections',
  UNAVAILABLE: 'Temporarily unavailable',
  INTERNAL: 'Internal error',
};

/** However far off the time is: clocks are set right, too. */
const MAX_RETRY_MS = 60_000;

const BRAND: unique symbol = Symbol.for('@nx-realtime/nest:exception');

/**
 * An error that its receiver may read: services throw it to refuse a client
 * event with a code of their own. Any other error reaches clients as INTERNAL.
 *
 * @example
 * ```ts
 * throw new RealtimeException('NOT_FOUND', 'There is no such notification');
 * ```
 */
export class RealtimeException extends Error {
  readonly [BRAND] = true;

  /** @param message for the client */
  constructor(
    /** Code that the client decides by: `NOT_FOUND`. */
    readonly code: string,
    message: string,
    /** More for the client, as JSON. */
    readonly details?: unknown,
  ) {
    super(message);
    this.name = 'RealtimeException';
  }
}

/**
 * Recognises a RealtimeException by its brand, so that one of another copy
 * counts too.
 */
export function isRealtimeException(
  error: unknown,
): error is RealtimeException {
  return error instanceof Error && BRAND in error;
}

/** Refusal of a token. Its reason is for the log: a client never learns it. */
export class TokenRefusal extends RealtimeException {
  constructor(
    code: string,
    message: string,
    /** What is wrong with the token, and what to set. */
    readonly reason: string,
    /** When it may be shown again. */
    readonly retryAfterMs?: number,
  ) {
    super(
      code,
      message,
      retryAfterMs === undefined ? undefined : { retryAfterMs },
    );
  }
}

/** Refuses a token that is not valid. */
export function unauthorized(reason: string): TokenRefusal {
  return new TokenRefusal('UNAUTHORIZED', 'The token is not valid', reason);
}

/** Refuses a token that has expired. */
export function expired(reason: string): TokenRefusal {
  return new TokenRefusal('TOKEN_EXPIRED', 'The token has expired', reason);
}

/**
 * Refuses a token that is not valid yet: its client comes back with it.
 *
 * @param validFrom milliseconds since the epoch
 */
export function notYetValid(reason: string, validFrom: number): TokenRefusal {
  const retryAfterMs = Math.max(1_000, validFrom - Date.now());
  return new TokenRefusal(
    'UNAVAILABLE',
    'Try again later',
    reason,
    Math.min(retryAfterMs, MAX_RETRY_MS),
  );
}

/** Why a client was refused, for the log; an inner error is logged by itself. */
export function reasonOf(error: unknown): string | undefined {
  if (error instanceof TokenRefusal) {
    return error.reason;
  }
  return isRealtimeException(error) ? error.message : undefined;
}

/** True for a code that ends a client's attempts. */
export function isFinal(code: string): boolean {
  return Object.prototype.hasOwnProperty.call(FINAL, code);
}

/** Refusal that Socket.IO sends as `connect_error`: its message and `data`. */
export interface ConnectionRefusal extends Error {
  data: { code: string; retryAfterMs?: number };
}

/**
 * Refusal for an error. Its code alone is taken over: its text may hold inner
 * details.
 */
export function connectionRefusal(error: unknown): ConnectionRefusal {
  const code = isRealtimeException(error) ? error.code : 'INTERNAL';
  const final = FINAL[code];
  if (final) {
    return Object.assign(new Error(final), { data: { code } });
  }
  const known = RETRYABLE[code] ? code : 'INTERNAL';
  // Spread, so that clients refused together do not return together.
  const spread = Math.floor(Math.random() * 4_000);
  const asked = error instanceof TokenRefusal ? error.retryAfterMs : undefined;
  const retryAfterMs = (asked ?? 1_000) + spread;
  return Object.assign(new Error(RETRYABLE[known]), {
    data: { code: known, retryAfterMs },
  });
}
