import './required-packages';
import type { RealtimeExtension } from '../config/options';
import { RealtimeMetrics } from './metrics';
import { RealtimeTracing } from './tracing';

export { RealtimeMetrics } from './metrics';

/**
 * Metrics for Prometheus, at REALTIME_METRICS_ADDRESS, and spans for
 * OpenTelemetry: the option `observability` of RealtimeCoreModule. Needs the
 * packages prom-client and @opentelemetry/api.
 *
 * @example
 * ```ts
 * RealtimeCoreModule.forRoot({
 *   app: 'api-gateway',
 *   guard: WsAuthGuard,
 *   observability: realtimeObservability(),
 * })
 * ```
 */
export function realtimeObservability(): RealtimeExtension {
  return { providers: [RealtimeMetrics, RealtimeTracing] };
}
