import type { GeneratorCallback, Tree } from '@nx/devkit';
import { RealtimeError } from '../../domain/index.js';
import { HostProjects, KERNELS, hostDomains } from '../../host/index.js';
import { ejectKernel, refuseOlderPlugin, refuseOutside, undoEject } from '../../pipeline/index.js';
import type { RealtimeEjectSchema } from './schema.js';

/**
 * Makes the sources of a kernel a library of the workspace, or takes that back.
 *
 * @returns installs packages and prints what was done
 * @throws RealtimeError RT059 for what is no kernel of this workspace, RT053 where `--undo` would lose edits
 */
export default async function realtimeEjectGenerator(
  tree: Tree,
  { kernel, undo = false, skipFormat = false }: RealtimeEjectSchema,
): Promise<GeneratorCallback> {
  refuseOlderPlugin(tree);
  if (kernel === undefined || !Object.hasOwn(KERNELS, kernel)) {
    throw new RealtimeError(
      'RT059',
      `Which kernel? nx g @nx-realtime/plugin:realtime-eject nest, or react.`,
    );
  }
  const projects = new HostProjects(tree);
  const domains = hostDomains(tree, projects);
  const done = undo
    ? await undoEject(tree, projects, domains, kernel)
    : await ejectKernel(tree, projects, domains, kernel, { skipFormat });
  refuseOutside(tree);
  return done;
}
