import type { GeneratorCallback, Tree } from '@nx/devkit';
import { publish, reviewWorkspace } from '../../review/index.js';
import type { RealtimeReviewSchema } from './schema.js';

/**
 * Reviews hand-written realtime code, of one project or of all.
 *
 * @returns fails the command where findings say so
 * @throws RealtimeError RT060 and RT061 where the rules cannot be loaded, RT062 to RT064 for wrong options
 */
export default function realtimeReviewGenerator(
  tree: Tree,
  options: RealtimeReviewSchema,
): GeneratorCallback {
  return publish(tree, reviewWorkspace(tree, options), options);
}
