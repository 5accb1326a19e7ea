import { joinPathFragments } from '@nx/devkit';
import type { Tree } from '@nx/devkit';
import type { HostFacts } from '../../host/index.js';
import { dropJson, setJson } from '../text/index.js';
import { editFile } from './edit.js';
import type { Wired } from './edit.js';

/** Not cached: what it checks is not among the inputs of one project. */
const TARGET = { executor: '@nx-realtime/plugin:realtime-check', cache: false };

/** Gives each app the target `realtime-check`, where its configuration is kept. */
export function wireCheckTarget(tree: Tree, host: HostFacts): Wired[] {
  return [...host.apps.values()].flatMap(({ root }) =>
    targetsOf(tree, root).map(({ path, targets }) =>
      editFile(tree, path, (text) => setJson(text, [...targets, NAME], TARGET)),
    ),
  );
}

/** Takes the target away from apps that have no domain any more. */
export function unwireCheckTarget(tree: Tree, before: HostFacts, after: HostFacts): Wired[] {
  const kept = new Set([...after.apps.values()].map(({ root }) => root));
  return [...before.apps.values()]
    .filter(({ root }) => !kept.has(root))
    .flatMap(({ root }) => targetsOf(tree, root))
    .flatMap(({ path, targets }) => [
      editFile(tree, path, (text) => dropJson(text, [...targets, NAME], TARGET)),
      ...targets.map((_key, index) =>
        editFile(tree, path, (text) =>
          dropJson(text, targets.slice(0, targets.length - index), {}),
        ),
      ),
    ]);
}

const NAME = 'realtime-check';

/** The file that holds a project's targets. */
function targetsOf(tree: Tree, root: string): { path: string; targets: string[] }[] {
  const project = joinPathFragments(root, 'project.json');
  const manifest = joinPathFragments(root, 'package.json');
  if (tree.exists(project)) return [{ path: project, targets: ['targets'] }];
  return tree.exists(manifest) ? [{ path: manifest, targets: ['nx', 'targets'] }] : [];
}
