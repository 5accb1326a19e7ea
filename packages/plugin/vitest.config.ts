import { resolve } from 'node:path';
import { defineConfig } from 'vitest/config';

const kernel = resolve(import.meta.dirname, 'tmp/kernel');

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          include: ['src/**/*.test.ts', 'test/golden/**/*.test.ts'],
        },
      },
      {
        resolve: {
          alias: [
            { find: '@kernel', replacement: `${kernel}/realtime` },
            {
              find: /^@acme\/realtime-contracts\/(.*)$/,
              replacement: `${kernel}/contracts/$1.contract.ts`,
            },
          ],
        },
        test: {
          name: 'kernel',
          include: ['test/kernel/**/*.test.ts', 'tmp/kernel/realtime/**/*.spec.ts'],
          globals: true,
          globalSetup: 'test/support/render-kernel.ts',
          testTimeout: 15_000,
        },
      },
    ],
  },
});
