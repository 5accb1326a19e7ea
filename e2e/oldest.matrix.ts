import { describeHost } from './support/host-suite';

/** Nx 22.7, Next.js 15 and React 18: the oldest majors that are supported. */
describeHost({
  kind: 'oldest',
  contracts: 'libs/realtime-contracts',
  typecheck: [
    'npx tsc --noEmit -p apps/api-gateway/tsconfig.app.json',
    'npx tsc --noEmit -p apps/api-gateway/tsconfig.spec.json',
    'npx tsc --noEmit --incremental false -p apps/web/tsconfig.json',
    'npx tsc --noEmit --incremental false -p apps/web/tsconfig.spec.json',
  ],
  // Next.js 15 adds its own `.next/types` to what Nx 22.7 has put there.
  nextWrites: ['apps/web/next-env.d.ts', 'apps/web/tsconfig.json'],
});
