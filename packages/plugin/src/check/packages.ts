import type { Tree } from '@nx/devkit';
import { KERNELS } from '../host/index.js';
import { pluginVersion } from '../reconcile/index.js';
import type { Finding } from './verdict.js';

type Ranges = Record<string, string>;

/**
 * Finds the missing entries of a package.json by what sync makes of it.
 *
 * @param before its text as it is
 */
export function checkPackage(
  tree: Tree,
  path: string,
  before: string | null,
): Pick<Finding, 'class' | 'message'> {
  const [old, now] = [rangesOf(before), rangesOf(tree.read(path, 'utf-8'))] as const;
  const changed = Object.keys(now).filter((name) => old[name] !== now[name]);
  const kernels = changed.filter((name) => Object.values<string>(KERNELS).includes(name));
  const lacking = kernels.filter((name) => old[name] === undefined);
  const ours = changed.filter((name) => name.startsWith('@nx-realtime/'));
  if (changed.length === 0 || changed.some((name) => !ours.includes(name))) {
    return {
      class: 'wiring-lost',
      message: 'What the generated code imports is not all among the dependencies.',
    };
  }
  if (lacking.length > 0) {
    return {
      class: 'kernel-missing',
      message: `It does not name ${lacking.join(' and ')}, which the generated code imports.`,
    };
  }
  if (kernels.length > 0) {
    return {
      class: 'kernel-version',
      message: `It names ${kernels.map((name) => `${name} ${old[name]}`).join(' and ')}, and @nx-realtime/plugin is ${pluginVersion()}.`,
    };
  }
  return {
    class: 'wiring-lost',
    message: `It names ${ours.join(' and ')} outside of the workspace, where a clone does not find it.`,
  };
}

function rangesOf(text: string | null): Ranges {
  const json = JSON.parse(text ?? '{}') as Record<string, Ranges | undefined>;
  return { ...json['devDependencies'], ...json['dependencies'] };
}
