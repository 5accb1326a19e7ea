import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'rules',
          include: ['test/*.test.ts'],
          globals: true,
          testTimeout: 60_000,
          // ESLint and TypeScript are loaded once: files share a process, and none may replace a module.
          isolate: false,
        },
      },
    ],
  },
});
