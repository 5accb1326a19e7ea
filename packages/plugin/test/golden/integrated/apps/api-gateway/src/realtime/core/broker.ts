import { randomUUID } from 'node:crypto';
import { Logger } from '@nestjs/common';
import {
  BaseRpcContext,
  type CustomTransportStrategy,
  type MessageHandler,
  type Server,
} from '@nestjs/microservices';
import { isObservable, lastValueFrom } from 'rxjs';
import type { ZodType } from 'zod';
import { BaseRpcException, type RpcFailure } from './base-rpc.exception';
import type { RequestContext, RequestContextService } from './request-context';
import { isId } from './rooms';

/** Transport id of the broker: its handlers run on no other transport. */
export const REALTIME_BROKER: unique symbol = Symbol('REALTIME_BROKER');

/**
 * Marks a handler as ours: `@EventPattern(name, REALTIME_BROKER, BROKER_EVENT)`.
 * Nest offers handlers without a transport to every server of the app; without
 * the mark they would be bound to our queue and run on our events.
 */
export const BROKER_EVENT = { realtime: true } as const;

/** A larger event is refused before it is parsed. */
export const MAX_EVENT_BYTES = 256 * 1024;

/** Ids remembered to recognise duplicates. */
const RECENT_EVENTS = 10_000;

/** How long a shutdown waits for the events in hand. */
const DRAIN_TIMEOUT_MS = 10_000;

/** Of a link to a server of ours; `detail` says why it is not ok. */
export interface LinkHealth {
  readonly ok: boolean;
  readonly detail: string;
}

/** A strategy for `connectMicroservice`, started after HTTP listens. */
export interface RealtimeBroker extends CustomTransportStrategy {
  readonly dispatcher: BrokerDispatcher;
  /** Begins to consume. `fatal` gets what no retry can mend. */
  start(fatal: (error: Error) => void): void;
  /** Ok while it consumes, or stands by to take over. */
  health(): LinkHealth;
  /** Runs before Nest closes the sockets that the events in hand are sent to. */
  beforeApplicationShutdown(): Promise<void>;
}

/** Injection token of the broker. */
export const RealtimeBroker: unique symbol = Symbol('RealtimeBroker');

export interface BrokerEventMeta {
  id: string;
  /** ISO 8601. */
  at: string;
}

/** What a consumer gets from `@Ctx()`. */
export class BrokerEventContext extends BaseRpcContext<[string]> {
  constructor(
    readonly pattern: string,
    readonly meta: BrokerEventMeta,
    readonly redelivered: boolean,
  ) {
    super([pattern]);
  }
}

export interface BrokerEnvelope {
  readonly pattern: string;
  readonly data: unknown;
}

/** What a transport knows of a message beside its body. */
export interface Delivery {
  /** The publisher's id of the event, if it gave one. */
  readonly id?: string | undefined;
  readonly at?: Date | undefined;
  readonly redelivered: boolean;
}

export type Outcome =
  | { readonly kind: 'done' | 'duplicate' }
  | (RpcFailure & { readonly pattern?: string | undefined });

/** Runs events through their handlers, the same way on every transport. */
export class BrokerDispatcher {
  private readonly logger = new Logger('RealtimeBroker');
  private readonly recent = new RecentIds(RECENT_EVENTS);
  private readonly inHand = new Set<Promise<void>>();

  constructor(
    private readonly handlers: ReadonlyMap<string, MessageHandler>,
    private readonly context: RequestContextService,
  ) {}

  get patterns(): string[] {
    return [...this.handlers.keys()];
  }

  /**
   * Handles one event and passes its outcome to `settle`, once, whatever
   * guards, pipes, interceptors and filters did on the way.
   */
  handle(
    decode: () => BrokerEnvelope,
    delivery: Delivery,
    settle: (outcome: Outcome) => void | Promise<void>,
  ): Promise<void> {
    const work: Promise<void> = this.dispatch(decode, delivery)
      .then(settle)
      .catch((error: unknown) => this.logger.error(error))
      .finally(() => this.inHand.delete(work));
    this.inHand.add(work);
    return work;
  }

  /** Resolves when nothing is in hand, or after DRAIN_TIMEOUT_MS. */
  async drained(): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const timeout = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, DRAIN_TIMEOUT_MS);
    });
    await Promise.race([Promise.allSettled(this.inHand), timeout]);
    clearTimeout(timer);
  }

  private async dispatch(
    decode: () => BrokerEnvelope,
    delivery: Delivery,
  ): Promise<Outcome> {
    let key: string | undefined;
    let pattern: string | undefined;
    try {
      const envelope = decode();
      const handler = this.handlers.get(envelope.pattern);
      if (!handler) {
        throw invalid('UNKNOWN_PATTERN', 'no consumer handles this pattern');
      }
      pattern = envelope.pattern;
      key = delivery.id && `${pattern} ${delivery.id}`;
      if (key && !this.recent.add(key)) {
        return { kind: 'duplicate' };
      }
      const meta = {
        id: delivery.id || randomUUID(),
        at: (delivery.at ?? new Date()).toISOString(),
      };
      const context = new BrokerEventContext(
        pattern,
        meta,
        delivery.redelivered,
      );
      await this.context.run(
        requestContextOf(pattern, meta.id, envelope.data),
        async () => {
          const result: unknown = await handler(envelope.data, context);
          if (isObservable(result)) {
            await lastValueFrom(result, { defaultValue: undefined });
          }
        },
      );
      return { kind: 'done' };
    } catch (error) {
      if (key) {
        this.recent.delete(key);
      }
      return { ...failureOf(error), pattern };
    }
  }
}

/** Whether Nest's `addHandler` was called for a handler that carries the mark. */
export function isBrokerHandler(
  ...[, , isEvent, extras]: Parameters<Server['addHandler']>
): boolean {
  return isEvent === true && own(extras, 'realtime') === true;
}

/**
 * Reads the envelope `{ pattern, data }`.
 *
 * @throws BaseRpcException `invalid`
 */
export function parseEnvelope(body: unknown): BrokerEnvelope {
  // With an id Nest would answer it, to a queue that the publisher names.
  if (own(body, 'id') !== undefined) {
    throw invalid('RPC', 'requests are not answered: an event has no id');
  }
  const pattern = own(body, 'pattern');
  const data = own(body, 'data');
  if (typeof pattern !== 'string' || data === undefined) {
    throw invalid('ENVELOPE', 'the body is not { "pattern": "...", "data" }');
  }
  return { pattern, data };
}

/**
 * Reads `data` of an event: `{ tenantId, [key]: payload }`.
 *
 * @throws BaseRpcException `invalid`
 */
export function parseBrokerEvent<T>(
  data: unknown,
  key: string,
  schema: ZodType<T>,
): { tenantId: string; payload: T } {
  const tenantId = own(data, 'tenantId');
  if (!isId(tenantId)) {
    throw invalid('TENANT', 'data.tenantId is missing or not an id');
  }
  const parsed = schema.safeParse(own(data, key));
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    const path = ['data', key, ...(issue?.path ?? [])].join('.');
    throw invalid('PAYLOAD', `${path}: ${issue?.message}`);
  }
  return { tenantId, payload: parsed.data };
}

/**
 * The id that an event is addressed to.
 *
 * @throws BaseRpcException `invalid`: an event is never sent to anyone else
 */
export function requireRecipient(id: unknown): string {
  if (!isId(id)) {
    throw invalid('RECIPIENT', 'the recipient is missing or not an id');
  }
  return id;
}

export function invalid(code: string, message: string): BaseRpcException {
  return new BaseRpcException('invalid', code, message);
}

/** `data` is `{ tenantId, [key]: payload }`: its handler checks it. */
function requestContextOf(
  event: string,
  eventId: string,
  data: unknown,
): RequestContext {
  const tenantId = own(data, 'tenantId');
  const userId = Object.values(Object(data))
    .map((payload) => own(payload, 'userId'))
    .find(isId);
  return {
    event,
    eventId,
    tenantId: isId(tenantId) ? tenantId : undefined,
    userId,
  };
}

function failureOf(error: unknown): RpcFailure {
  const kind = own(error, 'kind');
  const code = own(error, 'code');
  const message = String(own(error, 'message') ?? error);
  return (kind === 'invalid' || kind === 'transient') &&
    typeof code === 'string'
    ? { kind, code, message }
    : { kind: 'transient', code: 'INTERNAL', message };
}

/** An own property: never `constructor` or another inherited one. */
function own(value: unknown, key: string): unknown {
  return typeof value === 'object' &&
    value !== null &&
    Object.prototype.hasOwnProperty.call(value, key)
    ? (value as Record<string, unknown>)[key]
    : undefined;
}

/** The last ids seen: the oldest is forgotten first. */
class RecentIds {
  private readonly ids = new Set<string>();

  constructor(private readonly limit: number) {}

  /** False when the id is known already. */
  add(id: string): boolean {
    if (this.ids.has(id)) {
      return false;
    }
    this.ids.add(id);
    if (this.ids.size > this.limit) {
      const [oldest] = this.ids;
      this.ids.delete(oldest as string);
    }
    return true;
  }

  delete(id: string): void {
    this.ids.delete(id);
  }
}
