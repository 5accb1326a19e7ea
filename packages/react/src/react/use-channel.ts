import {
  useEffect,
  useLayoutEffect,
  useRef,
  useState,
  useSyncExternalStore,
} from 'react';
import {
  IDLE,
  type RealtimeChannel,
  type RealtimeHandler,
  type RealtimeState,
} from '../core/channel';
import type { RealtimeContractError } from '../core/errors';
import type { EventSchemas, PayloadOf } from '../core/schemas';
import {
  type RealtimeGap,
  type RealtimeSubscription,
  UNSUBSCRIBED,
} from '../core/subscriptions';

/**
 * Handlers that the hook of every domain takes.
 *
 * @example
 * useNotificationsSocket({ onResync: refetch, onError: report });
 */
export interface RealtimeHandlers {
  /**
   * At the first connection, and once after each gap: events were missed, so
   * fetch what they would tell. A resource is told of each time that it is
   * subscribed to.
   */
  onResync?: ((gap: RealtimeGap) => void) | undefined;
  /** For each event that breaks its contract and was left out. */
  onError?: ((error: RealtimeContractError) => void) | undefined;
}

type EventHandlers<S extends EventSchemas> = {
  readonly [E in keyof S]?: RealtimeHandler<PayloadOf<S[E]>> | undefined;
};

/** React 18 warns of useLayoutEffect on the server. */
const useCommitEffect =
  typeof window === 'undefined' ? useEffect : useLayoutEffect;

const getServerState = (): RealtimeState => IDLE;

/**
 * Uses a channel while mounted; each event goes to the latest handler.
 *
 * @param events handlers by the event's name
 * @returns the state of the namespace; `idle` while rendering on the server
 * @example
 * const { status } = useChannel(
 *   notificationsChannel,
 *   { 'notification.created': ({ message }) => toast(message) },
 *   { onResync: refetch },
 * );
 */
export function useChannel<S extends EventSchemas>(
  channel: RealtimeChannel<S>,
  events: EventHandlers<S>,
  { onResync, onError }: RealtimeHandlers,
): RealtimeState {
  const latest = useLatest({ events, onResync, onError });
  useEffect(
    () =>
      channel.acquire({
        receive: (event, payload, meta) =>
          latest.current.events[event]?.(payload, meta),
        resync: (gap) => latest.current.onResync?.(gap),
        fail: (error) => latest.current.onError?.(error),
      }),
    [channel, latest],
  );
  return useSyncExternalStore(
    channel.subscribe,
    channel.getState,
    getServerState,
  );
}

/**
 * Subscribes to a resource while mounted; to none while there is no id.
 *
 * @param domain first part of the event `<domain>.subscribe`
 * @example
 * const { subscribed } = useResource(documentsChannel, 'document', id, {});
 */
export function useResource<S extends EventSchemas>(
  channel: RealtimeChannel<S>,
  domain: string,
  id: string | null | undefined,
  { onResync }: RealtimeHandlers,
): RealtimeSubscription {
  const [state, setState] = useState(UNSUBSCRIBED);
  const latest = useLatest({ onResync });
  useEffect(() => {
    if (!id) return undefined;
    const release = channel.follow({
      domain,
      id,
      notify: setState,
      resync: (gap) => latest.current.onResync?.(gap),
    });
    return () => {
      release();
      setState(UNSUBSCRIBED);
    };
  }, [channel, domain, id, latest]);
  return state;
}

export function useLatest<T>(value: T): { readonly current: T } {
  const latest = useRef(value);
  useCommitEffect(() => {
    latest.current = value;
  });
  return latest;
}
