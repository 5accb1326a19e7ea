import { resolve } from 'node:path';
import { defineConfig } from 'vitest/config';
import { mutant } from './test/support/vite-plugins.js';

const tmp = resolve(import.meta.dirname, 'tmp');
const nest = resolve(import.meta.dirname, '../nest/src');
const react = resolve(import.meta.dirname, '../react/src');

/** What a project's global setup renders, and how its tests name it. */
const aliases = (host: string, name: string, folder: string) => [
  { find: name, replacement: `${tmp}/${host}/${folder}` },
  {
    find: /^@acme\/realtime-contracts\/(.*)$/,
    replacement: `${tmp}/${host}/libs/realtime-contracts/src/$1.contract.ts`,
  },
  { find: /^@nx-realtime\/nest$/, replacement: `${nest}/index.ts` },
  { find: /^@nx-realtime\/nest\/(.*)$/, replacement: `${nest}/$1/index.ts` },
  {
    find: /^@acme\/(realtime-context|chat-feature)$/,
    replacement: `${tmp}/${host}/libs/$1/src/index.tsx`,
  },
  { find: '@nx-realtime/react', replacement: `${react}/index.ts` },
];

/*
 * `isolate: false`: the files of a project share processes, so that what is slow to load is loaded and compiled
 * once. None of them may replace a module, and what it changes of the process (its environment, Nest's logger,
 * listeners) it puts back.
 */

export default defineConfig({
  test: {
    projects: [
      {
        plugins: [mutant()],
        test: {
          name: 'unit',
          include: ['src/**/*.test.ts', 'test/golden/**/*.test.ts', 'test/*.test.ts'],
          testTimeout: 30_000,
          // Hooks generate whole workspaces, and remove them.
          hookTimeout: 60_000,
          isolate: false,
          execArgv: ['--max-semi-space-size=64'],
        },
      },
      { test: { name: 'emitted', include: ['test/emitted/**/*.test.ts'], testTimeout: 60_000 } },
      {
        resolve: {
          alias: [
            ...aliases('docs', '@host', ''),
            { find: '@filled', replacement: `${tmp}/docs-filled` },
          ],
        },
        test: {
          name: 'docs',
          include: ['test/docs/**/*.test.{ts,tsx}'],
          globals: true,
          globalSetup: 'test/docs/render.ts',
          testTimeout: 15_000,
        },
      },
    ],
  },
});
