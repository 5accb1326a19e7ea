import {
  useEffect,
  useLayoutEffect,
  useRef,
  useState,
  useSyncExternalStore,
} from 'react';
import type { z } from 'zod';
import {
  type EventHandler,
  type EventSchemas,
  IDLE,
  type RealtimeChannel,
  type RealtimeState,
  type SubscriptionState,
  UNSUBSCRIBED,
} from './realtime-channel';

type Handlers<S extends EventSchemas> = {
  readonly [E in keyof S]?: EventHandler<z.infer<S[E]>> | undefined;
};

/** React 18 warns of useLayoutEffect on the server. */
const useCommitEffect =
  typeof window === 'undefined' ? useEffect : useLayoutEffect;

const getServerState = (): RealtimeState => IDLE;

/** Uses a channel while mounted; each event goes to the latest handler. */
export function useChannel<S extends EventSchemas>(
  channel: RealtimeChannel<S>,
  handlers: Handlers<S>,
): RealtimeState {
  const latest = useRef(handlers);
  useCommitEffect(() => {
    latest.current = handlers;
  });
  useEffect(
    () =>
      channel.acquire((event, payload, meta) =>
        latest.current[event]?.(payload, meta),
      ),
    [channel],
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
): SubscriptionState {
  const [state, setState] = useState(UNSUBSCRIBED);
  useEffect(() => {
    if (!id) return undefined;
    const release = channel.follow({ domain, id, notify: setState });
    return () => {
      release();
      setState(UNSUBSCRIBED);
    };
  }, [channel, domain, id]);
  return state;
}
