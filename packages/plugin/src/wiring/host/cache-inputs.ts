import { readNxJson } from '@nx/devkit';
import type { Tree } from '@nx/devkit';
import { URL_VARIABLES } from '../../host/index.js';
import type { HostFacts } from '../../host/index.js';
import { appendJson, dropItem } from '../text/index.js';
import { editFile } from './edit.js';
import type { Wired } from './edit.js';

const SHARED = 'sharedGlobals';

/**
 * Makes Nx build a web app again when the URL that is compiled into it is another, instead of
 * taking the build with the old one from its cache. In the inputs that every project has, as Nx
 * sets workspaces up; inputs of another shape are their owner's.
 */
export function wireCacheInputs(tree: Tree, host: HostFacts): Wired[] {
  const inputs = readNxJson(tree)?.namedInputs;
  if (!inputs?.['default']?.includes(SHARED)) return [];
  return [...variablesOf(host)].map((env) =>
    editFile(tree, 'nx.json', (text) => appendJson(text, ['namedInputs', SHARED], { env })),
  );
}

/** Takes out of Nx's inputs the URLs that no web app of realtime domains is built with any more. */
export function unwireCacheInputs(tree: Tree, before: HostFacts, after: HostFacts): Wired[] {
  const needed = variablesOf(after);
  return [...variablesOf(before)]
    .filter((env) => !needed.has(env))
    .map((env) =>
      editFile(tree, 'nx.json', (text) => dropItem(text, ['namedInputs', SHARED], { env }, true)),
    );
}

const variablesOf = (host: HostFacts): Set<string> =>
  new Set(
    [...host.webs.values()].flatMap(({ framework }) => Object.values(URL_VARIABLES[framework])),
  );
