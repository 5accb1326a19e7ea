import { posix } from 'node:path';
import type { ContractsFacts, HostFacts } from '../host/index.js';
import { VERSIONS } from '../host/index.js';
import type { RenderedFile } from './files.js';
import { layOut } from './layout.js';

/**
 * The configuration of a contract library, each file written once: its owners may give it a build,
 * tags or tests. Contracts are consumed from source, one subpath for each domain, with no barrel.
 */
export function contractsLibrary(library: ContractsFacts, host: HostFacts): RenderedFile[] {
  const toRoot = posix.relative(library.root, '.');
  const files = host.solution
    ? [packageJson(library), ...solutionTsconfigs(toRoot)]
    : [projectJson(library, toRoot), ...integratedTsconfigs(toRoot, host.baseTsconfig)];
  if (host.eslintConfig !== null) files.push(eslintConfig(`${toRoot}/${host.eslintConfig}`));
  return files.map(([name, content]) => ({
    path: `${library.root}/${name}`,
    content: layOut(
      typeof content === 'string' ? content : `${JSON.stringify(content, null, 2)}\n`,
    ),
    owner: 'yours',
  }));
}

type Entry = [name: string, content: string | object];

function packageJson(library: ContractsFacts): Entry {
  return [
    'package.json',
    {
      name: library.importPath,
      version: '0.0.1',
      private: true,
      // Sources alone: with any other file among its exports, Nx's webpack plugin takes the library
      // for a built one and leaves it out of the app's bundle.
      exports: { './*': './src/*.contract.ts' },
      dependencies: VERSIONS.shared,
    },
  ];
}

function projectJson(library: ContractsFacts, toRoot: string): Entry {
  return [
    'project.json',
    {
      name: library.name,
      $schema: `${toRoot}/node_modules/nx/schemas/project-schema.json`,
      sourceRoot: `${library.root}/src`,
      projectType: 'library',
      tags: [],
      targets: {},
    },
  ];
}

function solutionTsconfigs(toRoot: string): Entry[] {
  return [
    [
      'tsconfig.json',
      {
        extends: `${toRoot}/tsconfig.base.json`,
        files: [],
        include: [],
        references: [{ path: './tsconfig.lib.json' }],
      },
    ],
    [
      'tsconfig.lib.json',
      {
        extends: `${toRoot}/tsconfig.base.json`,
        compilerOptions: {
          rootDir: 'src',
          outDir: 'dist',
          tsBuildInfoFile: 'dist/tsconfig.lib.tsbuildinfo',
          types: [],
        },
        include: ['src/**/*.ts'],
      },
    ],
  ];
}

function integratedTsconfigs(toRoot: string, base: string): Entry[] {
  return [
    [
      'tsconfig.json',
      {
        extends: `${toRoot}/${base}`,
        // The types that zod infers hold only under strict.
        compilerOptions: { strict: true },
        files: [],
        include: [],
        references: [{ path: './tsconfig.lib.json' }],
      },
    ],
    [
      'tsconfig.lib.json',
      {
        extends: './tsconfig.json',
        compilerOptions: { outDir: `${toRoot}/dist/out-tsc`, declaration: true, types: [] },
        include: ['src/**/*.ts'],
      },
    ],
  ];
}

/** Of a library: that of the workspace. @param base from the library's folder */
export function eslintConfig(base: string): Entry {
  return [
    'eslint.config.mjs',
    `import baseConfig from '${base}';\n\nexport default [...baseConfig];\n`,
  ];
}
