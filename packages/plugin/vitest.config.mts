import { resolve } from 'node:path';
import type { Plugin } from 'vite';
import { defineConfig } from 'vitest/config';
import { BaseSequencer } from 'vitest/node';
import type { TestSpecification } from 'vitest/node';

const tmp = resolve(import.meta.dirname, 'tmp');
const nest12 = resolve(import.meta.dirname, '../../e2e/nest12/package.json');
const react18 = resolve(import.meta.dirname, '../../e2e/react18/package.json');

/** What a project's global setup renders, and how its tests name it. */
const aliases = (host: string, name: string, folder: string) => [
  { find: name, replacement: `${tmp}/${host}/${folder}` },
  {
    find: /^@acme\/realtime-contracts\/(.*)$/,
    replacement: `${tmp}/${host}/libs/realtime-contracts/src/$1.contract.ts`,
  },
];

/**
 * Where no run before has told how long files take, the largest are run first. This one takes much longer than its
 * size tells: as the last it would run alone.
 */
class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    const isLong = ({ moduleId }: TestSpecification): boolean =>
      moduleId.endsWith('/kernel/topology.test.ts');
    return [...sorted.filter(isLong), ...sorted.filter((file) => !isLong(file))];
  }
}

/** The plugin as the mutation check alters it, in memory. */
const mutant = (): Plugin | null => {
  const { file, find, replace } = JSON.parse(process.env['MUTATION'] ?? '{}');
  if (!file?.startsWith('src/')) return null;
  return {
    name: 'mutant',
    enforce: 'pre',
    transform: (code, id) => (id.endsWith(`/${file}`) ? code.replace(find, () => replace) : null),
  };
};

/*
 * `isolate: false`: the files of a project share processes, so that what is slow to load is loaded and compiled
 * once. None of them may replace a module, and what it changes of the process (its environment, Nest's logger,
 * listeners) it puts back.
 */

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
    isolate: false,
  },
});

/** The emitted browser code, rendered into a folder of its own: `host`. */
const web = (name: string, host: string) => ({
  resolve: { alias: aliases(host, '@web', 'apps/web/src') },
  test: {
    name,
    include: ['test/web/**/*.test.tsx'],
    env: { WEB_HOST: host },
    environment: 'happy-dom',
    globals: true,
    globalSetup: 'test/web/render.ts',
    testTimeout: 15_000,
    hookTimeout: 30_000,
  },
});

/** Resolves what tests, the emitted code and its libraries import as another project would. */
const from = (project: string, pattern: RegExp): Plugin => ({
  name: `from ${project}`,
  enforce: 'pre',
  resolveId(source) {
    return pattern.test(source) ? this.resolve(source, project, { skipSelf: true }) : null;
  },
});

const kernelOnNest12 = kernel('kernel-nest12', 'kernel-nest12');
const webOnReact18 = web('web-react18', 'web-react18');
/** As ES modules: what CommonJS requires is resolved by Node alone. */
const testingLibrary = resolve(
  import.meta.dirname,
  '../../node_modules/@testing-library/react/dist/@testing-library/react.esm.js',
);

export default defineConfig({
  test: {
    // Elsewhere the last run has told, and files can be shuffled.
    sequence: process.env['CI'] ? { sequencer: LongestFirst } : {},
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
      // The mutation check renders each mutant beside what is being worked on.
      kernel('kernel', process.env['MUTANT'] ?? 'kernel'),
      {
        ...kernelOnNest12,
        plugins: [from(nest12, /^@nestjs\//)],
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
            'topology',
            'broker/shutdown-process',
            'publisher/rmq-publisher',
            'publisher/docs',
            'cli/*',
          ].map((name) => `test/kernel/${name}.test.ts`),
          server: { deps: { inline: ['nestjs-cls'] } },
        },
      },
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
          exclude: ['test/web/life.test.tsx'],
          server: { deps: { inline: ['@testing-library/react', 'zustand'] } },
        },
      },
    ],
  },
});
