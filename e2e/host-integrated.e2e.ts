import { describeHost } from './support/host-suite';

describeHost({
  kind: 'integrated',
  contracts: 'libs/realtime-contracts',
  typecheck: [
    'npx tsc --noEmit -p apps/api-gateway/tsconfig.app.json',
    'npx tsc --noEmit -p apps/api-gateway/tsconfig.spec.json',
    'npx tsc --noEmit --incremental false -p apps/web/tsconfig.json',
    'npx tsc --noEmit --incremental false -p apps/web/tsconfig.spec.json',
  ],
});
