import { resolve } from 'node:path';
import type { Plugin } from 'vite';
import { defineConfig } from 'vitest/config';

const tmp = resolve(import.meta.dirname, 'tmp');
const nest12 = resolve(import.meta.dirname, '../../e2e/nest12/package.json');

/** What a project's global setup renders, and how its tests name it. */
const aliases = (host: string, name: string, folder: string) => [
  { find: name, replacement: `${tmp}/${host}/${folder}` },
  {
    find: /^@acme\/realtime-contracts\/(.*)$/,
    replacement: `${tmp}/${host}/libs/realtime-contracts/src/$1.contract.ts`,
  },
];

/** The emitted kernel, rendered into a folder of its own: `host`. */
const kernel = (name: string, host: string) => ({
  resolve: {
    alias: [
      ...aliases(host, '@kernel', 'apps/api-gateway/src/realtime'),
      { find: '@orders', replacement: `${tmp}/${host}/apps/orders/src/realtime/publisher` },
    ],
  },
  test: {
    name,
    include: ['test/kernel/**/*.test.ts'],
    env: { KERNEL_HOST: host },
    globals: true,
    globalSetup: 'test/kernel/render.ts',
    testTimeout: 15_000,
  },
});

/** Every `@nestjs/*` that tests, the kernel and its libraries import, from Nest 12. */
const onNest12: Plugin = {
  name: 'nest12',
  enforce: 'pre',
  resolveId(source) {
    return source.startsWith('@nestjs/') ? this.resolve(source, nest12, { skipSelf: true }) : null;
  },
};

const kernelOnNest12 = kernel('kernel-nest12', 'kernel-nest12');

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          include: ['src/**/*.test.ts', 'test/golden/**/*.test.ts'],
        },
      },
      // The mutation check renders each mutant beside what is being worked on.
      kernel('kernel', process.env['KERNEL_MUTANT'] ?? 'kernel'),
      {
        ...kernelOnNest12,
        plugins: [onNest12],
        test: {
          ...kernelOnNest12.test,
          // What does not depend on Nest is tested once.
          exclude: [
            'fuzz',
            'config',
            'rooms',
            'redis',
            'recipients',
            'broker/rmq-faults',
            'publisher/rmq-publisher',
          ].map((name) => `test/kernel/${name}.test.ts`),
          server: { deps: { inline: ['nestjs-cls'] } },
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
