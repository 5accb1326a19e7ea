/**
 * Why there is no connection, or no subscription.
 *
 * @example
 * const { error } = useNotificationsSocket();
 * const text = error?.code === 'TOKEN_EXPIRED' ? 'Sign in again' : null;
 */
export interface RealtimeFailure {
  /**
   * The server's code, or `CONFIGURATION`, `UNREACHABLE`, `WEBSOCKET_BLOCKED`
   * (the server answers, but no websocket gets through to it), `DISCONNECTED`,
   * `DRAINING`, `KICKED`, `SUSPENDED`.
   */
  readonly code: string;
  /** For a log; not written for users. */
  readonly message: string;
}

/** Two copies of this module, as ESM and as CommonJS, know each other by it. */
const KIND = Symbol.for('@nx-realtime/react:error');

function isOfKind(value: unknown, kind: string): boolean {
  return (value as { [KIND]?: string } | null | undefined)?.[KIND] === kind;
}

/**
 * A failed command.
 *
 * `code` is `NOT_CONNECTED` or `TOO_LARGE` when it was not sent; `TIMEOUT` or
 * `DISCONNECTED` when it may or may not have been carried out; else the server's
 * code, such as `VALIDATION`, `FORBIDDEN` or the service's own. The `details` of
 * `TOO_LARGE` are `{ bytes, maxBytes, maxLevels, maxValues }`.
 *
 * @example
 * await markRead({ notificationId }).catch((error) => {
 *   if (error.code !== 'NOT_CONNECTED') throw error;
 * });
 */
export class RealtimeCommandError extends Error {
  override readonly name = 'RealtimeCommandError';
  readonly [KIND] = 'command';

  constructor(
    readonly code:
      | 'NOT_CONNECTED'
      | 'TOO_LARGE'
      | 'TIMEOUT'
      | 'DISCONNECTED'
      | 'VALIDATION'
      | 'FORBIDDEN'
      | 'RATE_LIMITED'
      | 'UNAUTHORIZED'
      | 'INTERNAL'
      | (string & Record<never, never>),
    message: string,
    readonly details?: unknown,
  ) {
    super(message);
  }

  static override [Symbol.hasInstance](value: unknown): boolean {
    return isOfKind(value, 'command');
  }
}

/**
 * A server event that does not match its contract and was left out.
 *
 * @example
 * useNotificationsSocket({
 *   onError: ({ event, issues }) => log(event, issues[0]?.message),
 * });
 */
export class RealtimeContractError extends Error {
  override readonly name = 'RealtimeContractError';
  readonly code = 'CONTRACT';
  readonly [KIND] = 'contract';

  constructor(
    readonly event: string,
    /** What the schema found; each with `message` and `path`. */
    readonly issues: readonly SchemaIssue[],
  ) {
    super(`${event} does not match its contract`);
  }

  static override [Symbol.hasInstance](value: unknown): boolean {
    return isOfKind(value, 'contract');
  }
}

/** One fault that a schema finds, as Standard Schema words it. */
export interface SchemaIssue {
  readonly message: string;
  readonly path?:
    ReadonlyArray<PropertyKey | { readonly key: PropertyKey }> | undefined;
}
