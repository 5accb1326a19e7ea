'use client';

export type {
  ChannelUser,
  RealtimeChannel,
  RealtimeHandler,
  RealtimeMeta,
  RealtimeState,
  RealtimeStatus,
} from './core/channel';
export {
  createRealtime,
  type Realtime,
  type RealtimeOptions,
} from './core/create-realtime';
export {
  RealtimeCommandError,
  RealtimeContractError,
  type RealtimeFailure,
} from './core/errors';
export { listActions, type ListActions } from './core/list';
export { type LiveList, liveList, type LiveStatus } from './core/live-list';
export type { EventSchemas, StandardSchema } from './core/schemas';
export type { RealtimeGap, RealtimeSubscription } from './core/subscriptions';
export type { RealtimeToken } from './core/tokens';
export {
  type RealtimeHandlers,
  useChannel,
  useResource,
} from './react/use-channel';
export { type Live, type LiveOptions, useLive } from './react/use-live';
