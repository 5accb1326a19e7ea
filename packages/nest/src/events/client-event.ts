import { randomUUID } from 'node:crypto';
import {
  type ArgumentsHost,
  Catch,
  type ExceptionFilter,
  Logger,
  type PipeTransform,
} from '@nestjs/common';
import { WsException } from '@nestjs/websockets';
import { firstValueFrom, isObservable } from 'rxjs';
import type { Socket } from 'socket.io';
import type { ConnectionLimits } from '../connections/connection-limits';
import { report } from '../observability/diagnostics';
import {
  isRealtimeException,
  RealtimeException,
} from '../handshake/realtime.errors';
import type { RealtimeSocket } from '../connections/socket';
import { isHarmless, MAX_DEPTH, MAX_VALUES } from './payload-shape';
import {
  type Checked,
  checkPayload,
  type PayloadSchema,
} from './payload-schema';
import type { RequestContextRunner } from './request-context';

/** The one shape of every acknowledgement. */
export type ClientAck =
  | { ok: true; data: unknown }
  | { ok: false; error: { code: string; message: string; details?: unknown } };

/** Handler of an event, as Nest gives it to an adapter. */
interface EventHandler {
  readonly message: string;
  readonly callback: (body: unknown, ack: unknown) => unknown;
}

type Packet = [event: string, ...args: unknown[]];
type Send = (...answer: unknown[]) => void;

const logger = new Logger('ClientEvents');

const BRAND: unique symbol = Symbol.for('@nx-realtime/nest:ack-filter');

const NOT_VALID = 'The payload is not valid';

/** Refusal of a payload that no contract is asked about. */
const OUT_OF_BOUNDS = new RealtimeException('VALIDATION', NOT_VALID, [
  {
    path: '',
    message: `Allowed: ${MAX_DEPTH} levels and ${MAX_VALUES} values, and no key __proto__`,
  },
]);

/** Number of events that are not acknowledged yet, by socket. */
const pending = new WeakMap<Socket, { events: number }>();

/**
 * Checks a client event's payload against its contract: the client gets
 * `VALIDATION` with the path of each problem.
 *
 * @example
 * ```ts
 * @SubscribeMessage('notification.markRead')
 * markRead(@MessageBody(new ContractPipe(notificationMarkReadSchema)) payload: NotificationMarkRead) {}
 * ```
 */
export class ContractPipe<T> implements PipeTransform<unknown, T | Promise<T>> {
  /** @param schema of any library that implements Standard Schema */
  constructor(private readonly schema: PayloadSchema<T>) {}

  /**
   * Returns the payload as its contract has it.
   *
   * @throws RealtimeException VALIDATION
   */
  transform(payload: unknown): T | Promise<T> {
    const checked = checkPayload(this.schema, payload);
    return checked instanceof Promise
      ? checked.then(validOf)
      : validOf(checked);
  }
}

function validOf<T>(checked: Checked<T>): T {
  if ('payload' in checked) {
    return checked.payload;
  }
  throw new RealtimeException('VALIDATION', NOT_VALID, checked.problems);
}

/**
 * Serves a gateway's events: each handler runs in its request context, and what
 * it returns is acknowledged, nothing as null. Nest's own way wraps each event
 * in streams, at several times the cost.
 */
export function serveEvents(
  socket: RealtimeSocket,
  handlers: readonly EventHandler[],
  context: RequestContextRunner,
): void {
  for (const { message, callback } of handlers) {
    // A bound function is smaller than a closure, and is kept for each socket.
    socket.on(message, serve.bind(socket, context, message, callback));
  }
}

function serve(
  this: RealtimeSocket,
  context: RequestContextRunner,
  message: string,
  callback: EventHandler['callback'],
  ...args: unknown[]
): void {
  const { identity } = this.data;
  const about = {
    event: message,
    eventId: randomUUID(),
    tenantId: identity?.tenantId,
    userId: identity?.userId,
  };
  // `screenEvents` has put it there, also where the client waits for none.
  const ack = args.pop() as (answer: ClientAck) => void;
  const body = args.length > 1 ? args : args[0];
  void context.run(about, async () => {
    try {
      const result: unknown = await callback(body, ack);
      const data = isObservable(result)
        ? await firstValueFrom(result, { defaultValue: null })
        : result;
      ack({ ok: true, data: data ?? null });
    } catch (error) {
      ack(failure(error));
    }
  });
}

/**
 * Acknowledges what a gateway's handler throws; Nest itself would send an event
 * `exception` and leave the client waiting. The events of a gateway that has it
 * are acknowledged as `{ ok, data }`.
 *
 * @example
 * ```ts
 * @WebSocketGateway({ namespace: NOTIFICATIONS_NAMESPACE })
 * @UseGuards(WsAuthGuard)
 * @UseFilters(AckExceptionFilter)
 * export class NotificationsGateway {}
 * ```
 */
@Catch()
export class AckExceptionFilter implements ExceptionFilter {
  readonly [BRAND] = true;
  static readonly [BRAND] = true;

  /** Acknowledges an error. */
  catch(error: unknown, host: ArgumentsHost): void {
    acknowledge(host.getArgs<unknown[]>(), failure(error));
  }
}

/**
 * True for AckExceptionFilter, as a class or an object, also that of another
 * copy.
 */
export function isAckFilter(filter: unknown): boolean {
  return BRAND in Object(filter);
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
export function screenEvents(
  socket: RealtimeSocket,
  limits: ConnectionLimits,
): void {
  socket.use((packet: Packet, next) => {
    const [event] = packet;
    const isKnown = hasHandler(socket, event);
    const refuse = watch(packet, socket, isKnown ? event : 'unknown');
    const retryAfterMs = limits.countEvent(socket);
    if (retryAfterMs > 0) {
      refuse({
        ok: false,
        error: {
          code: 'RATE_LIMITED',
          message: 'Too many events',
          details: { retryAfterMs },
        },
      });
      return;
    }
    if (!isKnown) {
      const message = 'Unknown event';
      refuse({ ok: false, error: { code: 'VALIDATION', message } });
      return;
    }
    // Event, payload and acknowledgement are a level and three values more.
    if (isHarmless(packet, MAX_VALUES + 3, MAX_DEPTH + 1)) {
      next();
      return;
    }
    refuse(failure(OUT_OF_BOUNDS));
  });
}

/**
 * True where a handler listens to an event; Socket.IO itself listens to
 * `error`.
 */
function hasHandler(socket: Socket, event: string): boolean {
  return event !== 'error' && socket.listenerCount(event) > 0;
}

/**
 * Makes the acknowledgement of a packet be reported, also if nobody waits for
 * it. The first one counts: a filter has given it before its handler ends.
 */
function watch(packet: Packet, socket: Socket, event: string): Send {
  const { nsp } = socket;
  const inHand = pending.get(socket) ?? { events: 0 };
  const last = packet.at(-1);
  const send = typeof last === 'function' ? (last as Send) : undefined;
  const began = performance.now();
  let isAnswered = false;
  const acknowledged = (...answer: unknown[]) => {
    if (isAnswered) {
      return;
    }
    isAnswered = true;
    inHand.events -= 1;
    const ms = performance.now() - began;
    const sent = deliver(send, answer);
    const result = resultOf(sent);
    report('client.event', { namespace: nsp.name, event, result, ms });
  };
  inHand.events += 1;
  pending.set(socket, inHand);
  packet[send ? packet.length - 1 : packet.length] = acknowledged;
  return acknowledged;
}

/**
 * Returns what was sent: INTERNAL for what Socket.IO cannot encode, such as a
 * BigInt.
 */
function deliver(send: Send | undefined, answer: unknown[]): unknown[] {
  try {
    send?.(...answer);
    return answer;
  } catch (error) {
    const instead = [failure(error)];
    send?.(...instead);
    return instead;
  }
}

/** True while an event of a socket is handled. */
export function isBusy(socket: Socket): boolean {
  return (pending.get(socket)?.events ?? 0) > 0;
}

/**
 * Result of an event: a gateway that is written by hand may acknowledge with
 * anything.
 */
function resultOf([answer]: readonly unknown[]): string {
  const { ok, error } = Object(answer) as Partial<ClientAck & { ok: false }>;
  return ok === false && error ? String(error.code) : 'ok';
}

function acknowledge(args: readonly unknown[], ack: ClientAck): void {
  const callback = args.find((arg) => typeof arg === 'function');
  callback?.(ack);
}

/**
 * Acknowledgement of an error: the client may read a RealtimeException alone.
 */
function failure(error: unknown): ClientAck {
  if (isRealtimeException(error)) {
    const { code, message, details } = error;
    return {
      ok: false,
      error: { code, message, ...(details !== undefined && { details }) },
    };
  }
  // Nest throws it when a guard returns false.
  if (error instanceof WsException && error.message === 'Forbidden resource') {
    return { ok: false, error: { code: 'FORBIDDEN', message: 'Forbidden' } };
  }
  logger.error(error instanceof Error ? error.stack : String(error));
  return { ok: false, error: { code: 'INTERNAL', message: 'Internal error' } };
}
