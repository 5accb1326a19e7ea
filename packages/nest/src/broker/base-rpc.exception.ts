import { RpcException } from '@nestjs/microservices';

/** Failure of a broker event; `transient` is worth another attempt. */
export interface RpcFailure {
  readonly kind: 'invalid' | 'transient';
  readonly code: string;
  /** Text for logs and dead letters: it never holds the event's own values. */
  readonly message: string;
}

/**
 * Refuses a broker event. Nest's filter passes its `getError()` on, while any
 * other error arrives at the broker as "Internal server error".
 *
 * @example
 * ```ts
 * throw new BaseRpcException('invalid', 'UNKNOWN_ORDER', 'there is no such order');
 * ```
 */
export class BaseRpcException extends RpcException {
  /**
   * @param message reaches logs and dead letters: never the event's own values
   */
  constructor(
    /** `invalid`: a dead letter at once; `transient`: worth another attempt. */
    readonly kind: RpcFailure['kind'],
    /** Code of the refusal, in logs and dead letters. */
    readonly code: string,
    message: string,
  ) {
    super({ kind, code, message } satisfies RpcFailure);
  }
}

/** Refuses a broker event that no further attempt can mend. */
export function invalid(code: string, message: string): BaseRpcException {
  return new BaseRpcException('invalid', code, message);
}
