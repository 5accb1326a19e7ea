import type { ExecutorContext } from '@nx/devkit';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, relative, resolve, sep } from 'node:path';
import { FsTree } from 'nx/src/generators/tree';
import {
  checkWorkspace,
  toAnnotations,
  toCodeQuality,
  toSarif,
  toText,
} from '../../check/index.js';
import type { Verdict } from '../../check/index.js';
import { RealtimeError } from '../../domain/index.js';
import type { RealtimeCheckSchema } from './schema.js';

/** The CI verdict; fails with every finding that is an error. Writes nothing but reports. */
export default async function realtimeCheckExecutor(
  options: RealtimeCheckSchema,
  { root }: Pick<ExecutorContext, 'root'>,
): Promise<{ success: boolean }> {
  const started = performance.now();
  let verdict: Verdict;
  try {
    verdict = await checkWorkspace(new FsTree(root, false), { against: options.against });
  } catch (error) {
    if (!(error instanceof RealtimeError)) throw error;
    process.stderr.write(`${error.message}\n`);
    return { success: false };
  }
  const prefix = folderInRepository(root);
  const ms = Math.round(performance.now() - started);
  process.stdout.write(
    options.json
      ? `${JSON.stringify({ ...verdict, ms }, null, 2)}\n`
      : `${toText(verdict)}Checked in ${ms} ms.\n`,
  );
  if (process.env['GITHUB_ACTIONS'] === 'true' && !options.json) {
    process.stdout.write(toAnnotations(verdict, prefix));
  }
  if (options.sarif) writeReport(root, options.sarif, toSarif(verdict, prefix));
  if (options.codeQuality) writeReport(root, options.codeQuality, toCodeQuality(verdict, prefix));
  return { success: verdict.ok };
}

/** CI services name files from the root of the repository, which they state. */
function folderInRepository(root: string): string {
  const repository = process.env['GITHUB_WORKSPACE'] ?? process.env['CI_PROJECT_DIR'];
  if (!repository) return '';
  const folder = relative(repository, root).split(sep).join('/');
  return folder === '' || folder.startsWith('..') ? '' : `${folder}/`;
}

function writeReport(root: string, file: string, report: object): void {
  const path = resolve(root, file);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, `${JSON.stringify(report, null, 2)}\n`);
}
