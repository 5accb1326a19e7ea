import { execFile } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, expect, it } from 'vitest';
import realtimeDomainGenerator from '../../src/generators/realtime-domain/generator.js';
import { snapshot } from '../support/host-tree.js';
import { RECIPES, recipeTree } from '../support/recipes.js';

const ROOT = join(import.meta.dirname, '../../tmp/adopt');
const TSC = join(import.meta.dirname, '../../../../node_modules/typescript/bin/tsc');

/** As a Nest app of Nx compiles; class-validator is not installed here. */
const OPTIONS = {
  target: 'es2022',
  module: 'preserve',
  moduleResolution: 'bundler',
  strict: true,
  strictPropertyInitialization: false,
  noImplicitAny: false,
  noUnusedLocals: true,
  experimentalDecorators: true,
  emitDecoratorMetadata: true,
  isolatedModules: false,
  skipLibCheck: true,
  noEmit: true,
  types: ['node', 'jest'],
};
const VALIDATOR = `declare module 'class-validator' {
  export function IsUUID(): PropertyDecorator;
  export function IsString(): PropertyDecorator;
  export function IsOptional(): PropertyDecorator;
  export function IsInt(): PropertyDecorator;
}
`;

afterAll(() => rmSync(ROOT, { recursive: true, force: true }));

it('compiles what was adopted without conflicts', { timeout: 120_000 }, async () => {
  rmSync(ROOT, { recursive: true, force: true });
  const compiled: string[] = [];
  for (const { files, name, plural } of RECIPES) {
    const tree = recipeTree(files);
    await realtimeDomainGenerator(tree, { name, adopt: true, skipFormat: true, web: 'none' });
    const code = [...snapshot(tree)].filter(
      ([path]) => /^(?:apps\/api-gateway|libs)\/.*\.ts$/.test(path) && !path.endsWith('.spec.ts'),
    );
    if (code.some(([, text]) => text.includes('<<<<<<< yours'))) continue;
    compiled.push(plural);
    for (const [path, text] of code) write(join(ROOT, plural, path), text);
  }
  expect(compiled).toHaveLength(RECIPES.length - 1);
  write(join(ROOT, 'class-validator.d.ts'), VALIDATOR);
  const paths = compiled.map((plural) => `./${plural}/libs/realtime-contracts/src/*.contract.ts`);
  const config = {
    compilerOptions: { ...OPTIONS, paths: { '@acme/realtime-contracts/*': paths } },
    include: ['.'],
  };
  write(join(ROOT, 'tsconfig.json'), JSON.stringify(config));
  const run = promisify(execFile)(process.execPath, [TSC, '-p', ROOT]);
  const output = await run.then(
    ({ stdout }) => stdout,
    ({ stdout }: { stdout: string }) => stdout,
  );
  // The recipes import more than each of them uses.
  const unused = /^(?!.*\/realtime\/).* error TS6133: /;
  expect(output.split('\n').filter((line) => line !== '' && !unused.test(line))).toEqual([]);
});

function write(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}
