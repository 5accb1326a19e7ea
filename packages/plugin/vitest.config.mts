import { resolve } from 'node:path';
import { defineConfig } from 'vitest/config';

const tmp = resolve(import.meta.dirname, 'tmp');

/** What a project's global setup renders, and how its tests name it. */
const aliases = (host: string, name: string, folder: string) => [
  { find: name, replacement: `${tmp}/${host}/${folder}` },
  {
    find: /^@acme\/realtime-contracts\/(.*)$/,
    replacement: `${tmp}/${host}/libs/realtime-contracts/src/$1.contract.ts`,
  },
];

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
        resolve: { alias: aliases('kernel', '@kernel', 'apps/api-gateway/src/realtime') },
        test: {
          name: 'kernel',
          include: ['test/kernel/**/*.test.ts'],
          globals: true,
          globalSetup: 'test/kernel/render.ts',
          testTimeout: 15_000,
        },
      },
      {
        resolve: { alias: aliases('web', '@web', 'apps/web/src') },
        test: {
          name: 'web',
          include: ['test/web/**/*.test.tsx'],
          environment: 'happy-dom',
          globals: true,
          globalSetup: 'test/web/render.ts',
          testTimeout: 15_000,
        },
      },
    ],
  },
});
