import { logger } from '@nx/devkit';
import type { GeneratorCallback, Tree } from '@nx/devkit';
import { posix } from 'node:path';
import { RealtimeError } from '../domain/index.js';
import { isAtLeast } from './finding.js';
import type { Review, Severity } from './finding.js';
import { toJson } from './report/json.js';
import { summary, toMarkdown } from './report/markdown.js';
import { toSarif } from './report/sarif.js';

export interface PublishOptions {
  readonly format?: 'markdown' | 'json' | 'sarif' | undefined;
  /** A file of the workspace; else the report is printed. */
  readonly output?: string | undefined;
  /** The least severity that fails the command. */
  readonly failOn?: Severity | 'never' | undefined;
}

const FORMATS = { markdown: toMarkdown, json: toJson, sarif: toSarif };

/**
 * Writes or prints a review.
 *
 * @returns fails the command where findings say so, after what was repaired is on disk
 * @throws RealtimeError RT064 for an output outside of the workspace
 */
export function publish(tree: Tree, review: Review, options: PublishOptions): GeneratorCallback {
  const { format = 'markdown', output, failOn = 'high' } = options;
  const report = FORMATS[format](review);
  if (output === undefined) {
    process.stdout.write(report);
  } else {
    const path = posix.normalize(output.split('\\').join('/'));
    if (
      posix.isAbsolute(path) ||
      /^[A-Za-z]:/.test(path) ||
      path.split('/')[0] === '..' ||
      tree.children(path).length > 0
    ) {
      throw new RealtimeError(
        'RT064',
        `--output: "${output}" is no file of the workspace. Give a path relative to its root.`,
      );
    }
    tree.write(path, report);
    logger.info(`${path}: ${summary(review)}`);
  }
  const failing =
    failOn === 'never' ? [] : review.findings.filter(({ severity }) => isAtLeast(severity, failOn));
  return () => {
    if (failing.length === 0) return;
    throw new RealtimeError(
      'RT065',
      `The review has ${failing.length} ${failing.length === 1 ? 'finding' : 'findings'} of severity ${failOn}${failOn === 'high' ? '' : ' or worse'}. --failOn=never only reports.`,
    );
  };
}
