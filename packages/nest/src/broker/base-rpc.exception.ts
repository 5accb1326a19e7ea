import { RpcException } from '@nestjs/microservices';

/** Why a broker event was not handled; `transient` is worth another attempt. */
export interface RpcFailure {
  readonly kind: 'invalid' | 'transient';
  readonly code: string;
  /** Reaches logs and dead letters: never the event's own values. */
  readonly message: string;
}

/**
 * Refuses a broker event. Nest's filter passes its `getError()` on, while any
 * other error arrives at the broker as "Internal server error".
 */
export class BaseRpcException extends RpcException {
  constructor(
    readonly kind: RpcFailure['kind'],
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
