import {
  useEffect,
  useLayoutEffect,
  useRef,
  useSyncExternalStore,
} from 'react';
import type { z } from 'zod';
import {
  type EventHandler,
  type EventSchemas,
  IDLE,
  type RealtimeChannel,
  type RealtimeState,
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
