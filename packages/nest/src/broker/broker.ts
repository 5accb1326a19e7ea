import { randomUUID } from 'node:crypto';
import { setMaxListeners } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { Logger } from '@nestjs/common';
import type {
  CustomTransportStrategy,
  MessageHandler,
} from '@nestjs/microservices';
import { isObservable, lastValueFrom } from 'rxjs';
import type {
  RequestContext,
  RequestContextRunner,
} from '../events/request-context';
import { report } from '../observability/diagnostics';
import type { LinkHealth } from '../observability/link-health';
import { isHarmless, MAX_DEPTH } from '../events/payload-shape';
import { isId } from '../rooms/rooms';
import {
  BaseRpcException,
  invalid,
  type RpcFailure,
} from './base-rpc.exception';
import { BrokerEventContext } from './broker-event';
import { type Attempt, Emission, runAttempt } from './emission';
import { EVENT_POLICY, type EventPolicy } from './event-policy';
import type { EventMeta } from '../events/event-meta';
import { withTimeLimit } from '../time-limit';
import { Lanes, type Source, type Turn } from './lanes';
import { own } from './own';
import { RecentIds } from './recent-ids';

/** Duplicates are logged once in so long. */
const DUPLICATES_EVERY_MS = 60_000;

/** A larger event is refused before it is parsed. */
export const MAX_EVENT_BYTES = 256 * 1024;

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
export const RealtimeBroker: unique symbol = Symbol.for(
  '@nx-realtime/nest:broker',
);

/** An event as it stands in a message. */
export interface BrokerEnvelope {
  readonly pattern: string;
  readonly data: unknown;
}

/** Properties of a message beside its body. */
export interface Delivery {
  /** The publisher's id of the event, if it gave one. */
  readonly id?: string | undefined;
  readonly at?: Date | undefined;
  /** Headers of the message: a trace context, for example. */
  readonly headers?: Readonly<Record<string, unknown>> | undefined;
  readonly redelivered: boolean;
  /** By default the queue of all. */
  readonly source?: Source | undefined;
}

/** End of an event: how its message is settled. */
export type Outcome =
  /** `released`: given back, for another replica or a later time. */
  | { readonly kind: 'done' | 'duplicate' | 'released' }
  /** To be sent to the queue of its tenant, with this id. */
  | {
      readonly kind: 'apart';
      readonly tenant: string | undefined;
      readonly id: string;
    }
  | (RpcFailure & { readonly pattern?: string | undefined });

/** End of an event's turn. */
type Handled = 'done' | 'duplicate' | 'released';

/** Calls `work`, and returns what it returns. */
export type Around = <T>(
  event: string,
  delivery: Delivery,
  work: () => Promise<T>,
) => Promise<T>;

/** Runs events through their handlers, the same way on every transport. */
export class BrokerDispatcher {
  private readonly logger = new Logger('RealtimeBroker');
  private readonly policy: EventPolicy;
  private readonly recent: RecentIds;
  private readonly working = new Map<string, Promise<Outcome>>();
  private readonly inHand = new Set<Promise<void>>();
  /** What was sent of events that have left, and whose copies come. */
  private readonly left = new Map<string, Emission>();
  /** Keeps the order of each tenant. */
  readonly lanes: Lanes;
  private readonly stopping = new AbortController();
  private releases = 0;
  /** Since they were logged last. */
  private duplicates = 0;
  private nextNoteAt = 0;
  private around: Around = (_event, _delivery, work) => work();

  constructor(
    private readonly handlers: ReadonlyMap<string, MessageHandler>,
    private readonly context: RequestContextRunner,
    policy: Partial<EventPolicy> = {},
    /** Whether an event can be sent to a queue of its tenant. */
    mayLeave: () => boolean = () => false,
  ) {
    this.policy = { ...EVENT_POLICY, ...policy };
    this.lanes = new Lanes(mayLeave);
    // Each event that waits for its next attempt listens.
    setMaxListeners(0, this.stopping.signal);
    this.recent = new RecentIds(this.policy.rememberedIds);
  }

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

  /** Sets the function that every event is handled in. */
  surround(around: Around): void {
    this.around = around;
  }

  /** Forgets which tenants wait apart: the channel to their queues has ended. */
  forgetApart(): void {
    this.lanes.forget();
    this.left.clear();
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
    if (result !== 'released' && result !== 'apart') {
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

  /**
   * Handles an event once. A duplicate waits for the first one's outcome: it
   * may have to take over.
   */
  private once(
    envelope: BrokerEnvelope,
    delivery: Delivery,
    handler: MessageHandler,
  ): Promise<Outcome> {
    const meta = {
      id: delivery.id || randomUUID(),
      at: (delivery.at ?? new Date()).toISOString(),
    };
    const tenant = tenantOf(envelope.data);
    const key = keyOf(envelope.pattern, tenant, meta.id);
    const first = this.working.get(key);
    const { releases } = this;
    const begun = this.left.get(key);
    this.left.delete(key);
    const emission =
      begun ?? new Emission(key, () => this.releases !== releases);
    let turn: Turn | undefined;
    const finish = async (kind: Handled): Promise<Outcome> => {
      const taken = await Promise.allSettled(emission.taken);
      const isRefused = taken.some(({ status }) => status === 'rejected');
      if (isRefused || emission.isReleased()) {
        return { kind: 'released' };
      }
      if (kind === 'done' && (delivery.id || turn?.hasLeft)) {
        this.recent.add(key);
      }
      return { kind };
    };
    const { source = 'queue' } = delivery;
    const handled = this.lanes.enter(tenant, source, async (its) => {
      turn = its;
      const { kind = undefined } = (await first?.catch(() => undefined)) ?? {};
      if (this.recent.has(key) || kind === 'done') {
        if (begun) {
          return 'done';
        }
        this.noteDuplicate(envelope.pattern);
        return 'duplicate';
      }
      const result = await this.around(envelope.pattern, delivery, () =>
        this.attempt(envelope, meta, delivery, handler, emission, its),
      );
      if (its.hasLeft) {
        // Its copy is next, and must know what became of it.
        await finish(result);
      }
      return result;
    });
    const outcome = handled.then((kind): Outcome | Promise<Outcome> => {
      if (kind !== 'apart') {
        return finish(kind);
      }
      if (turn) {
        this.left.set(key, emission);
      }
      return { kind, tenant, id: meta.id };
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

  /**
   * Tries an event until it is done, or failed for good; its tenant waits
   * meanwhile.
   */
  private async attempt(
    { pattern, data }: BrokerEnvelope,
    meta: EventMeta,
    { redelivered }: Delivery,
    handler: MessageHandler,
    emission: Emission,
    turn: Turn,
  ): Promise<'done' | 'released'> {
    for (
      let attempt = 0;
      !emission.isReleased() && !turn.hasLeft;
      attempt += 1
    ) {
      const context = new BrokerEventContext(
        pattern,
        meta,
        redelivered || attempt > 0,
      );
      const current: Attempt = { emission, sent: 0 };
      try {
        await within(
          this.policy.timeoutMs,
          runAttempt(current, () =>
            this.context.run(requestContextOf(pattern, meta.id, data), () =>
              settled(handler(data, context)),
            ),
          ),
        );
        return 'done';
      } catch (error) {
        const failure = this.failureOf(error, current);
        const { kind, code, message } = failure;
        if (emission.isReleased()) {
          break;
        }
        if (kind === 'invalid' || attempt >= this.policy.retries) {
          throw new BaseRpcException(kind, code, message);
        }
        this.logger.warn(
          `Attempt ${attempt + 1} failed: ${pattern}: ${code} ${message}`,
        );
        this.lanes.fails(tenantOf(data));
        await this.pause(this.policy.pauseMs(attempt));
        if (this.stopping.signal.aborted) {
          break;
        }
      }
    }
    return 'released';
  }

  /**
   * Failure of an attempt: what the handler threw counts, where a filter has
   * hidden it.
   */
  private failureOf(error: unknown, { failure }: Attempt): RpcFailure {
    const found = failureOf(error);
    return found.code === 'INTERNAL' &&
      failure !== undefined &&
      this.policy.isInvalid(failure)
      ? { ...found, kind: 'invalid', code: 'REFUSED' }
      : found;
  }

  private noteDuplicate(event: string): void {
    this.duplicates += 1;
    if (Date.now() >= this.nextNoteAt) {
      this.nextNoteAt = Date.now() + DUPLICATES_EVERY_MS;
      this.logger.warn(
        `Left out as duplicates of their tenant: ${this.duplicates}, the last a ${event}`,
      );
      this.duplicates = 0;
    }
  }

  private async pause(ms: number): Promise<void> {
    const { signal } = this.stopping;
    await delay(ms, undefined, { signal }).catch(() => undefined);
  }
}

/**
 * Reads the envelope `{ pattern, data }`.
 *
 * @throws BaseRpcException `invalid`
 */
export function parseEnvelope(body: unknown): BrokerEnvelope {
  // Nest would answer an event with an id, to a queue that the publisher names.
  if (own(body, 'id') !== undefined) {
    throw invalid('RPC', 'requests are not answered: an event has no id');
  }
  const pattern = own(body, 'pattern');
  const data = own(body, 'data');
  if (typeof pattern !== 'string' || data === undefined) {
    throw invalid('ENVELOPE', 'the body is not { "pattern": "...", "data" }');
  }
  if (!isHarmless(data, Infinity)) {
    const detail = `data has more than ${MAX_DEPTH} levels, or a key __proto__`;
    throw invalid('SHAPE', detail);
  }
  return { pattern, data };
}

/**
 * Context of an event: `data` is `{ tenantId, [key]: payload }`, which its
 * handler checks.
 */
function requestContextOf(
  event: string,
  eventId: string,
  data: unknown,
): RequestContext {
  const userId = Object.values(Object(data))
    .map((payload) => own(payload, 'userId'))
    .find(isId);
  return {
    event,
    eventId,
    tenantId: tenantOf(data),
    userId,
  };
}

function tenantOf(data: unknown): string | undefined {
  const tenantId = own(data, 'tenantId');
  return isId(tenantId) ? tenantId : undefined;
}

/** Tenants make up ids of their own: an event is the same within one alone. */
function keyOf(event: string, tenantId = '', id: string): string {
  return `${event} ${tenantId.length} ${tenantId} ${id}`;
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

async function settled(result: unknown): Promise<void> {
  const value: unknown = await result;
  if (isObservable(value)) {
    await lastValueFrom(value, { defaultValue: undefined });
  }
}

/**
 * @throws BaseRpcException `transient`: `work` goes on, and is not waited for.
 */
function within<T>(ms: number, work: Promise<T>): Promise<T> {
  return withTimeLimit(
    ms,
    work,
    () => new BaseRpcException('transient', 'TIMEOUT', 'took too long'),
  );
}
