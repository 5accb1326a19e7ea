import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import {
  BaseRpcContext,
  EventPattern,
  type Server,
} from '@nestjs/microservices';
import type { EventMeta } from '../events/event-meta';
import { checkPayload, type PayloadSchema } from '../events/payload-schema';
import { isId } from '../rooms/rooms';
import { invalid } from './base-rpc.exception';
import { noteFailure } from './emission';
import { own } from './own';

/** Transport id of the broker: its handlers run on no other transport. */
export const REALTIME_BROKER: unique symbol = Symbol.for(
  '@nx-realtime/nest:transport',
);

const MARK: unique symbol = Symbol.for('@nx-realtime/nest:broker-event');

/**
 * Marks a handler as ours. Nest offers handlers without a transport to every
 * server of the app; without the mark they would be bound to our queue and run
 * on our events.
 */
export const BROKER_EVENT = { [MARK]: true } as const;

/** Metadata of a handler: the arguments of its BrokerEvent. */
const SOURCE: unique symbol = Symbol.for('@nx-realtime/nest:event-source');

/**
 * A broker event, as its handler gets it.
 *
 * @example
 * ```ts
 * @BrokerEvent('notification.created', { key: 'notification', schema })
 * onNotificationCreated({ tenantId, payload, meta }: BrokerMessage<NotificationCreated>) {
 *   this.clients.toTenant(tenantId, 'notification.created', payload, meta);
 * }
 * ```
 */
export interface BrokerMessage<T = unknown> {
  /** Tenant that the event belongs to. */
  readonly tenantId: string;
  /** Checked against the schema of the event. */
  readonly payload: T;
  /** Id and time of the event, to be passed on with what it sends. */
  readonly meta: EventMeta;
  /** True where the event may have been handled before. */
  readonly redelivered: boolean;
}

/** Place and contract of an event's payload in its message. */
export interface EventSource<T = unknown> {
  /** Key of the payload in `data`: the domain's singular in camelCase. */
  readonly key: string;
  readonly schema: PayloadSchema<T>;
}

/** Context of a broker event, as Nest hands it to interceptors and filters. */
export class BrokerEventContext extends BaseRpcContext<[string]> {
  constructor(
    readonly pattern: string,
    readonly meta: EventMeta,
    readonly redelivered: boolean,
  ) {
    super([pattern]);
  }
}

type Handler<T> = (message: BrokerMessage<T>) => unknown;

/**
 * Handles an event of the broker: an `@EventPattern` whose handler gets the
 * tenant, the checked payload and the event's meta. An event whose payload does
 * not fit the schema becomes a dead letter.
 *
 * @example
 * ```ts
 * @BrokerEvent('notification.created', {
 *   key: 'notification',
 *   schema: notificationCreatedSchema,
 * })
 * onNotificationCreated({ tenantId, payload, meta }: BrokerMessage<NotificationCreated>) {}
 * ```
 * @param event name: the routing key of its messages
 */
export function BrokerEvent<T>(event: string, source: EventSource<T>) {
  return <H extends Handler<T>>(
    target: object,
    name: string,
    descriptor: TypedPropertyDescriptor<H>,
  ): void => {
    noteFailuresOf(descriptor);
    const message = createParamDecorator((_data: unknown, context) =>
      messageOf(context, source),
    );
    message()(target, name, 0);
    Reflect.defineMetadata(
      SOURCE,
      { event, ...source },
      Object(descriptor.value),
    );
    const mark = EventPattern(event, REALTIME_BROKER, BROKER_EVENT);
    mark(target, name, descriptor);
  };
}

/**
 * True for arguments of Nest's `addHandler` that are of a handler of
 * BrokerEvent.
 */
export function isBrokerHandler(
  ...[, , isEvent, extras]: Parameters<Server['addHandler']>
): boolean {
  return isEvent === true && Reflect.get(Object(extras), MARK) === true;
}

/** Arguments of the BrokerEvent of a method, if it has one. */
export function eventSourceOf(
  method: unknown,
): ({ readonly event: string } & EventSource) | undefined {
  return Reflect.getMetadata(SOURCE, Object(method));
}

/**
 * Reads `data` of an event: `{ tenantId, [key]: payload }`.
 *
 * @throws BaseRpcException `invalid`
 */
export async function parseBrokerEvent<T>(
  data: unknown,
  { key, schema }: EventSource<T>,
): Promise<{ tenantId: string; payload: T }> {
  const tenantId = own(data, 'tenantId');
  if (!isId(tenantId)) {
    throw invalid('TENANT', 'data.tenantId is missing or not an id');
  }
  let payload = own(data, key);
  for (;;) {
    const checked = await checkPayload(schema, payload);
    if ('payload' in checked) {
      return { tenantId, payload: checked.payload };
    }
    const { problems } = checked;
    const rest = withoutNulls(
      payload,
      problems.map(({ path }) => path),
    );
    if (rest === payload) {
      const [problem] = problems;
      const path = ['data', key, problem?.path].filter(Boolean).join('.');
      throw invalid('PAYLOAD', `${path}: ${problem?.message}`);
    }
    payload = rest;
  }
}

/**
 * Leaves out the fields that are null and that a schema has refused: Java, .NET
 * and Go write null for what is absent.
 *
 * @param refused paths of fields, such as `author.name`
 * @returns the value itself where none of them is null
 */
function withoutNulls(
  value: unknown,
  refused: readonly string[],
  above = '',
): unknown {
  if (typeof value !== 'object' || value === null || refused.length === 0) {
    return value;
  }
  const entries = Object.entries(value).map(([name, field]) => {
    const path = `${above}${name}`;
    const isLeftOut = field === null && refused.includes(path);
    return [
      name,
      isLeftOut ? undefined : withoutNulls(field, refused, `${path}.`),
      isLeftOut,
    ] as const;
  });
  const isSame = entries.every(
    ([name, field]) => field === (value as Record<string, unknown>)[name],
  );
  if (isSame) {
    return value;
  }
  // An item of a list has its place: nothing of a list is left out.
  return Array.isArray(value)
    ? entries.map(([, field, isLeftOut]) => (isLeftOut ? null : field))
    : Object.fromEntries(entries.filter(([, , isLeftOut]) => !isLeftOut));
}

/**
 * Returns the id that an event is addressed to.
 *
 * @example
 * ```ts
 * const userId = requireRecipient(payload.userId);
 * this.clients.toUser(tenantId, userId, 'message.created', payload, meta);
 * ```
 * @throws BaseRpcException `invalid`: an event is never sent to anyone else
 */
export function requireRecipient(id: unknown): string {
  if (!isId(id)) {
    throw invalid('RECIPIENT', 'the recipient is missing or not an id');
  }
  return id;
}

async function messageOf<T>(
  context: ExecutionContext,
  source: EventSource<T>,
): Promise<BrokerMessage<T>> {
  const rpc = context.switchToRpc();
  const { meta, redelivered } = rpc.getContext<BrokerEventContext>();
  const read = await parseBrokerEvent(rpc.getData(), source);
  return { ...read, meta, redelivered };
}

/** Keeps what a handler throws: a filter may make something else of it. */
function noteFailuresOf<H extends Handler<never>>(
  descriptor: TypedPropertyDescriptor<H>,
): void {
  const handler = descriptor.value as Handler<never>;
  const noted = function (
    this: object,
    message: BrokerMessage<never>,
  ): unknown {
    try {
      const result = handler.call(this, message);
      if (result instanceof Promise) {
        result.catch(noteFailure);
      }
      return result;
    } catch (error) {
      noteFailure(error);
      throw error;
    }
  };
  // Other decorators have described the handler.
  for (const key of Reflect.getMetadataKeys(handler)) {
    const value: unknown = Reflect.getMetadata(key, handler);
    Reflect.defineMetadata(key, value, noted);
  }
  Object.defineProperty(noted, 'name', { value: handler.name });
  descriptor.value = noted as H;
}
