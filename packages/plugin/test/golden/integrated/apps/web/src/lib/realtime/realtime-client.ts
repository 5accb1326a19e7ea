import { API_URL_VARIABLE, apiUrl } from './api-url';
import { getAccessToken, onAccessTokenChange } from './auth';
import { guarded, type RealtimeFailure, reportFault } from './failures';
import { type EventSchemas, RealtimeChannel } from './realtime-channel';
import { RealtimeConnection } from './realtime-connection';
import { claimsOf } from './token-refresh';

export {
  RealtimeCommandError,
  RealtimeContractError,
  type RealtimeFailure,
  setRealtimeReporter,
} from './failures';
export {
  changeList,
  type ListChange,
  type ListItems,
  type ListUpdate,
} from './list';
export type {
  RealtimeHandler,
  RealtimeMeta,
  RealtimeState,
  RealtimeStatus,
} from './realtime-channel';
export type { RealtimeGap, RealtimeSubscription } from './subscriptions';
export { setTokenRefresher } from './token-refresh';
export { type RealtimeHandlers, useChannel, useResource } from './use-channel';

/** The claims that say whose token it is, as the server reads them. */
const USER_CLAIM = 'sub';
const TENANT_CLAIM = 'tenantId';

const NO_API_URL: RealtimeFailure = {
  code: 'CONFIGURATION',
  message: `${API_URL_VARIABLE} is not an absolute http(s) URL: realtime is off. Set it as in .env.example, then build again.`,
};

const channels = new Map<string, RealtimeChannel>();
const connection = new RealtimeConnection(channels, serverUrl);
const resets = new Set<() => void>();
let user = userOf(getAccessToken());

/** The channel of a namespace; all of them share one connection. */
export function realtimeChannel<S extends EventSchemas>(
  namespace: string,
  schemas: S,
): RealtimeChannel<S> {
  const known = channels.get(namespace);
  if (known) {
    known.schemas = schemas;
    return known as unknown as RealtimeChannel<S>;
  }
  const channel = new RealtimeChannel(namespace, schemas, connection);
  channels.set(namespace, channel as unknown as RealtimeChannel);
  return channel;
}

/** Registers what forgets one user's data before another's arrive. */
export function onUserChange(reset: () => void): () => void {
  resets.add(reset);
  return () => resets.delete(reset);
}

/** Collects what arrives within a frame: a burst costs one render. */
export function createBatch<T>(
  flush: (values: readonly T[]) => void,
): (value: T) => void {
  let pending: T[] = [];
  onUserChange(() => {
    pending = [];
  });
  return (value) => {
    if (pending.push(value) > 1) return;
    // Not requestAnimationFrame: it never fires in a hidden tab.
    setTimeout(() => {
      const values = pending;
      pending = [];
      if (values.length > 0) flush(values);
    }, 16);
  };
}

onAccessTokenChange((token) => {
  const next = userOf(token);
  if (next === user) {
    for (const channel of channels.values()) channel.renew();
    void connection.refresh();
    return;
  }
  user = next;
  for (const channel of channels.values()) channel.stop();
  for (const reset of resets) guarded(reset);
  for (const channel of channels.values()) channel.start();
});

/** What tells one user from another; a token that is no JWT is its own. */
function userOf(token: string | null): string | null {
  if (token === null) return null;
  const claims = claimsOf(token);
  const ids = [claims[USER_CLAIM], claims[TENANT_CLAIM]];
  return ids.every((id) => typeof id === 'string')
    ? JSON.stringify(ids)
    : token;
}

function serverUrl(): string | RealtimeFailure {
  const url = apiUrl() ?? '';
  // With any other text Socket.IO would connect to the page's own origin.
  if (/^https?:\/\/[^/]/.test(url)) return url;
  reportFault(new Error(NO_API_URL.message));
  return NO_API_URL;
}
