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
export {
  changeList,
  listActions,
  type ListActions,
  type ListChange,
  type ListItems,
  type ListUpdate,
} from './core/list';
export type { EventSchemas, StandardSchema } from './core/schemas';
export type { RealtimeGap, RealtimeSubscription } from './core/subscriptions';
export type { RealtimeClaims, RealtimeToken } from './core/tokens';
export {
  type RealtimeHandlers,
  useChannel,
  useResource,
} from './react/use-channel';
