import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { HARD_SHAPES, renderShape, SHAPES } from '../../plugin/test/support/shapes.js';
import { lintFolder, sorted } from './support/lint.js';

const TSCONFIG = {
  compilerOptions: {
    target: 'es2022',
    module: 'esnext',
    moduleResolution: 'bundler',
    jsx: 'preserve',
    experimentalDecorators: true,
    noLib: true,
    types: [],
  },
  include: ['**/*'],
};

/** What boots the app, as the wiring leaves it: the rules then know that they see a whole app. */
const MAIN = `import { NestFactory } from '@nestjs/core';
import { setupRealtime } from '@nx-realtime/nest';

const app = await NestFactory.create(class {});
await setupRealtime(app);
await app.listen(3000);
`;

describe('what the plugin generates', () => {
  it.each([...SHAPES, ...HARD_SHAPES].map((shape) => [shape.name, shape] as const))(
    'has no finding under strict: %s',
    async (_name, shape) => {
      const folder = realpathSync(mkdtempSync(join(tmpdir(), 'nx-realtime-generated-')));
      try {
        const files = new Map(renderShape(shape).map(({ path, content }) => [path, content]));
        const sources = [...files.keys()].filter((path) => /\.tsx?$/.test(path));
        expect(sources.some((path) => path.endsWith('.gateway.ts'))).toBe(true);
        files.set('apps/api-gateway/src/main.ts', MAIN);
        files.set('tsconfig.json', JSON.stringify(TSCONFIG));
        for (const [path, content] of files) {
          mkdirSync(dirname(join(folder, path)), { recursive: true });
          writeFileSync(join(folder, path), content);
        }
        expect(sorted(await lintFolder(folder))).toEqual([]);
      } finally {
        rmSync(folder, { recursive: true, force: true });
      }
    },
  );
});
