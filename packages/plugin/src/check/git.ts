import { spawnSync } from 'node:child_process';
import { RealtimeError } from '../domain/index.js';

/** Path from the workspace's root, and text. */
export interface FileAt {
  readonly path: string;
  readonly text: string;
}

/**
 * The domain files of a commit. The workspace may be a folder of the repository.
 *
 * @param root the workspace's root
 * @param ref a branch, a tag or a commit
 * @throws RealtimeError RT070 without git or outside of a repository, RT071 for a ref that is not
 *   there
 */
export function domainFilesAt(root: string, ref: string): FileAt[] {
  const commit = commitOf(root, ref);
  const listed = git(root, ['ls-tree', '-r', '-z', '--name-only', commit, '--', '.']);
  const paths = listed.stdout.split('\0').filter((path) => DOMAIN_FILE.test(path));
  if (paths.length === 0) return [];
  return readAll(root, commit, paths);
}

/** Paths as the host stage looks for them: in a folder of a project's `realtime`. */
const DOMAIN_FILE = /(?:^|\/)realtime\/[^/]+\/[^/]+\.domain\.json$/;

function commitOf(root: string, ref: string): string {
  const inside = git(root, ['rev-parse', '--is-inside-work-tree']);
  if (inside.status !== 0) {
    throw new RealtimeError(
      'RT070',
      `--against=${ref}: git sees no repository in ${root}, so there is nothing to compare with: ${inside.stderr.trim()}`,
    );
  }
  const found = git(root, ['rev-parse', '--verify', '--quiet', `${ref}^{commit}`]);
  if (found.status === 0) return found.stdout.trim();
  const shallow = git(root, ['rev-parse', '--is-shallow-repository']).stdout.trim() === 'true';
  throw new RealtimeError(
    'RT071',
    shallow
      ? `--against=${ref}: this clone is shallow and does not hold "${ref}". Fetch it first (git fetch --depth=1 origin <ref>), or clone whole (actions/checkout: fetch-depth: 0; GitLab: GIT_DEPTH: 0).`
      : `--against=${ref}: git knows no commit by this name. Give a branch, a tag or a commit; one of the remote is fetched first and named with it (origin/main).`,
  );
}

/** One process, however many files. */
function readAll(root: string, commit: string, paths: readonly string[]): FileAt[] {
  const prefix = git(root, ['rev-parse', '--show-prefix']).stdout.replace(/\n$/, '');
  const input = paths.map((path) => `${commit}:${prefix}${path}\n`).join('');
  const output = run(root, ['cat-file', '--batch'], input).stdout;
  const files: FileAt[] = [];
  let at = 0;
  for (const path of paths) {
    const end = output.indexOf('\n', at);
    const size = Number(output.subarray(at, end).toString().split(' ').at(-1));
    if (!(size >= 0)) throw new Error(`git cat-file: ${output.subarray(at, end).toString()}`);
    files.push({ path, text: output.subarray(end + 1, end + 1 + size).toString() });
    at = end + 1 + size + 1;
  }
  return files;
}

interface Output {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function git(root: string, args: readonly string[]): Output {
  const { status, stdout, stderr } = run(root, args);
  return { status, stdout: stdout.toString(), stderr: stderr.toString() };
}

function run(root: string, args: readonly string[], input = ''): ReturnType<typeof spawnGit> {
  const result = spawnGit(root, args, input);
  if (result.error) {
    throw new RealtimeError(
      'RT070',
      `--against needs git, which did not run: ${result.error.message}`,
    );
  }
  return result;
}

const spawnGit = (root: string, args: readonly string[], input: string) =>
  spawnSync('git', [...args], {
    cwd: root,
    input,
    maxBuffer: 256 * 1024 * 1024,
    windowsHide: true,
  });
