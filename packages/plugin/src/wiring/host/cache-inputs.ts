import { readNxJson } from '@nx/devkit';
import type { Tree } from '@nx/devkit';
import { API_URL_VARIABLE } from '../../host/index.js';
import type { HostFacts } from '../../host/index.js';
import { appendJson } from '../text/index.js';
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
  const variables = [...host.webs.values()].map(({ framework }) => API_URL_VARIABLE[framework]);
  return [...new Set(variables)].map((env) =>
    editFile(tree, 'nx.json', (text) => appendJson(text, ['namedInputs', SHARED], { env })),
  );
}
