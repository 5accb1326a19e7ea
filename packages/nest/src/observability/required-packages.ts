import { requirePackage } from '../packages';

// These run before the imports of the packages: Node would not say how to add
// them.
requirePackage('prom-client', '@nx-realtime/nest/observability');
requirePackage('@opentelemetry/api', '@nx-realtime/nest/observability');
