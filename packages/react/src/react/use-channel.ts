import {
  useEffect,
  useLayoutEffect,
  useRef,
  useState,
  useSyncExternalStore,
} from 'react';
import type { z } from 'zod';
import type { RealtimeContractError } from './failures';
import {
  type EventSchemas,
  IDLE,
  type RealtimeChannel,
  type RealtimeHandler,
  type RealtimeState,
} from './realtime-channel';
import {
  type RealtimeGap,
  type RealtimeSubscription,
  UNSUBSCRIBED,
} from './subscriptions';

/** What the hook of every domain can be given. */
export interface RealtimeHandlers {
  /** After a gap, once: events were missed, so fetch what they would tell. */
  onResync?: ((gap: RealtimeGap) => void) | undefined;
  /** For each event that breaks its contract and was left out. */
  onError?: ((error: RealtimeContractError) => void) | undefined;
}

type EventHandlers<S extends EventSchemas> = {
  readonly [E in keyof S]?: RealtimeHandler<z.infer<S[E]>> | undefined;
};

/** React 18 warns of useLayoutEffect on the server. */
const useCommitEffect =
  typeof window === 'undefined' ? useEffect : useLayoutEffect;

const getServerState = (): RealtimeState => IDLE;

/** Uses a channel while mounted; each event goes to the latest handler. */
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

/** Subscribes to a resource while mounted; to none while there is no id. */
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
    const release = channel.subscriptions.add({
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

function useLatest<T>(value: T): { readonly current: T } {
  const latest = useRef(value);
  useCommitEffect(() => {
    latest.current = value;
  });
  return latest;
}
