import { resolve } from 'node:path';
import { defineConfig } from 'vitest/config';
import { BaseSequencer } from 'vitest/node';
import type { TestSpecification } from 'vitest/node';
import { aliasesOf } from './test/support/aliases.js';
import { built } from './test/support/built.js';
import { from, mutant } from '../plugin/test/support/vite-plugins.js';

const nest12 = resolve(import.meta.dirname, '../../e2e/nest12/package.json');

/**
 * Where no run before has told how long files take, the largest are run first. This one takes much longer than its
 * size tells: as the last it would run alone.
 */
class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    const isLong = ({ moduleId }: TestSpecification): boolean =>
      moduleId.endsWith('/test/topology.test.ts');
    return [...sorted.filter(isLong), ...sorted.filter((file) => !isLong(file))];
  }
}

/*
 * `isolate: false`: the files of a project share processes, so that what is slow to load is loaded and compiled
 * once. None of them may replace a module, and what it changes of the process (its environment, Nest's logger,
 * listeners) it puts back.
 */

/** The kernel's sources under a host that is rendered into a folder of its own: `host`. */
const kernel = (name: string, host: string) => ({
  resolve: { alias: aliasesOf(host) },
  test: {
    name,
    include: ['test/**/*.test.ts'],
    env: { KERNEL_HOST: host },
    globals: true,
    globalSetup: 'test/render.ts',
    testTimeout: 15_000,
    isolate: false,
  },
});

const kernelOnNest12 = kernel('kernel-nest12', 'kernel-nest12');

export default defineConfig({
  test: {
    // Elsewhere the last run has told, and files can be shuffled.
    sequence: process.env['CI'] ? { sequencer: LongestFirst } : {},
    projects: [
      // The mutation check renders each mutant beside what is being worked on.
      {
        ...kernel('kernel', process.env['MUTANT'] ?? 'kernel'),
        plugins: [mutant(), ...built()],
      },
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
            'nginx',
            'broker/shutdown-process',
            'publisher/rmq-publisher',
            'build',
            'publisher/docs',
            'cli/*',
          ].map((name) => `test/${name}.test.ts`),
          server: { deps: { inline: ['nestjs-cls'] } },
        },
      },
    ],
  },
});
