import consumerInControllers from './consumer-in-controllers.js';
import gatewayInOneModule from './gateway-in-one-module.js';
import noAckUnderNoAck from './no-ack-under-no-ack.js';
import noAuthInHandleConnection from './no-auth-in-handle-connection.js';
import noAutoAck from './no-auto-ack.js';
import noBroadcastWithoutRoom from './no-broadcast-without-room.js';
import noCallbackInEffectDeps from './no-callback-in-effect-deps.js';
import noCapturedToken from './no-captured-token.js';
import noCleartextConnection from './no-cleartext-connection.js';
import noConnectionStateRecovery from './no-connection-state-recovery.js';
import noDecodeAsVerification from './no-decode-as-verification.js';
import noDoubleAck from './no-double-ack.js';
import noGuardOnConnection from './no-guard-on-connection.js';
import noHttpExceptionInGateway from './no-http-exception-in-gateway.js';
import noIdentityFromClient from './no-identity-from-client.js';
import noIgnoredGatewayOptions from './no-ignored-gateway-options.js';
import noInlineRoomName from './no-inline-room-name.js';
import noLeakAfterDisconnect from './no-leak-after-disconnect.js';
import noLimitedReconnection from './no-limited-reconnection.js';
import noLogicInGateway from './no-logic-in-gateway.js';
import noOffWithoutHandler from './no-off-without-handler.js';
import noPermissiveCors from './no-permissive-cors.js';
import noRequeueOnError from './no-requeue-on-error.js';
import noRoomFromClientInput from './no-room-from-client-input.js';
import noSecretInSource from './no-secret-in-source.js';
import noSingleSocketPerUser from './no-single-socket-per-user.js';
import noSocketInRender from './no-socket-in-render.js';
import noStackToClient from './no-stack-to-client.js';
import noTenantFromPayload from './no-tenant-from-payload.js';
import noThrowInConnectionHook from './no-throw-in-connection-hook.js';
import noTokenInHeaders from './no-token-in-headers.js';
import noTokenInLocalStorage from './no-token-in-local-storage.js';
import noTokenInQuery from './no-token-in-query.js';
import noTokenInUrl from './no-token-in-url.js';
import noUncheckedResource from './no-unchecked-resource.js';
import noUnsafeServerOptions from './no-unsafe-server-options.js';
import noUnstableSelector from './no-unstable-selector.js';
import noVerifyPerMessage from './no-verify-per-message.js';
import preferLogger from './prefer-logger.js';
import requireAck from './require-ack.js';
import requireAckTimeout from './require-ack-timeout.js';
import requireConnectErrorHandler from './require-connect-error-handler.js';
import requireDeadLetterExchange from './require-dead-letter-exchange.js';
import requireGatewayAuth from './require-gateway-auth.js';
import requireJwtAlgorithms from './require-jwt-algorithms.js';
import requireListenerCleanup from './require-listener-cleanup.js';
import requireOriginCheck from './require-origin-check.js';
import requirePayloadValidation from './require-payload-validation.js';
import requireRabbitErrorBehavior from './require-rabbit-error-behavior.js';
import requireRejoin from './require-rejoin.js';
import requireSocketCleanup from './require-socket-cleanup.js';
import websocketOnly from './websocket-only.js';
import type { RuleModule } from '../rule.js';

/** Every rule, by name. */
export const rules: Readonly<Record<string, RuleModule>> = {
  'consumer-in-controllers': consumerInControllers,
  'gateway-in-one-module': gatewayInOneModule,
  'no-ack-under-no-ack': noAckUnderNoAck,
  'no-auth-in-handle-connection': noAuthInHandleConnection,
  'no-auto-ack': noAutoAck,
  'no-broadcast-without-room': noBroadcastWithoutRoom,
  'no-callback-in-effect-deps': noCallbackInEffectDeps,
  'no-captured-token': noCapturedToken,
  'no-cleartext-connection': noCleartextConnection,
  'no-connection-state-recovery': noConnectionStateRecovery,
  'no-decode-as-verification': noDecodeAsVerification,
  'no-double-ack': noDoubleAck,
  'no-guard-on-connection': noGuardOnConnection,
  'no-http-exception-in-gateway': noHttpExceptionInGateway,
  'no-identity-from-client': noIdentityFromClient,
  'no-ignored-gateway-options': noIgnoredGatewayOptions,
  'no-inline-room-name': noInlineRoomName,
  'no-leak-after-disconnect': noLeakAfterDisconnect,
  'no-limited-reconnection': noLimitedReconnection,
  'no-logic-in-gateway': noLogicInGateway,
  'no-off-without-handler': noOffWithoutHandler,
  'no-permissive-cors': noPermissiveCors,
  'no-requeue-on-error': noRequeueOnError,
  'no-room-from-client-input': noRoomFromClientInput,
  'no-secret-in-source': noSecretInSource,
  'no-single-socket-per-user': noSingleSocketPerUser,
  'no-socket-in-render': noSocketInRender,
  'no-stack-to-client': noStackToClient,
  'no-tenant-from-payload': noTenantFromPayload,
  'no-throw-in-connection-hook': noThrowInConnectionHook,
  'no-token-in-headers': noTokenInHeaders,
  'no-token-in-local-storage': noTokenInLocalStorage,
  'no-token-in-query': noTokenInQuery,
  'no-token-in-url': noTokenInUrl,
  'no-unchecked-resource': noUncheckedResource,
  'no-unsafe-server-options': noUnsafeServerOptions,
  'no-unstable-selector': noUnstableSelector,
  'no-verify-per-message': noVerifyPerMessage,
  'prefer-logger': preferLogger,
  'require-ack': requireAck,
  'require-ack-timeout': requireAckTimeout,
  'require-connect-error-handler': requireConnectErrorHandler,
  'require-dead-letter-exchange': requireDeadLetterExchange,
  'require-gateway-auth': requireGatewayAuth,
  'require-jwt-algorithms': requireJwtAlgorithms,
  'require-listener-cleanup': requireListenerCleanup,
  'require-origin-check': requireOriginCheck,
  'require-payload-validation': requirePayloadValidation,
  'require-rabbit-error-behavior': requireRabbitErrorBehavior,
  'require-rejoin': requireRejoin,
  'require-socket-cleanup': requireSocketCleanup,
  'websocket-only': websocketOnly,
} as Readonly<Record<string, unknown>> as Readonly<Record<string, RuleModule>>;
