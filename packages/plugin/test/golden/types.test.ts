import { execFile } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, describe, expect, it } from 'vitest';
import { HARD_SHAPES, SHAPES, renderShape } from '../support/shapes.js';
import type { Shape } from '../support/shapes.js';

const run = promisify(execFile);
const ROOT = join(import.meta.dirname, '../../tmp/types');
const TSC = join(import.meta.dirname, '../../../../node_modules/typescript/bin/tsc');

const STRICT = {
  strict: true,
  isolatedModules: true,
  noUnusedLocals: true,
  noUnusedParameters: true,
  noImplicitOverride: true,
  noImplicitReturns: true,
  noUncheckedIndexedAccess: true,
  exactOptionalPropertyTypes: true,
};

const NODENEXT = { module: 'nodenext', moduleResolution: 'nodenext' };
const BUNDLER = { module: 'preserve', moduleResolution: 'bundler' };
const SERVER = /^(?:apps\/(?:api-gateway|orders)|libs|packages)\//;

/** How hosts compile: each with the shapes and the files that they compile so. */
const CONFIGS = [
  { name: 'nodenext', options: { ...STRICT, ...NODENEXT }, files: SERVER, shapes: all() },
  { name: 'bundler', options: { ...STRICT, ...BUNDLER }, files: /./, shapes: all().filter(notEsm) },
  {
    // The apps preset of Nx: CommonJS, decorator metadata and no strict.
    name: 'loose',
    options: {
      strict: false,
      module: 'commonjs',
      moduleResolution: 'bundler',
      importHelpers: true,
    },
    files: SERVER,
    shapes: all().filter(notEsm),
  },
  {
    // A React app of Nx in the apps preset, whose base knows no later library than this.
    name: 'react',
    options: { ...STRICT, ...BUNDLER, target: 'es2015', lib: ['es2020', 'dom'] },
    files: /^(?:apps\/web|libs)\//,
    shapes: all().filter(({ name }) => name.startsWith('vite')),
  },
];

afterAll(() => rmSync(ROOT, { recursive: true, force: true }));

describe.concurrent.each(CONFIGS)('$name', ({ name, options, files, shapes }) => {
  it('compiles every shape', { timeout: 300_000 }, async () => {
    const folder = join(ROOT, name);
    for (const shape of shapes) {
      for (const { path, content } of renderShape(shape)) {
        if (!files.test(path) || !/\.tsx?$/.test(path)) continue;
        write(join(folder, shape.name, path), content);
      }
      for (const [path, content] of Object.entries(shape.files ?? {})) {
        write(join(folder, shape.name, path), content);
      }
      const type = notEsm(shape) ? 'commonjs' : 'module';
      write(join(folder, shape.name, 'package.json'), JSON.stringify({ type }));
    }
    const config = {
      compilerOptions: {
        target: 'es2022',
        lib: ['es2022', 'dom', 'dom.iterable'],
        jsx: 'react-jsx',
        types: ['node', 'jest'],
        skipLibCheck: true,
        esModuleInterop: true,
        experimentalDecorators: true,
        emitDecoratorMetadata: true,
        declaration: true,
        outDir: 'out',
        rootDir: '.',
        ...options,
        paths: Object.fromEntries(
          shapes.map((shape) => [`${scopeOf(shape)}/*`, contractsOf(shape)]),
        ),
      },
      include: ['**/*.ts', '**/*.tsx'],
      exclude: ['out'],
    };
    write(join(folder, 'tsconfig.json'), JSON.stringify(config));
    const output = await run(process.execPath, [TSC, '-p', folder]).then(
      () => '',
      (error: { stdout: string }) => error.stdout,
    );
    expect(output).toBe('');
  });
});

function all(): Shape[] {
  return [...SHAPES, ...HARD_SHAPES];
}

function notEsm({ host }: Shape): boolean {
  return ![...host.apps.values()].some((app) => app.esm);
}

function scopeOf({ host }: Shape): string {
  return [...host.contracts.values()][0]!.importPath;
}

function contractsOf(shape: Shape): string[] {
  const { root } = [...shape.host.contracts.values()][0]!;
  return [`./${shape.name}/${root}/src/*.contract.ts`];
}

function write(path: string, content: string): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, content);
}
