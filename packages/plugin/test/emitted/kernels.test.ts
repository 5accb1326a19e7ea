import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { format } from 'prettier';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';
import { compile } from '../support/compile.js';
import type { Unit } from '../support/compile.js';

const PACKAGES = join(import.meta.dirname, '../../..');

const STRICT = {
  strict: true,
  isolatedModules: true,
  noUnusedLocals: true,
  noUnusedParameters: true,
  noImplicitOverride: true,
  noImplicitReturns: true,
  noUncheckedIndexedAccess: true,
  exactOptionalPropertyTypes: true,
  noPropertyAccessFromIndexSignature: true,
};

/** How hosts compile what they have ejected: a folder of CommonJS in their workspace. */
const CONFIGS: Readonly<Record<string, object>> = {
  nodenext: { ...STRICT, module: 'nodenext', moduleResolution: 'nodenext' },
  bundler: { ...STRICT, module: 'preserve', moduleResolution: 'bundler' },
  'without the metadata of decorators': {
    ...STRICT,
    module: 'node16',
    moduleResolution: 'node16',
    emitDecoratorMetadata: false,
  },
  'with a library of 2020': {
    ...STRICT,
    module: 'preserve',
    moduleResolution: 'bundler',
    target: 'es2021',
    lib: ['es2020', 'dom', 'dom.iterable'],
  },
  'the apps preset of Nx': {
    strict: false,
    module: 'commonjs',
    moduleResolution: 'bundler',
    importHelpers: true,
  },
};

const COMMON = {
  target: 'es2022',
  lib: ['es2022', 'dom', 'dom.iterable'],
  jsx: 'react-jsx',
  types: ['node'],
  skipLibCheck: true,
  esModuleInterop: true,
  experimentalDecorators: true,
  emitDecoratorMetadata: true,
  declaration: true,
  outDir: 'out',
};

const sourcesOf = (kernel: string): Map<string, string> =>
  new Map(
    readdirSync(join(PACKAGES, kernel, 'src'), { recursive: true, encoding: 'utf8' })
      .filter((path) => /\.tsx?$/.test(path))
      .map((path) => [path, readFileSync(join(PACKAGES, kernel, 'src', path), 'utf8')]),
  );

/** The sources of a kernel may become a host's own: they are held to what a host may ask of its code. */
describe.each(['nest', 'react'])('the sources of the kernel %s', (kernel) => {
  const files = sourcesOf(kernel);

  it.each(Object.entries(CONFIGS))('compile: %s', { timeout: 120_000 }, (_name, config) => {
    expect(files.size).toBeGreaterThan(5);
    const unit: Unit = { name: `kernel-${kernel}`, files, paths: {}, type: 'commonjs' };
    const { options, errors } = ts.convertCompilerOptionsFromJson({ ...COMMON, ...config }, '/');
    expect(errors).toEqual([]);
    expect(compile([unit], options)).toEqual([]);
  });

  it('are formatted as Prettier would', async () => {
    for (const [path, text] of files) {
      expect(text, path).toBe(await format(text, { singleQuote: true, filepath: path }));
    }
  });

  it('name each other without an extension, which every bundler finds', () => {
    const named = [...files].flatMap(([path, text]) =>
      ts
        .preProcessFile(text, true, true)
        .importedFiles.filter(({ fileName }) => /^\.{1,2}\/.*\.[cm]?[jt]sx?$/.test(fileName))
        .map(({ fileName }) => `${path}: ${fileName}`),
    );
    expect(named).toEqual([]);
  });
});
