import { requirePackage } from '../packages';

// Before they are imported: Node would not say how to add them.
requirePackage('prom-client', '@nx-realtime/nest/observability');
requirePackage('@opentelemetry/api', '@nx-realtime/nest/observability');
