import { joinPathFragments, readJson } from '@nx/devkit';
import type { Tree } from '@nx/devkit';
import type { HostProjects } from './projects.js';
import { KERNELS } from './versions.js';
import type { Kernel } from './versions.js';

/** The sources below an ejected kernel's `src` that can be imported, by what follows its name. */
export const ENTRIES: Readonly<Record<Kernel, Readonly<Record<string, string>>>> = {
  nest: {
    '': 'index.ts',
    '/publisher': 'publisher/index.ts',
    '/observability': 'observability/index.ts',
    '/testing': 'testing/index.ts',
  },
  react: { '': 'index.ts', '/tanstack-query': 'tanstack-query.ts' },
};

/** Folder name of an ejected kernel's library, and in an integrated workspace its project's. */
export const ejectedName = (kernel: Kernel): string => `realtime-${kernel}`;

/**
 * The kernels whose sources the workspace owns, with the folder of each library: where their name is
 * found by `paths`, or as a package of the workspace.
 */
export function ejectedKernels(
  tree: Tree,
  projects: HostProjects,
  { solution, baseTsconfig }: { readonly solution: boolean; readonly baseTsconfig: string },
): Map<Kernel, string> {
  const paths = solution ? {} : pathsOf(tree, baseTsconfig);
  return new Map(
    (Object.keys(KERNELS) as Kernel[]).flatMap((kernel): [Kernel, string][] => {
      const name = KERNELS[kernel];
      const target = paths[name]?.[0];
      const root = solution
        ? projects.list().find((project) => project.name === name)?.root
        : target?.endsWith('/src/index.ts')
          ? joinPathFragments(target.slice(0, -'/src/index.ts'.length))
          : undefined;
      return root === undefined ? [] : [[kernel, root.replace(/^\.\//, '')]];
    }),
  );
}

function pathsOf(tree: Tree, tsconfig: string): Record<string, string[] | undefined> {
  if (!tree.exists(tsconfig)) return {};
  const { compilerOptions } = readJson<{
    compilerOptions?: { paths?: Record<string, string[] | undefined> };
  }>(tree, tsconfig);
  return compilerOptions?.paths ?? {};
}
