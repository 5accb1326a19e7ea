import { randomUUID } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { isFirstSent } from '../broker/broker';
import { report } from '../observability/diagnostics';
import { customRoom, resourceRoom, tenantRoom, userRoom } from '../rooms/rooms';
import type { RealtimeServer } from '../connections/session';

/** Sent with each server event: the event's id and its time (ISO 8601). */
export interface EventMeta {
  id: string;
  at: string;
}

type Payload<Events, Name extends keyof Events> = Events[Name] extends (
  payload: infer P,
  ...rest: never[]
) => void
  ? P
  : never;

/** The only way to emit: each target is one room made from checked ids. */
@Injectable()
export class Broadcaster {
  private server: RealtimeServer | undefined;

  bind(server: RealtimeServer): void {
    this.server = server;
  }

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
 * Emits the events of one domain. Throws on an id that names nobody. An event
 * without `meta` gets an id made for it and the time of now; one that passes on
 * a broker event keeps the id and time of that.
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

  toTenant<Name extends keyof Events & string>(
    tenantId: string,
    event: Name,
    payload: Payload<Events, Name>,
    meta: EventMeta = newMeta(),
  ): void {
    this.emit(tenantRoom(tenantId), event, payload, meta);
  }

  toUser<Name extends keyof Events & string>(
    tenantId: string,
    userId: string,
    event: Name,
    payload: Payload<Events, Name>,
    meta: EventMeta = newMeta(),
  ): void {
    this.emit(userRoom(tenantId, userId), event, payload, meta);
  }

  toResource<Name extends keyof Events & string>(
    tenantId: string,
    resourceId: string,
    event: Name,
    payload: Payload<Events, Name>,
    meta: EventMeta = newMeta(),
  ): void {
    this.emit(resourceRoom(tenantId, resourceId), event, payload, meta);
  }

  /** To a room that the domain's own function names, by its key. */
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
