import { resolve } from 'node:path';
import { defineConfig } from 'vitest/config';
import { from, mutant } from '../plugin/test/support/vite-plugins.js';

const folder = import.meta.dirname;
const react18 = resolve(folder, '../../e2e/react18/package.json');
/** As ES modules: what CommonJS requires is resolved by Node alone. */
const testingLibrary = resolve(
  folder,
  '../../node_modules/@testing-library/react/dist/@testing-library/react.esm.js',
);

/** The browser kernel under the code that is emitted for a web app, rendered into a folder of its own: `host`. */
const web = (name: string, host: string) => {
  const rendered = resolve(folder, '../plugin/tmp', host);
  return {
    plugins: [mutant()],
    resolve: {
      alias: [
        {
          find: '@nx-realtime/react',
          replacement: resolve(folder, 'src/index.ts'),
        },
        { find: '@web', replacement: `${rendered}/apps/web/src` },
        {
          find: /^@acme\/realtime-contracts\/(.*)$/,
          replacement: `${rendered}/libs/realtime-contracts/src/$1.contract.ts`,
        },
      ],
    },
    test: {
      name,
      include: ['test/**/*.test.tsx'],
      env: { WEB_HOST: host },
      environment: 'happy-dom',
      globals: true,
      globalSetup: 'test/render.ts',
      testTimeout: 60_000,
      hookTimeout: 60_000,
    },
  };
};

const webOnReact18 = web('web-react18', 'web-react18');

export default defineConfig({
  test: {
    projects: [
      // What is published, and what is ejected: built, loaded, compiled and weighed.
      {
        test: {
          name: 'react-package',
          include: ['test/**/*.test.ts'],
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
      // The mutation check renders each mutant beside what is being worked on.
      web('web', process.env['MUTANT'] ?? 'web'),
      {
        ...webOnReact18,
        resolve: {
          alias: [
            ...webOnReact18.resolve.alias,
            { find: '@testing-library/react', replacement: testingLibrary },
          ],
        },
        plugins: [from(react18, /^react(?:-dom)?(?:\/|$)/)],
        test: {
          ...webOnReact18.test,
          // What does not depend on React is tested once.
          exclude: ['test/life.test.tsx'],
          server: {
            deps: { inline: ['@testing-library/react', '@tanstack/react-query', 'zustand'] },
          },
        },
      },
    ],
  },
});
