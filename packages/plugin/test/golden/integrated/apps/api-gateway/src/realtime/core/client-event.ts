import {
  type ArgumentsHost,
  type CallHandler,
  Catch,
  type ExceptionFilter,
  type ExecutionContext,
  Injectable,
  Logger,
  type NestInterceptor,
  type PipeTransform,
} from '@nestjs/common';
import { WsException } from '@nestjs/websockets';
import { defaultIfEmpty, map, type Observable, take } from 'rxjs';
import type { Socket } from 'socket.io';
import type { ZodType } from 'zod';
import { RealtimeException } from './realtime.errors';

/** The one shape of every acknowledgement. */
export type ClientAck =
  | { ok: true; data: unknown }
  | { ok: false; error: { code: string; message: string; details?: unknown } };

const logger = new Logger('ClientEvents');

/** Checks a client event's payload against its contract. */
export class ContractPipe<T> implements PipeTransform<unknown, T> {
  constructor(private readonly schema: ZodType<T>) {}

  transform(payload: unknown): T {
    const result = this.schema.safeParse(payload);
    if (result.success) {
      return result.data;
    }
    throw new RealtimeException(
      'VALIDATION',
      'The payload is not valid',
      result.error.issues
        .slice(0, 10)
        .map(({ path, message }) => ({ path: path.join('.'), message })),
    );
  }
}

/** Acknowledges what a handler returns; one that returns nothing with null. */
@Injectable()
export class AckInterceptor implements NestInterceptor<unknown, ClientAck> {
  intercept(
    _context: ExecutionContext,
    next: CallHandler<unknown>,
  ): Observable<ClientAck> {
    return next.handle().pipe(
      take(1),
      defaultIfEmpty(null),
      map((data) => ({ ok: true, data: data ?? null })),
    );
  }
}

/** Nest would send an `exception` event and leave the client waiting. */
@Catch()
export class AckExceptionFilter implements ExceptionFilter {
  catch(error: unknown, host: ArgumentsHost): void {
    acknowledge(host.getArgs<unknown[]>(), failure(error));
  }
}

/** Runs a kernel event and acknowledges what comes of it. */
export async function answer(
  args: readonly unknown[],
  run: () => Promise<unknown>,
): Promise<void> {
  try {
    acknowledge(args, { ok: true, data: await run() });
  } catch (error) {
    acknowledge(args, failure(error));
  }
}

/** Without this an event that nobody handles is never acknowledged. */
export function refuseUnknownEvents(socket: Socket): void {
  socket.use(([event, ...args], next) => {
    // Socket.IO itself listens to `error`.
    if (event !== 'error' && socket.listenerCount(event) > 0) {
      next();
    } else {
      const error = new RealtimeException('VALIDATION', 'Unknown event');
      acknowledge(args, failure(error));
    }
  });
}

function acknowledge(args: readonly unknown[], ack: ClientAck): void {
  const callback = args.find((arg) => typeof arg === 'function');
  callback?.(ack);
}

/** Only a RealtimeException is meant to be read by the client. */
function failure(error: unknown): ClientAck {
  if (error instanceof RealtimeException) {
    const { code, message, details } = error;
    return {
      ok: false,
      error: { code, message, ...(details !== undefined && { details }) },
    };
  }
  // What Nest throws when a guard returns false.
  if (error instanceof WsException && error.message === 'Forbidden resource') {
    return { ok: false, error: { code: 'FORBIDDEN', message: 'Forbidden' } };
  }
  logger.error(error instanceof Error ? error.stack : String(error));
  return { ok: false, error: { code: 'INTERNAL', message: 'Internal error' } };
}
