import { Manager } from 'socket.io-client';
import { API_URL_VARIABLE, apiUrl } from './api-url';
import { getAccessToken, onAccessTokenChange } from './auth';
import {
  type EventSchemas,
  guarded,
  RealtimeChannel,
  type RealtimeFailure,
  reportFault,
} from './realtime-channel';

export { RealtimeCommandError, setRealtimeReporter } from './realtime-channel';
export type {
  EventHandler,
  RealtimeMeta,
  RealtimeState,
  RealtimeStatus,
  SubscriptionState,
} from './realtime-channel';
export { useChannel, useResource } from './use-channel';

/** The claims that say whose token it is, as the server reads them. */
const USER_CLAIM = 'sub';
const TENANT_CLAIM = 'tenantId';

const NO_API_URL: RealtimeFailure = {
  code: 'CONFIGURATION',
  message: `${API_URL_VARIABLE} is not an absolute http(s) URL: realtime is off. Set it as in .env.example, then build again.`,
};

const channels = new Map<string, RealtimeChannel>();
const resets = new Set<() => void>();
let manager: Manager | undefined;
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
  const channel = new RealtimeChannel(namespace, schemas, openManager);
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
      flush(values);
    }, 16);
  };
}

onAccessTokenChange((token) => {
  const next = userOf(token);
  if (next === user) {
    for (const channel of channels.values()) channel.renew();
    return;
  }
  user = next;
  for (const channel of channels.values()) channel.stop();
  for (const reset of resets) guarded(reset);
  for (const channel of channels.values()) channel.start();
});

/** Unverified, which only the server can do: enough to notice a change. */
function userOf(token: string | null): string | null {
  if (token === null) return null;
  try {
    const [, body = ''] = token.split('.');
    const json = atob(body.replace(/-/g, '+').replace(/_/g, '/'));
    const claims: Record<string, unknown> = JSON.parse(json);
    const ids = [claims[USER_CLAIM], claims[TENANT_CLAIM]];
    if (ids.every((id) => typeof id === 'string')) return JSON.stringify(ids);
  } catch {
    // Not a JWT.
  }
  return token;
}

function openManager(): Manager | RealtimeFailure {
  if (manager) return manager;
  const url = apiUrl() ?? '';
  // With any other text Socket.IO would connect to the page's own origin.
  if (!/^https?:\/\/[^/]/.test(url)) {
    reportFault(new Error(NO_API_URL.message));
    return NO_API_URL;
  }
  manager = new Manager(url, {
    autoConnect: false,
    transports: ['websocket'],
    reconnectionDelay: 1_000,
    reconnectionDelayMax: 30_000,
    timeout: 10_000,
  });
  window.addEventListener('online', wake);
  window.addEventListener('pageshow', wake);
  document.addEventListener('visibilitychange', wake);
  return manager;
}

/** Tries at once, instead of after the rest of a long delay. */
function wake(): void {
  if (document.hidden || manager?.engine?.readyState !== 'closed') return;
  const waiting = [...channels.values()].filter((channel) => channel.waiting);
  for (const channel of waiting) channel.stop();
  for (const channel of waiting) channel.start();
}
