import type { Tree } from '@nx/devkit';
import { HostProjects, hostDomains } from '../../host/index.js';
import { refuseOlderPlugin, refuseOutside, syncDomains } from '../../pipeline/index.js';
import type { SyncResult } from '../../pipeline/index.js';

/** Brings every domain file and every template into the code. Run by `nx sync`. */
export default async function syncGenerator(tree: Tree): Promise<SyncResult> {
  refuseOlderPlugin(tree);
  const projects = new HostProjects(tree);
  const result = await syncDomains(tree, projects, hostDomains(tree, projects));
  refuseOutside(tree);
  return result;
}
