import { joinPathFragments } from '@nx/devkit';
import type { Tree } from '@nx/devkit';
import { posix } from 'node:path';
import type { Domain } from '../../domain/index.js';
import { workspaceGlobs } from '../../host/index.js';
import type { HostFacts } from '../../host/index.js';
import { appendJson, setJson } from '../text/index.js';
import type { Edit } from '../text/index.js';
import { editFile } from './edit.js';
import type { Wired } from './edit.js';

/** Makes every contract library importable from the apps that use it. */
export function wireContracts(tree: Tree, host: HostFacts, domains: readonly Domain[]): Wired[] {
  return [...host.contracts].flatMap(([name, library]) => {
    if (!host.solution) {
      return [
        editFile(tree, host.baseTsconfig, (text) =>
          setJson(
            text,
            ['compilerOptions', 'paths', `${library.importPath}/*`],
            [`./${library.root}/src/*.contract.ts`],
          ),
        ),
      ];
    }
    const users = domains.filter((domain) => domain.contracts === name);
    const roots = new Set([
      ...host.publishers.map((publisher) => publisher.root),
      ...users.flatMap(({ app, web }) => [
        host.apps.get(app)?.root,
        web === null ? undefined : host.webs.get(web)?.root,
      ]),
    ]);
    return [
      ...wireWorkspace(tree, library.root),
      reference(tree, 'tsconfig.json', library.root),
      ...[...roots].flatMap((root) =>
        root === undefined ? [] : projectReference(tree, root, library.root),
      ),
    ];
  });
}

function wireWorkspace(tree: Tree, root: string): Wired[] {
  const covered = workspaceGlobs(tree).some((glob) => covers(posix.normalize(glob), root));
  if (covered || tree.exists('pnpm-workspace.yaml')) return [];
  return [editFile(tree, 'package.json', (text) => appendJson(text, ['workspaces'], root))];
}

/** As `nx sync` has it: in the tsconfig that compiles sources, or the project's only one. */
function projectReference(tree: Tree, root: string, library: string): Wired {
  const app = joinPathFragments(root, 'tsconfig.app.json');
  return tree.exists(app)
    ? reference(tree, app, `${library}/tsconfig.lib.json`)
    : reference(tree, joinPathFragments(root, 'tsconfig.json'), library);
}

function reference(tree: Tree, tsconfig: string, to: string): Wired {
  const path = posix.relative(posix.dirname(tsconfig), to);
  return editFile(tree, tsconfig, (text): Edit =>
    appendJson(text, ['references'], { path: path.startsWith('.') ? path : `./${path}` }),
  );
}

function covers(glob: string, root: string): boolean {
  const folder = posix.dirname(root);
  return glob === root || glob === `${folder}/*` || glob.startsWith(`${folder}/**`);
}
