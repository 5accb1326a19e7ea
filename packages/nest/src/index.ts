export { BaseRpcException } from './broker/base-rpc.exception';
export {
  BrokerEvent,
  type BrokerMessage,
  requireRecipient,
} from './broker/broker-event';
export type { EventPolicy } from './broker/event-policy';
export type {
  RealtimeCoreAsyncOptions,
  RealtimeCoreOptions,
} from './config/options';
export { RealtimeRevocation, type RevokedUser } from './connections/revocation';
export { SessionRegistry } from './connections/session';
export type { RealtimeSocket } from './connections/socket';
export { Broadcaster, type DomainBroadcaster } from './events/broadcaster';
export { AckExceptionFilter, ContractPipe } from './events/client-event';
export type { EventMeta } from './events/event-meta';
export type { PayloadSchema } from './events/payload-schema';
export {
  type RequestContext,
  type RequestContextRunner,
  RequestContextService,
} from './events/request-context';
export { HandshakeGuard } from './handshake/handshake.guard';
export type {
  RealtimeIdentity,
  TokenClaims,
  TokenOwner,
  VerifiedToken,
} from './handshake/identity';
export { RealtimeException } from './handshake/realtime.errors';
export { TokenVerifier } from './handshake/token-verifier';
export { RealtimeHealth } from './lifecycle/health';
export { RealtimeCoreModule } from './lifecycle/realtime-core.module';
export { setupRealtime } from './lifecycle/setup-realtime';
export { isId, type RoomsFunction } from './rooms/rooms';
export { type ResourcePolicy, Subscriptions } from './rooms/subscriptions';
