import type { Audience, DomainNames, ListAction, Rooms } from '../domain/index.js';

/** One payload field, for templates. */
export interface FieldView {
  readonly name: string;
  /** Lines of a zod expression, complete with array and optional: `z.optional(z.array(z.uuid()))` */
  readonly zod: readonly string[];
  /** Lines of a TypeScript literal that satisfies the schema, for tests: `'m1'` */
  readonly sample: readonly string[];
  readonly optional: boolean;
}

/** One event, for templates. */
export interface EventView {
  /** `notification.markRead` */
  readonly name: string;
  /** `NotificationMarkRead`: payload type, `on<pascal>` handler prop */
  readonly pascal: string;
  /** `notificationMarkRead`: schema is `<camel>Schema` */
  readonly camel: string;
  /** Method name for a client event, unique in its gateway: `markRead` */
  readonly method: string;
  readonly fields: readonly FieldView[];
  /** Lines of a TypeScript object literal that is a valid payload: `{ id: '1', message: 'hello' }` */
  readonly sample: readonly string[];
}

export interface ServerEventView extends EventView {
  readonly audience: Audience;
  /** Broadcaster's `to<recipients>`: `Tenant`, `User`, `Resource`, `Custom` */
  readonly recipients: string;
  readonly list: ListAction;
}

/** The list that a domain has in the browser. */
export interface ListView {
  /** The first event that adds: what its payload has, each item has. */
  readonly item: ServerEventView;
  /** Fields that an item may gain by other events, with the first event that has them. */
  readonly gained: readonly { readonly event: EventView; readonly fields: readonly string[] }[];
  /** Those that change it. */
  readonly events: readonly ServerEventView[];
  /** An id that each of these may have, for tests. */
  readonly sampleId: string;
}

/** One domain, for templates: `d` in EJS. */
export interface DomainView extends DomainNames {
  readonly namespace: string;
  readonly rooms: Rooms;
  /** What the contract imports. */
  readonly zod: 'zod' | 'zod/mini';
  /** `@acme/realtime-contracts/notifications` */
  readonly contractImport: string;
  readonly serverEvents: readonly ServerEventView[];
  /** Null where no event adds to it. */
  readonly list: ListView | null;
  readonly clientEvents: readonly EventView[];
  /** With rooms `resource`: the client events subscribe and unsubscribe, which the kernel handles. */
  readonly subscriptions: readonly EventView[];
  /** `clientEvents` and `subscriptions`: all that clients may send. */
  readonly commands: readonly EventView[];
}

/** One app, for its domains' templates: `app` in EJS. */
export interface AppView {
  /** Nx project name without scope, kebab-case: names the app's queues and Redis keys. */
  readonly name: string;
  readonly domains: readonly DomainView[];
  /** From the module, without extension: the host's own RequestContextService, when it has one. */
  readonly requestContext?: string | undefined;
  /** Metrics and tracing too. */
  readonly observability: boolean;
  /** From `realtime.module.ts`: the folder of the app's own publisher, when it has one. */
  readonly publisher?: string | undefined;
}

/** One publisher, for templates: `publisher` in EJS. */
export interface PublisherView {
  /** Those with server events, each with the variable that holds its app's port. */
  readonly domains: readonly (DomainView & { readonly tcpPort: string })[];
  readonly tcpPorts: readonly string[];
}

/** Import paths and runner of a web project: `web` in EJS. */
export interface WebView {
  /** From `features/<domain>/realtime/`, without extension: `../../../lib/realtime/realtime-client` */
  readonly client: string;
  /** From `features/<domain>/example/`: the folder of what all example pages share. */
  readonly example: string;
  /** From the file of an example page: the component that it shows. */
  readonly page: string;
  /** From `lib/realtime/`, without extension: `../../stores/auth.store` */
  readonly authStore: string;
  readonly testRunner: 'jest' | 'vitest' | 'none';
  readonly framework: 'next' | 'vite';
  /** `NEXT_PUBLIC_REALTIME_URL` or `VITE_REALTIME_URL`, and what many teams have */
  readonly urlVariables: { readonly own: string; readonly api: string };
}
