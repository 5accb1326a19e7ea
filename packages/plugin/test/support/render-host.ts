import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import type { Shape } from './shapes.js';
import { renderShape } from './shapes.js';

const PACKAGES = resolve(import.meta.dirname, '../../..');

/**
 * Writes what a shape renders to into `tmp/<its name>` of a package, with a tsconfig that compiles
 * it as hosts do.
 *
 * @param owner the package whose tests use it
 * @param keep which of the rendered paths are written
 * @param change may alter the text of a file on its way
 */
export function renderHost(
  owner: 'nest' | 'plugin' | 'react',
  shape: Shape,
  keep: RegExp,
  tsconfig: string,
  change = (_path: string, content: string): string => content,
): void {
  const target = join(PACKAGES, owner, 'tmp', shape.name);
  rmSync(target, { recursive: true, force: true });
  for (const { path, content } of renderShape(shape)) {
    if (keep.test(path) && /\.(?:tsx?|css)$/.test(path))
      write(join(target, path), change(path, content));
  }
  for (const [path, content] of Object.entries(shape.files ?? {})) {
    write(join(target, path), content);
  }
  const config = {
    extends: `../../../plugin/${tsconfig}`,
    compilerOptions: {
      noEmit: true,
      types: ['node', 'vitest/globals'],
      paths: {
        '@nx-realtime/react': ['../../../react/src/index.ts'],
        '@acme/realtime-contracts/*': ['./libs/realtime-contracts/src/*.contract.ts'],
        '@acme/*': ['./libs/*/src/index.tsx'],
        '@nx-realtime/nest': ['../../../nest/src/index.ts'],
        '@nx-realtime/nest/*': ['../../../nest/src/*/index.ts'],
      },
    },
    include: ['.'],
  };
  write(join(target, 'tsconfig.json'), JSON.stringify(config, null, 2));
}

function write(path: string, content: string): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, content);
}
