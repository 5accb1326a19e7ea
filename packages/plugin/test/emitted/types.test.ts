import ts from 'typescript';
import { describe, expect, it } from 'vitest';
import realtimeDomainGenerator from '../../src/generators/realtime-domain/generator.js';
import { KERNEL_PATHS, compile } from '../support/compile.js';
import type { Unit } from '../support/compile.js';
import { ASKING, BOTH, guarded, guardOf } from '../support/guarded.js';
import { snapshot } from '../support/host-tree.js';
import { RECIPES, recipeTree } from '../support/recipes.js';
import { samplesShape } from '../support/samples.js';
import { HARD_SHAPES, SHAPES, renderShape } from '../support/shapes.js';
import type { Shape } from '../support/shapes.js';

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

const COMMON = {
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
};

describe('what is rendered', () => {
  it.each(CONFIGS)(
    'compiles in every shape: $name',
    { timeout: 300_000 },
    ({ options, files, shapes }) => {
      const units = shapes.map((shape): Unit => {
        const rendered = renderShape(shape)
          .filter(({ path }) => files.test(path) && /\.tsx?$/.test(path))
          .map(({ path, content }) => [path, content] as const);
        return {
          name: shape.name,
          files: new Map([
            ...rendered,
            ...Object.entries(shape.files ?? {}).filter(([path]) => files.test(path)),
          ]),
          paths: {
            ...KERNEL_PATHS,
            // The libraries of docs/libraries.md.
            '@acme/*': ['libs/*/src/index.tsx'],
            [`${scopeOf(shape)}/*`]: [`${contractsOf(shape)}/src/*.contract.ts`],
          },
          type: notEsm(shape) ? 'commonjs' : 'module',
        };
      });
      expect(compile(units, parsed({ ...COMMON, ...options }))).toEqual([]);
    },
  );
});

/** As a Nest app of Nx compiles. */
const NEST = {
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

/** It is not installed here. */
const VALIDATOR = `declare module 'class-validator' {
  export function IsUUID(): PropertyDecorator;
  export function IsString(): PropertyDecorator;
  export function IsOptional(): PropertyDecorator;
  export function IsInt(): PropertyDecorator;
}
`;

const GUARD = 'apps/api-gateway/src/realtime/guards/ws-auth.guard.ts';

it('what was adopted without conflicts compiles', { timeout: 120_000 }, async () => {
  const units: Unit[] = [];
  const moved = { name: 'Chat', plural: 'guarded', files: guarded(guardOf(ASKING, BOTH)) };
  for (const { files, name, plural } of [...RECIPES, moved]) {
    const tree = recipeTree(files);
    await realtimeDomainGenerator(tree, { name, adopt: true, skipFormat: true, web: 'none' });
    const code = [...snapshot(tree)].filter(
      ([path]) => /^(?:apps\/api-gateway|libs)\/.*\.ts$/.test(path) && !path.endsWith('.spec.ts'),
    );
    if (code.some(([, text]) => text.includes('<<<<<<< yours'))) continue;
    units.push({
      name: plural,
      files: new Map([...code, ['class-validator.d.ts', VALIDATOR]]),
      paths: {
        ...KERNEL_PATHS,
        '@acme/realtime-contracts/*': ['libs/realtime-contracts/src/*.contract.ts'],
      },
      type: 'commonjs',
    });
  }
  expect(units).toHaveLength(RECIPES.length);
  expect(units.at(-1)?.files.get(GUARD)).toContain('this.users.isBlocked(payload.sub)');
  // The recipes import more than each of them uses.
  const unused = /^(?!.*\/realtime\/).* error TS6133: /;
  expect(compile(units, parsed(NEST)).filter((line) => !unused.test(line))).toEqual([]);
});

describe('compiling several hosts at once', () => {
  const use = "import { one } from './one.js';\nexport const two: number = one;\n";
  const host = (name: string, one: string, type: Unit['type'] = 'module'): Unit => ({
    name,
    files: new Map([
      ['a/two.ts', use],
      ['a/one.ts', one],
      ['a/three.ts', "export { two } from './two.js';\n"],
    ]),
    paths: {},
    type,
  });
  const options = parsed({ ...STRICT, ...NODENEXT, target: 'es2022', lib: ['es2022'], types: [] });
  const right = 'export const one = 1;\n';

  it('finds in each what is wrong there alone', () => {
    const wrong = "export const one = '1';\n";
    const hosts = [host('first', right), host('second', right), host('third', wrong)];
    expect(compile(hosts.slice(0, 2), options)).toEqual([]);
    expect(compile(hosts, options)).toEqual([
      expect.stringMatching(/^third\/a\/two\.ts\(2,14\): error TS2322: /),
    ]);
  });

  it('resolves as each does', () => {
    const missing = host('second', right);
    const bare = new Map([...missing.files, ['a/two.ts', use.replace('.js', '')]]);
    expect(compile([host('first', right), { ...missing, files: bare }], options)).toEqual([
      expect.stringMatching(/^second\/a\/two\.ts\(1,21\): error TS2835: /),
    ]);
    const other = { ...missing, files: bare, type: 'commonjs' as const };
    expect(compile([host('first', right), other], options)).toEqual([]);
  });
});

function all(): Shape[] {
  return [...SHAPES, ...HARD_SHAPES, samplesShape('samples')];
}

function notEsm({ host }: Shape): boolean {
  return ![...host.apps.values()].some((app) => app.esm);
}

function scopeOf({ host }: Shape): string {
  return [...host.contracts.values()][0]!.importPath;
}

function contractsOf({ host }: Shape): string {
  return [...host.contracts.values()][0]!.root;
}

function parsed(options: object): ts.CompilerOptions {
  const { options: result, errors } = ts.convertCompilerOptionsFromJson(options, '/');
  expect(errors).toEqual([]);
  return result;
}
