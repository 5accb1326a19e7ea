/** The scalar types that the event grammar knows; `enum(a|b)` is held apart as its values. */
export const SCALARS = [
  'string',
  'number',
  'integer',
  'boolean',
  'uuid',
  'datetime',
  'json',
] as const;
export type Scalar = (typeof SCALARS)[number];

/** One field of a payload, as `userId?: uuid[]` states it. */
export interface Field {
  readonly name: string;
  readonly optional: boolean;
  /** A scalar, or the allowed values of an enum. */
  readonly base: Scalar | readonly string[];
  readonly array: boolean;
}

export const ROOMS = ['tenant', 'user', 'resource', 'custom'] as const;
export type Rooms = (typeof ROOMS)[number];

/** Receivers of a server event. `field` names the payload field holding the id or key. */
export interface Audience {
  readonly to: Rooms;
  readonly field?: string | undefined;
  /** Receivers of an event without that field; absent: none, it is dead-lettered. */
  readonly otherwise?: 'tenant' | undefined;
}

export const LIST_ACTIONS = ['add', 'update', 'remove', 'none'] as const;

/** Effect of a server event on the domain's list in the browser. */
export type ListAction = (typeof LIST_ACTIONS)[number];

export interface ServerEvent {
  /** Full name on the wire: `notification.created`. */
  readonly name: string;
  readonly fields: readonly Field[];
  readonly audience: Audience;
  readonly list: ListAction;
}

export interface ClientEvent {
  readonly name: string;
  readonly fields: readonly Field[];
}

/** A domain, every default filled in. `web` is null for a server-only domain. */
export interface Domain {
  readonly names: DomainNames;
  readonly namespace: string;
  readonly rooms: Rooms;
  readonly app: string;
  readonly web: string | null;
  readonly contracts: string;
  /** Relative to the web project's root. */
  readonly authStore?: string | undefined;
  /** The host's own RequestContextService: relative to the app's root, or a package's import path. */
  readonly requestContext?: string | undefined;
  readonly skipTests: boolean;
  readonly skipMount: boolean;
  /** A page that shows it all. */
  readonly example: boolean;
  /** Its app gets metrics, tracing and a dashboard. */
  readonly observability: boolean;
  readonly serverEvents: readonly ServerEvent[];
  readonly clientEvents: readonly ClientEvent[];
}

/** Every spelling of a domain's name that generated code uses. */
export interface DomainNames {
  /** `ActivityFeed` */
  readonly pascal: string;
  /** `ActivityFeeds` */
  readonly pascalPlural: string;
  /** `activityFeed`: the payload's key on the broker and the events' default prefix */
  readonly camel: string;
  /** `activityFeeds` */
  readonly camelPlural: string;
  /** `activity-feeds`: folder, file stem and default namespace */
  readonly kebabPlural: string;
  /** `ACTIVITY_FEEDS` */
  readonly constantPlural: string;
}
