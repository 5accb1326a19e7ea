import { randomUUID } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { isFirstSent } from '../broker/emission';
import type { RealtimeServer } from '../connections/socket';
import { report } from '../observability/diagnostics';
import { customRoom, resourceRoom, tenantRoom, userRoom } from '../rooms/rooms';
import type { EventMeta } from './event-meta';

type Payload<Events, Name extends keyof Events> = Events[Name] extends (
  payload: infer P,
  ...rest: never[]
) => void
  ? P
  : never;

/**
 * Sends events to clients: each target is one room made from checked ids.
 *
 * @example
 * ```ts
 * const clients = broadcaster.namespace<ServerToClientEvents>('/notifications');
 * clients.toTenant('t1', 'notification.created', payload, meta);
 * ```
 */
@Injectable()
export class Broadcaster {
  private server: Pick<RealtimeServer, 'of'> | undefined;

  /** Sets the server, when it is there. */
  bind(server: Pick<RealtimeServer, 'of'>): void {
    this.server = server;
  }

  /**
   * Sends the events of one domain. @param name of its namespace:
   * `/notifications`
   */
  namespace<Events>(name: string): DomainBroadcaster<Events> {
    return new DomainBroadcaster<Events>((room, event, payload, meta) => {
      if (!this.server) {
        throw new Error(
          'Nothing can be sent before setupRealtime(app) is done',
        );
      }
      if (isFirstSent()) {
        report('emit', { namespace: name, event });
        this.server.of(name).to(room).emit(event, payload, meta);
      }
    });
  }
}

/**
 * Sends the events of one domain to its clients. Every method throws a
 * TypeError for an id that names nobody: empty, longer than 256 characters or
 * no text. An event without `meta` gets a new id and the time of now; one that
 * passes on a broker event keeps the id and time of that.
 *
 * @example
 * ```ts
 * const clients: DomainBroadcaster<ServerToClientEvents> =
 *   broadcaster.namespace('/notifications');
 * clients.toUser('t1', 'u1', 'notification.created', payload, meta);
 * ```
 */
export class DomainBroadcaster<Events> {
  constructor(
    private readonly emit: (
      room: string,
      event: string,
      payload: unknown,
      meta: EventMeta,
    ) => void,
  ) {}

  /** Sends to everyone of a tenant. */
  toTenant<Name extends keyof Events & string>(
    tenantId: string,
    event: Name,
    payload: Payload<Events, Name>,
    meta: EventMeta = newMeta(),
  ): void {
    this.emit(tenantRoom(tenantId), event, payload, meta);
  }

  /** Sends to one user of a tenant, on all devices. */
  toUser<Name extends keyof Events & string>(
    tenantId: string,
    userId: string,
    event: Name,
    payload: Payload<Events, Name>,
    meta: EventMeta = newMeta(),
  ): void {
    this.emit(userRoom(tenantId, userId), event, payload, meta);
  }

  /** Sends to those who are subscribed to a resource. */
  toResource<Name extends keyof Events & string>(
    tenantId: string,
    resourceId: string,
    event: Name,
    payload: Payload<Events, Name>,
    meta: EventMeta = newMeta(),
  ): void {
    this.emit(resourceRoom(tenantId, resourceId), event, payload, meta);
  }

  /** Sends to a room that the domain's own function names, by its key. */
  toCustom<Name extends keyof Events & string>(
    tenantId: string,
    key: string,
    event: Name,
    payload: Payload<Events, Name>,
    meta: EventMeta = newMeta(),
  ): void {
    this.emit(customRoom(tenantId, key), event, payload, meta);
  }
}

function newMeta(): EventMeta {
  return { id: randomUUID(), at: new Date().toISOString() };
}
