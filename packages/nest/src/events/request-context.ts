<%_ if (app.requestContext) { _%>
/** Your own class: it has `run<T>(context: RequestContext, work: () => T): T`. */
export { RequestContextService } from '<%- app.requestContext %>';
<%_ } else { _%>
import { Injectable } from '@nestjs/common';
import { ClsServiceManager } from 'nestjs-cls';
<%_ } _%>

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
<%_ if (!app.requestContext) { _%>

const KEY = Symbol('RequestContext');

/** Tells any service, however deep, which event it works for. */
@Injectable()
export class RequestContextService {
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
<%_ } _%>
