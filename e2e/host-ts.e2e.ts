import { describeHost } from './support/host-suite';

describeHost({
  kind: 'ts',
  contracts: 'packages/realtime-contracts',
  typecheck: ['npx nx run-many -t typecheck'],
});
