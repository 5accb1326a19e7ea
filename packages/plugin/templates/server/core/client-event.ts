import { randomUUID } from 'node:crypto';
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
import { defaultIfEmpty, map, Observable, take } from 'rxjs';
import type { Socket } from 'socket.io';
import type { ZodType } from 'zod';
import { report } from './diagnostics';
import { RealtimeException } from './realtime.errors';
import { RequestContextService } from './request-context';
import type { RealtimeSocket } from './session';

/** The one shape of every acknowledgement. */
export type ClientAck =
  | { ok: true; data: unknown }
  | { ok: false; error: { code: string; message: string; details?: unknown } };

type Packet = [event: string, ...args: unknown[]];

const logger = new Logger('ClientEvents');

/** More than a payload needs: what one may cost stays small. */
const MAX_DEPTH = 32;
const MAX_VALUES = 2_000;

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

/**
 * Runs a handler in its request context and acknowledges what it returns, one
 * that returns nothing with null.
 */
@Injectable()
export class AckInterceptor implements NestInterceptor<unknown, void> {
  constructor(private readonly context: RequestContextService) {}

  intercept(
    execution: ExecutionContext,
    next: CallHandler<unknown>,
  ): Observable<void> {
    const ws = execution.switchToWs();
    const { identity } = ws.getClient<RealtimeSocket>().data;
    const context = {
      event: ws.getPattern(),
      eventId: randomUUID(),
      tenantId: identity?.tenantId,
      userId: identity?.userId,
    };
    // A handler runs where handle() is called, its stream where it is subscribed.
    const acks = new Observable((subscriber) =>
      this.context.run(context, () => next.handle().subscribe(subscriber)),
    );
    return acks.pipe(
      take(1),
      defaultIfEmpty(null),
      // Here: on Nest 12 a host's global interceptors may change what is returned.
      map((data) =>
        acknowledge(execution.getArgs(), { ok: true, data: data ?? null }),
      ),
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

/** Refuses events before any handler sees them, and acknowledges that. */
export function screenEvents(socket: Socket, countEvent: () => number): void {
  socket.use((packet: Packet, next) => {
    const [event, ...args] = watched(packet, socket);
    const retryAfterMs = countEvent();
    if (retryAfterMs > 0) {
      acknowledge(args, {
        ok: false,
        error: {
          code: 'RATE_LIMITED',
          message: 'Too many events',
          details: { retryAfterMs },
        },
      });
      return;
    }
    const isKnown = hasHandler(socket, event);
    if (isKnown && isHarmless(args)) {
      next();
      return;
    }
    const message = isKnown ? 'The payload is not valid' : 'Unknown event';
    acknowledge(args, { ok: false, error: { code: 'VALIDATION', message } });
  });
}

/** False for what recursive code does not survive, or may merge by mistake. */
export function isHarmless(value: unknown): boolean {
  let left = MAX_VALUES;
  const walk = (item: unknown, depth: number): boolean => {
    if (typeof item !== 'object' || item === null || ArrayBuffer.isView(item)) {
      return true;
    }
    const inner = Object.values(item);
    left -= inner.length;
    return (
      depth > 0 &&
      left >= 0 &&
      !Object.prototype.hasOwnProperty.call(item, '__proto__') &&
      inner.every((next) => walk(next, depth - 1))
    );
  };
  return walk(value, MAX_DEPTH);
}

/** Socket.IO itself listens to `error`. */
function hasHandler(socket: Socket, event: string): boolean {
  return event !== 'error' && socket.listenerCount(event) > 0;
}

/** The packet, whose acknowledgement is reported, also if nobody waits for it. */
function watched(packet: Packet, socket: Socket): Packet {
  const [name, ...args] = packet;
  const last = args.at(-1);
  const send = typeof last === 'function' ? last : undefined;
  const namespace = socket.nsp.name;
  const event = hasHandler(socket, name) ? name : 'unknown';
  const began = performance.now();
  const acknowledged = (...answer: unknown[]) => {
    const ms = performance.now() - began;
    report('client.event', { namespace, event, result: resultOf(answer), ms });
    send?.(...answer);
  };
  packet.splice(send ? packet.length - 1 : packet.length, 1, acknowledged);
  return packet;
}

/** A gateway that is written by hand may acknowledge with anything. */
function resultOf([answer]: readonly unknown[]): string {
  const { ok, error } = Object(answer) as Partial<ClientAck & { ok: false }>;
  return ok === false && error ? String(error.code) : 'ok';
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
