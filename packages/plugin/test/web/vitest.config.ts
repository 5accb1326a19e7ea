import { resolve } from 'node:path';
import { defineConfig } from 'vitest/config';

const rendered = resolve(import.meta.dirname, '../../tmp/web');

export default defineConfig({
  root: resolve(import.meta.dirname, '../..'),
  resolve: {
    alias: [
      { find: '@web', replacement: `${rendered}/web` },
      {
        find: /^@acme\/realtime-contracts\/(.*)$/,
        replacement: `${rendered}/contracts/$1.contract.ts`,
      },
    ],
  },
  test: {
    name: 'web',
    include: ['test/web/**/*.test.tsx', 'tmp/web/web/**/*.spec.tsx'],
    environment: 'happy-dom',
    globals: true,
    globalSetup: 'test/web/render-web.ts',
    testTimeout: 15_000,
  },
});
