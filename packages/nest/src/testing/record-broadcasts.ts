import type { Type } from '@nestjs/common';
import {
  type BrokerMessage,
  eventSourceOf,
  parseBrokerEvent,
} from '../broker/broker-event';
import { Broadcaster } from '../events/broadcaster';
import type { EventMeta } from '../events/event-meta';
import { methodsOf } from '../private-doors';
import { customRoom, resourceRoom, tenantRoom, userRoom } from '../rooms/rooms';

/** Events that a consumer sent, each with its room. */
export interface RecordedBroadcasts {
  /** Broadcaster for the consumer, in place of the app's. */
  readonly broadcaster: Broadcaster;
  /** Every event that was sent, in order. */
  readonly sent: readonly { readonly room: string; readonly event: string }[];
  /** Names of rooms, to compare with. */
  readonly rooms: {
    readonly tenant: (tenantId: string) => string;
    readonly user: (tenantId: string, userId: string) => string;
    readonly resource: (tenantId: string, resourceId: string) => string;
    readonly custom: (tenantId: string, key: string) => string;
  };
  /**
   * Hands a consumer an event as the broker does.
   *
   * @param data `{ tenantId, [key]: payload }`
   * @throws BaseRpcException where the data is refused
   * @throws Error where no method of the consumer handles the event
   */
  deliver(consumer: object, event: string, data: object): Promise<void>;
}

/**
 * Records what a consumer sends, without a server.
 *
 * @example
 * ```ts
 * const { broadcaster, deliver, rooms, sent } = recordBroadcasts();
 * const consumer = new NotificationsWsConsumer(broadcaster);
 * await deliver(consumer, 'notification.created', { tenantId: 't1', notification });
 * expect(sent).toEqual([{ room: rooms.tenant('t1'), event: 'notification.created' }]);
 * ```
 */
export function recordBroadcasts(): RecordedBroadcasts {
  const sent: { room: string; event: string }[] = [];
  const to = (room: string) => ({
    emit: (event: string) => sent.push({ room, event }),
  });
  const broadcaster = new Broadcaster();
  broadcaster.bind({ of: () => ({ to }) } as unknown as Parameters<
    Broadcaster['bind']
  >[0]);
  const rooms = {
    tenant: tenantRoom,
    user: userRoom,
    resource: resourceRoom,
    custom: customRoom,
  };
  return { broadcaster, sent, rooms, deliver };
}

async function deliver(
  consumer: object,
  event: string,
  data: object,
): Promise<void> {
  for (const method of methodsOf(consumer.constructor as Type)) {
    const source = eventSourceOf(method);
    if (source?.event === event) {
      const meta: EventMeta = { id: 'event-1', at: new Date().toISOString() };
      const read = await parseBrokerEvent(data, source);
      const message: BrokerMessage = { ...read, meta, redelivered: false };
      await Reflect.apply(method as () => unknown, consumer, [message]);
      return;
    }
  }
  throw new Error(`${consumer.constructor.name} has no handler of ${event}`);
}
