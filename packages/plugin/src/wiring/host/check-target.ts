import { joinPathFragments } from '@nx/devkit';
import type { Tree } from '@nx/devkit';
import type { HostFacts } from '../../host/index.js';
import { setJson } from '../text/index.js';
import { editFile } from './edit.js';
import type { Wired } from './edit.js';

/** Not cached: what it checks is not among the inputs of one project. */
const TARGET = { executor: '@nx-realtime/plugin:realtime-check', cache: false };

/** Gives each app the target `realtime-check`, where its configuration is kept. */
export function wireCheckTarget(tree: Tree, host: HostFacts): Wired[] {
  return [...host.apps.values()].flatMap(({ root }) => {
    const project = joinPathFragments(root, 'project.json');
    const manifest = joinPathFragments(root, 'package.json');
    const path = tree.exists(project) ? project : manifest;
    if (!tree.exists(path)) return [];
    const targets = path === project ? ['targets'] : ['nx', 'targets'];
    return [editFile(tree, path, (text) => setJson(text, [...targets, 'realtime-check'], TARGET))];
  });
}
