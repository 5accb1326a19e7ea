import { Channel, type RealtimeChannel } from './channel';
import { RealtimeConnection, type Server } from './connection';
import type { RealtimeFailure } from './errors';
import { type FaultHandler, Faults } from './faults';
import type { EventSchemas } from './schemas';
import { type Claims, claimsOf, type RealtimeToken, Tokens } from './tokens';

/**
 * What `createRealtime` is given.
 *
 * @example
 * const options: RealtimeOptions = { url: 'https://api.acme.com', token };
 */
export interface RealtimeOptions {
  /**
   * The server, as an absolute http(s) URL: `https://api.acme.com`. A path in it
   * is Socket.IO's: `https://acme.com/api/socket.io`. Without a URL every
   * namespace is `refused` with the code `CONFIGURATION`.
   */
  readonly url: string | undefined;
  /**
   * URL of the API, for where `url` is not given: its origin is taken, as its
   * path is usually the prefix of the API's own routes.
   */
  readonly apiUrl?: string | undefined;
  /** Name of the variable that holds `url`, for messages. */
  readonly urlVariable?: string | undefined;
  /** Path of Socket.IO on the server. @default that of `url`, or '/socket.io' */
  readonly path?: string | undefined;
  /** Where the access token is kept. */
  readonly token: RealtimeToken;
  /**
   * The claims that say whose token it is, as the server's guard reads them: a
   * token with other values is another user's, and what belongs to the last one
   * is forgotten. A function returns the values, where they are nested.
   *
   * @default { user: 'sub', tenant: 'tenantId' }
   */
  readonly claims?:
    | { readonly user?: string; readonly tenant?: string }
    | ((claims: Claims) => readonly unknown[])
    | undefined;
  /**
   * Puts another token into the store: called shortly before one expires, and
   * once when one is refused. When it resolves and the token is the same, the
   * user has to sign in; when it rejects, it is called again later.
   */
  readonly refresh?: (() => Promise<unknown>) | undefined;
  /**
   * Receives faults that no component can handle, such as an error thrown by a
   * handler. @default they become uncaught errors
   */
  readonly onFault?: FaultHandler | undefined;
}

/**
 * The one connection of a page, with its namespaces.
 *
 * @example
 * realtime.onUserChange(() => queryClient.clear());
 */
export interface Realtime {
  /** The channel of a namespace; all of them share the connection. */
  channel<S extends EventSchemas>(
    namespace: string,
    schemas: S,
  ): RealtimeChannel<S>;
  /** Registers what forgets one user's data before another's arrive. */
  onUserChange(reset: () => void): () => void;
  /** Changes what is known later, such as a `refresh` that React provides. */
  configure(options: Pick<RealtimeOptions, 'refresh' | 'onFault'>): void;
  /** Disconnects for good: for tests, and for hot reload of its module. */
  dispose(): void;
}

/**
 * Creates the connection of a page. It holds all state: call it once, in a
 * module of the app. It connects when a component uses a channel and there is
 * a token, and starts anew when the token is another user's.
 *
 * @example
 * export const realtime = createRealtime({
 *   url: process.env.NEXT_PUBLIC_REALTIME_URL,
 *   token: {
 *     get: () => useAuthStore.getState().accessToken,
 *     subscribe: useAuthStore.subscribe,
 *   },
 * });
 */
export function createRealtime(options: RealtimeOptions): Realtime {
  const faults = new Faults(options.onFault);
  const tokens = new Tokens(options.token, options.refresh, faults);
  const channels = new Map<string, Channel>();
  const server = (): Server | RealtimeFailure => serverOf(options, faults);
  const connection = new RealtimeConnection(channels, server, tokens, faults);
  const resets = new Set<() => void>();
  let user = userOf(tokens.current(), options.claims);

  const forgetUser = (): void => {
    for (const channel of channels.values()) channel.stop();
    for (const reset of resets) faults.guard(reset);
  };

  const onUserChange = (reset: () => void): (() => void) => {
    resets.add(reset);
    return () => resets.delete(reset);
  };

  const stopListening = tokens.onChange((token) => {
    const next = userOf(token, options.claims);
    if (next === user) {
      for (const channel of channels.values()) channel.renew();
      void connection.refresh();
      return;
    }
    user = next;
    forgetUser();
    for (const channel of channels.values()) channel.start();
  });

  return {
    channel<S extends EventSchemas>(namespace: string, schemas: S) {
      const channel =
        channels.get(namespace) ?? new Channel(namespace, {}, connection);
      // An app and a library may each know some of its events.
      channel.schemas = { ...channel.schemas, ...schemas };
      channels.set(namespace, channel);
      return channel as unknown as RealtimeChannel<S>;
    },
    onUserChange,
    configure(changes) {
      if ('onFault' in changes) faults.handler = changes.onFault;
      if ('refresh' in changes) tokens.refreshBy(changes.refresh);
    },
    dispose() {
      stopListening();
      forgetUser();
      connection.close();
    },
  };
}

/** What tells one user from another; a token that is no JWT is its own. */
function userOf(
  token: string | null,
  claims: RealtimeOptions['claims'] = {},
): string | null {
  if (token === null) return null;
  const held = claimsOf(token);
  const ids =
    typeof claims === 'function'
      ? claims(held)
      : [held[claims.user ?? 'sub'], held[claims.tenant ?? 'tenantId']];
  return ids.every(isId) ? JSON.stringify(ids) : token;
}

/** Some servers identify users by numbers. */
function isId(value: unknown): boolean {
  return typeof value === 'string' || typeof value === 'number';
}

function serverOf(
  {
    url,
    apiUrl = '',
    path,
    urlVariable = 'The URL of createRealtime',
  }: RealtimeOptions,
  faults: Faults,
): Server | RealtimeFailure {
  const given = url || apiUrl;
  const server = readUrl(given);
  if (server) {
    const { origin, pathname } = server;
    if (path || pathname === '/') return { url: origin, path };
    if (url) return { url: origin, path: pathname };
    const hint = `: tried ${origin} without ${pathname}. Set ${urlVariable} if Socket.IO is elsewhere.`;
    return { url: origin, path, hint };
  }
  const message = `${urlVariable} is not an absolute http(s) URL: realtime is off. Set it as in .env.example, then build again.`;
  faults.report(new Error(message));
  return { code: 'CONFIGURATION', message };
}

/** With other text than such a URL, Socket.IO would connect to the page's own origin. */
function readUrl(text: string): URL | null {
  try {
    return /^https?:\/\/[^/]/.test(text) ? new URL(text) : null;
  } catch {
    return null;
  }
}
