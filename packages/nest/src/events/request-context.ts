import { Injectable } from '@nestjs/common';
import { ClsServiceManager } from 'nestjs-cls';

/** What an event is handled for. */
export interface RequestContext {
  /** The event's name: `notification.markRead`. */
  readonly event: string;
  /** The broker's id of an event, or one made up for a client event. */
  readonly eventId: string;
  /** From the verified token, or from the broker event. */
  readonly tenantId?: string | undefined;
  /** Who sent a client event; whom a broker event names as its `userId`. */
  readonly userId?: string | undefined;
}

/** Runs work in a context: what a class of your own has to implement. */
export interface RequestContextRunner {
  run<T>(context: RequestContext, work: () => T): T;
}

const KEY: unique symbol = Symbol.for('@nx-realtime/nest:context');

/**
 * Tells any service, however deep, which event it works for. Everything is
 * undefined outside of an event.
 *
 * @example
 * ```ts
 * constructor(private readonly context: RequestContextService) {}
 * // in a method: `this.context.tenantId`
 * ```
 */
@Injectable()
export class RequestContextService implements RequestContextRunner {
  private readonly cls = ClsServiceManager.getClsService();

  get event(): string | undefined {
    return this.current?.event;
  }

  get eventId(): string | undefined {
    return this.current?.eventId;
  }

  get tenantId(): string | undefined {
    return this.current?.tenantId;
  }

  get userId(): string | undefined {
    return this.current?.userId;
  }

  run<T>(context: RequestContext, work: () => T): T {
    return this.cls.runWith({ ...this.cls.get(), [KEY]: context }, work);
  }

  private get current(): RequestContext | undefined {
    return this.cls.get(KEY);
  }
}
