import { posix } from 'node:path';
import { ENTRIES, KERNELS, VERSIONS, ejectedName } from '../host/index.js';
import type { HostFacts, Kernel } from '../host/index.js';
import { eslintConfig } from './contracts-library.js';
import type { RenderedFile } from './files.js';
import { layOut } from './layout.js';

/** What the sources of each kernel are compiled with, wherever they lie. */
const COMPILER_OPTIONS: Readonly<Record<Kernel, object>> = {
  nest: { strict: true, experimentalDecorators: true, types: ['node'] },
  react: {
    strict: true,
    module: 'esnext',
    moduleResolution: 'bundler',
    lib: ['es2022', 'dom', 'dom.iterable'],
    types: [],
  },
};

/**
 * The configuration of the library that holds an ejected kernel, each file written once. The library
 * is consumed from source, by the name that the package had. It says nothing of the kind of its
 * modules, so that imports need no extension.
 */
export function ejectedLibrary(kernel: Kernel, root: string, host: HostFacts): RenderedFile[] {
  const toRoot = posix.relative(root, '.');
  const files: [name: string, content: object | string][] = [
    host.solution
      ? ['package.json', packageJson(kernel, host)]
      : ['project.json', projectJson(kernel, root, toRoot)],
    [
      'tsconfig.json',
      {
        extends: `${toRoot}/${host.baseTsconfig}`,
        compilerOptions: COMPILER_OPTIONS[kernel],
        files: [],
        include: [],
        references: [{ path: './tsconfig.lib.json' }],
      },
    ],
    [
      'tsconfig.lib.json',
      {
        extends: './tsconfig.json',
        compilerOptions: host.solution
          ? {
              rootDir: 'src',
              outDir: 'dist',
              tsBuildInfoFile: 'dist/tsconfig.lib.tsbuildinfo',
            }
          : { outDir: `${toRoot}/dist/out-tsc`, declaration: true },
        include: ['src/**/*.ts'],
      },
    ],
  ];
  if (host.eslintConfig !== null) {
    files.push(eslintConfig(`${toRoot}/${host.eslintConfig}`));
  }
  return files.map(([name, content]) => ({
    path: `${root}/${name}`,
    content: layOut(
      typeof content === 'string' ? content : `${JSON.stringify(content, null, 2)}\n`,
    ),
    owner: 'yours',
  }));
}

/** Without `dependencies`, which are added like those of an app. */
function packageJson(kernel: Kernel, host: HostFacts): object {
  return {
    name: KERNELS[kernel],
    version: '0.0.1',
    private: true,
    // Sources alone, as of the contract library: with any other file Nx's webpack plugin takes it for a built one.
    exports: Object.fromEntries(
      Object.entries(ENTRIES[kernel]).map(([subpath, file]) => [`.${subpath}`, `./src/${file}`]),
    ),
    dependencies: ejectedDependencies(kernel, host),
  };
}

/** Everything that the sources of a kernel import and that is not there for development alone. */
export function ejectedDependencies(kernel: Kernel, host: HostFacts): Record<string, string> {
  if (kernel === 'react') return { 'socket.io-client': VERSIONS.web['socket.io-client'] };
  const names = ['@nestjs/common', '@nestjs/core', ...VERSIONS.nestLockstep];
  return {
    ...Object.fromEntries(names.map((name) => [name, host.nest.range])),
    ...VERSIONS.ejected.nest,
    ...VERSIONS.server,
    ...VERSIONS.observability,
    ...VERSIONS.shared,
  };
}

function projectJson(kernel: Kernel, root: string, toRoot: string): object {
  return {
    name: ejectedName(kernel),
    $schema: `${toRoot}/node_modules/nx/schemas/project-schema.json`,
    sourceRoot: `${root}/src`,
    projectType: 'library',
    tags: [],
    targets: {},
  };
}
