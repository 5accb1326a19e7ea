import { AsyncLocalStorage } from 'node:async_hooks';
import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
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
import { report } from '../observability/diagnostics';
import type { RequestContext, RequestContextService } from '../events/request-context';
import { isId } from '../rooms/rooms';

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

/** Attempts after the first one; then the event is a dead letter. */
const RETRIES = 5;
/** Before the first retry; doubled before each further one. */
const RETRY_MS = 100;
/** A handler that takes longer has failed. */
const HANDLER_TIMEOUT_MS = 30_000;

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
  /** Takes no more events, and waits so long for those in hand. */
  stop(timeoutMs: number): Promise<void>;
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
  /** Of the message: a trace context, for example. */
  readonly headers?: Readonly<Record<string, unknown>> | undefined;
  readonly redelivered: boolean;
}

export type Outcome =
  /** `released`: given back, for another replica or a later time. */
  | { readonly kind: 'done' | 'duplicate' | 'released' }
  | (RpcFailure & { readonly pattern?: string | undefined });

/** What a broker event has sent so far, over all attempts at it. */
class Emission {
  /** Settled when Redis has what was sent: then the event may be acknowledged. */
  readonly taken: Promise<void>[] = [];
  sent = 0;
  private appended = 0;

  constructor(
    private readonly key: string,
    /** Another replica sends it: what came from here would be overtaken. */
    readonly isReleased: () => boolean,
  ) {}

  /** The same for the same event, on whatever replica. */
  nextKey(): string {
    return `${this.key} ${this.appended++}`;
  }
}

const attempts = new AsyncLocalStorage<{ emission: Emission; sent: number }>();

/** The broker event on whose behalf this code runs. */
export function brokerEvent(): Emission | undefined {
  return attempts.getStore()?.emission;
}

/** False for what an earlier attempt at the same broker event has sent. */
export function isFirstSent(): boolean {
  const attempt = attempts.getStore();
  if (!attempt) {
    return true;
  }
  attempt.sent += 1;
  const { emission, sent } = attempt;
  const isFirst = sent > emission.sent;
  emission.sent = Math.max(sent, emission.sent);
  return isFirst;
}

/** Calls `work`, and returns what it returns. */
export type Around = <T>(
  event: string,
  delivery: Delivery,
  work: () => Promise<T>,
) => Promise<T>;

/** Runs events through their handlers, the same way on every transport. */
export class BrokerDispatcher {
  private readonly logger = new Logger('RealtimeBroker');
  private readonly recent = new RecentIds(RECENT_EVENTS);
  private readonly working = new Map<string, Promise<Outcome>>();
  private readonly inHand = new Set<Promise<void>>();
  /** By tenant: the last event to be handled. */
  private readonly tails = new Map<unknown, Promise<unknown>>();
  private readonly stopping = new AbortController();
  private releases = 0;
  private around: Around = (_event, _delivery, work) => work();

  constructor(
    private readonly handlers: ReadonlyMap<string, MessageHandler>,
    private readonly context: RequestContextService,
    private readonly retries = RETRIES,
  ) {}

  get patterns(): string[] {
    return [...this.handlers.keys()];
  }

  /**
   * Handles one event, after those of its tenant that came before it, and
   * passes its outcome to `settle`, once, whatever guards, pipes, interceptors
   * and filters did on the way.
   */
  handle(
    decode: () => BrokerEnvelope,
    delivery: Delivery,
    settle: (outcome: Outcome) => void | Promise<void>,
  ): Promise<void> {
    const work: Promise<void> = this.process(decode, delivery)
      .then(settle)
      .catch((error: unknown) => this.logger.error(error))
      .finally(() => this.inHand.delete(work));
    this.inHand.add(work);
    return work;
  }

  /** Has every event handled inside `around`. */
  surround(around: Around): void {
    this.around = around;
  }

  /** Gives back what is in hand: nothing more of it is sent. */
  release(): void {
    this.releases += 1;
  }

  /** Resolves when nothing is in hand, or after so long. */
  async drained(timeoutMs: number): Promise<void> {
    this.stopping.abort();
    await within(timeoutMs, Promise.allSettled(this.inHand)).catch(
      () => undefined,
    );
  }

  private async process(
    decode: () => BrokerEnvelope,
    delivery: Delivery,
  ): Promise<Outcome> {
    const started = performance.now();
    let event: string | undefined;
    let outcome: Outcome;
    try {
      const envelope = decode();
      const handler = this.handlers.get(envelope.pattern);
      if (!handler) {
        throw invalid('UNKNOWN_PATTERN', 'no consumer handles this pattern');
      }
      event = envelope.pattern;
      outcome = await this.once(envelope, delivery, handler);
    } catch (error) {
      outcome = { ...failureOf(error), pattern: event };
    }
    const { kind: result } = outcome;
    if (result !== 'released') {
      report('broker.event', {
        event,
        result,
        code: 'code' in outcome ? outcome.code : undefined,
        redelivered: delivery.redelivered,
        ms: performance.now() - started,
        ageMs: delivery.at && Date.now() - delivery.at.getTime(),
      });
    }
    return outcome;
  }

  /** A duplicate waits for the first one's outcome: it may have to take over. */
  private once(
    envelope: BrokerEnvelope,
    delivery: Delivery,
    handler: MessageHandler,
  ): Promise<Outcome> {
    const meta = {
      id: delivery.id || randomUUID(),
      at: (delivery.at ?? new Date()).toISOString(),
    };
    const key = `${envelope.pattern} ${meta.id}`;
    const first = this.working.get(key);
    const { releases } = this;
    const emission = new Emission(key, () => this.releases !== releases);
    const handled = this.inOrder(own(envelope.data, 'tenantId'), async () => {
      const { kind = undefined } = (await first?.catch(() => undefined)) ?? {};
      if (this.recent.has(key) || kind === 'done') {
        return 'duplicate';
      }
      return this.around(envelope.pattern, delivery, () =>
        this.attempt(envelope, meta, delivery, handler, emission),
      );
    });
    const outcome = handled.then(async (kind): Promise<Outcome> => {
      const taken = await Promise.allSettled(emission.taken);
      const isRefused = taken.some(({ status }) => status === 'rejected');
      if (isRefused || emission.isReleased()) {
        return { kind: 'released' };
      }
      if (kind === 'done' && delivery.id) {
        this.recent.add(key);
      }
      return { kind };
    });
    this.working.set(key, outcome);
    const forget = () => {
      if (this.working.get(key) === outcome) {
        this.working.delete(key);
      }
    };
    outcome.then(forget, forget);
    return outcome;
  }

  /** Transient failures are tried again here: behind it, its tenant waits. */
  private async attempt(
    { pattern, data }: BrokerEnvelope,
    meta: BrokerEventMeta,
    { redelivered }: Delivery,
    handler: MessageHandler,
    emission: Emission,
  ): Promise<'done' | 'released'> {
    for (let attempt = 0; !emission.isReleased(); attempt += 1) {
      const context = new BrokerEventContext(
        pattern,
        meta,
        redelivered || attempt > 0,
      );
      try {
        await within(
          HANDLER_TIMEOUT_MS,
          attempts.run({ emission, sent: 0 }, () =>
            this.context.run(requestContextOf(pattern, meta.id, data), () =>
              settled(handler(data, context)),
            ),
          ),
        );
        return 'done';
      } catch (error) {
        const { kind, code, message } = failureOf(error);
        if (emission.isReleased()) {
          break;
        }
        if (kind === 'invalid' || attempt === this.retries) {
          throw error;
        }
        this.logger.warn(
          `Attempt ${attempt + 1} failed: ${pattern}: ${code} ${message}`,
        );
        await this.pause(RETRY_MS * 2 ** attempt);
        if (this.stopping.signal.aborted) {
          break;
        }
      }
    }
    return 'released';
  }

  /** Runs after all that was given for the same tenant. */
  private inOrder<T>(tenant: unknown, run: () => Promise<T>): Promise<T> {
    const before = this.tails.get(tenant);
    const result = before ? before.then(run) : run();
    const tail = result
      .catch(() => undefined)
      .finally(() => {
        if (this.tails.get(tenant) === tail) {
          this.tails.delete(tenant);
        }
      });
    this.tails.set(tenant, tail);
    return result;
  }

  private async pause(ms: number): Promise<void> {
    const { signal } = this.stopping;
    await delay(ms, undefined, { signal }).catch(() => undefined);
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

async function settled(result: unknown): Promise<void> {
  const value: unknown = await result;
  if (isObservable(value)) {
    await lastValueFrom(value, { defaultValue: undefined });
  }
}

/** @throws BaseRpcException `transient`: `work` goes on, and is not waited for. */
async function within<T>(ms: number, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(
      () =>
        reject(new BaseRpcException('transient', 'TIMEOUT', 'took too long')),
      ms,
    );
  });
  try {
    return await Promise.race([work, timeout]);
  } finally {
    clearTimeout(timer);
  }
}

/** The last ids seen: the oldest is forgotten first. */
export class RecentIds {
  private readonly ids = new Set<string>();

  constructor(private readonly limit: number) {}

  has(id: string): boolean {
    return this.ids.has(id);
  }

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
}
