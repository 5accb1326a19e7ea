import { Injectable } from '@nestjs/common';
import { ClsServiceManager } from 'nestjs-cls';

/**
 * The event that code works for.
 *
 * @example
 * ```ts
 * const context: RequestContext = {
 *   event: 'notification.markRead',
 *   eventId: '0d0f5e0c',
 *   tenantId: 'acme',
 *   userId: 'ann',
 * };
 * ```
 */
export interface RequestContext {
  /** The event's name: `notification.markRead`. */
  readonly event: string;
  /** The broker's id of an event, or one made up for a client event. */
  readonly eventId: string;
  /** Tenant of the verified token, or of the broker event. */
  readonly tenantId?: string | undefined;
  /**
   * User that sent a client event, or that a broker event names as its
   * `userId`.
   */
  readonly userId?: string | undefined;
}

/**
 * Runs work in a context: a context service of your own implements it, and is
 * named as `requestContext` of RealtimeCoreModule.
 *
 * @example
 * ```ts
 * @Injectable()
 * export class HostContext implements RequestContextRunner {
 *   private readonly storage = new AsyncLocalStorage<RequestContext>();
 *
 *   run<T>(context: RequestContext, work: () => T): T {
 *     return this.storage.run(context, work);
 *   }
 * }
 * ```
 */
export interface RequestContextRunner {
  /** Calls `work` and all that it calls in the context of an event. */
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

  /** Name of the event. */
  get event(): string | undefined {
    return this.current?.event;
  }

  /** Id of the event. */
  get eventId(): string | undefined {
    return this.current?.eventId;
  }

  /** Tenant that the event belongs to. */
  get tenantId(): string | undefined {
    return this.current?.tenantId;
  }

  /** User of the event. */
  get userId(): string | undefined {
    return this.current?.userId;
  }

  /** Calls `work` and all that it calls in the context of an event. */
  run<T>(context: RequestContext, work: () => T): T {
    return this.cls.runWith({ ...this.cls.get(), [KEY]: context }, work);
  }

  private get current(): RequestContext | undefined {
    return this.cls.get(KEY);
  }
}
