import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { removeAtExit, run, start, tryRun, type Readiness, type Running } from './processes';
import { artifact } from './repo';
import { packedTarball } from './tarballs';

const NX_VERSION = '23.2.1';
const OLDEST_NX_VERSION = '22.7.9';

/**
 * `empty` has no app; the others have `api-gateway` (Nest) and `web` (Next.js). `webs` has also `spa` (React on
 * Vite, with Vitest) and `site` (Next.js, pages router, no src folder, with Jest). `oldest` has the oldest majors
 * that are supported.
 */
export type HostKind = 'empty' | 'integrated' | 'ts' | 'webs' | 'oldest';

/** How each kind is made: on which kind it builds, and the command lines that follow. */
const RECIPES: Record<
  HostKind,
  { readonly from?: HostKind; readonly name: string; readonly commands: readonly string[] }
> = {
  empty: {
    name: 'acme',
    commands: [
      `npx --yes create-nx-workspace@${NX_VERSION} acme --preset=apps --packageManager=npm --nxCloud=skip --no-interactive`,
    ],
  },
  integrated: {
    from: 'empty',
    name: 'acme',
    commands: [
      `npx nx add @nx/nest@${NX_VERSION}`,
      'npx nx g @nx/nest:application apps/api-gateway --linter=eslint --unitTestRunner=jest --e2eTestRunner=none --no-interactive',
      `npx nx add @nx/next@${NX_VERSION}`,
      'npx nx g @nx/next:application apps/web --style=css --linter=eslint --unitTestRunner=jest --e2eTestRunner=none --no-interactive',
      // Without these two a workspace of this version cannot run its own tests: npm hides @nx/react from the
      // jest config of the Next.js app, and TypeScript 6 finds no `module` in that of the Nest app.
      `npm install --save-dev @nx/react@${NX_VERSION}`,
      `node -e "${setTypes('apps/api-gateway/tsconfig.json')}"`,
    ],
  },
  webs: {
    from: 'integrated',
    name: 'acme',
    commands: [
      'npx nx g @nx/react:application apps/spa --bundler=vite --routing=false --style=css --linter=eslint --unitTestRunner=vitest --e2eTestRunner=none --no-interactive',
      'npx nx g @nx/next:application apps/site --appDir=false --src=false --style=css --linter=eslint --unitTestRunner=jest --e2eTestRunner=none --no-interactive',
    ],
  },
  oldest: {
    name: 'acme-oldest',
    commands: [
      `npx --yes create-nx-workspace@${OLDEST_NX_VERSION} acme-oldest --preset=apps --packageManager=npm --nxCloud=skip --no-interactive`,
      `npx nx add @nx/nest@${OLDEST_NX_VERSION}`,
      'npx nx g @nx/nest:application apps/api-gateway --linter=eslint --unitTestRunner=jest --e2eTestRunner=none --no-interactive',
      'npm install next@15 react@18 react-dom@18',
      `npx nx add @nx/next@${OLDEST_NX_VERSION}`,
      'npx nx g @nx/next:application apps/web --style=css --linter=eslint --unitTestRunner=jest --e2eTestRunner=none --no-interactive',
      `npm install --save-dev @nx/react@${OLDEST_NX_VERSION}`,
    ],
  },
  ts: {
    name: 'acme-ts',
    commands: [
      `npx --yes create-nx-workspace@${NX_VERSION} acme-ts --preset=ts --packageManager=npm --nxCloud=skip --formatter=prettier --workspaces --no-interactive`,
      `npx nx add @nx/nest@${NX_VERSION}`,
      'npx nx g @nx/nest:application apps/api-gateway --linter=eslint --unitTestRunner=vitest --e2eTestRunner=none --no-interactive',
      `npx nx add @nx/next@${NX_VERSION}`,
      'npx nx g @nx/next:application apps/web --style=css --linter=eslint --unitTestRunner=vitest --e2eTestRunner=none --no-interactive',
    ],
  },
};

function setTypes(file: string): string {
  return [
    `const fs = require('fs')`,
    `const json = JSON.parse(fs.readFileSync('${file}', 'utf8'))`,
    `json.compilerOptions.types = ['node']`,
    `fs.writeFileSync('${file}', JSON.stringify(json, null, 2) + String.fromCharCode(10))`,
  ].join('; ');
}

/** Variables of the runner that would change what a fresh shell of a user does. */
const FOREIGN =
  /^(npm_|NX_|JEST_|VITEST|JWT_|JWKS_|REALTIME_|RABBITMQ_|REDIS_|NEXT_|FRONTEND_URL$|PORT$|NODE_ENV$|NODE_OPTIONS$|NODE_PATH$|INIT_CWD$|FORCE_COLOR$|TEST$)/i;

/**
 * Without a daemon Nx starts a process for each of its plugins at every command: 8 to 13 s of processor, where all in
 * one take 4. What a plugin does to its process then holds for what is built: that of Vite sets NODE_ENV.
 */
const IN_PROCESS = { NX_ISOLATE_PLUGINS: 'false' };
const HAS_VITE: ReadonlySet<HostKind> = new Set(['webs', 'ts']);

/** The environment of every command run in a host. */
export function hostEnv(extra: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(([name]) => !FOREIGN.test(name));
  const path = (process.env['PATH'] ?? '').split(delimiter);
  return {
    ...Object.fromEntries(kept),
    PATH: path.filter((folder) => !folder.includes('node_modules')).join(delimiter),
    NX_DAEMON: 'false',
    NX_NO_CLOUD: 'true',
    NX_INTERACTIVE: 'false',
    NX_TUI: 'false',
    // By default Nx shares a cache among all checkouts with the same first commit, as our copies are: a build
    // would come from another test, with that one's NEXT_PUBLIC_REALTIME_URL in it.
    NX_CACHE_DIRECTORY: '.nx/cache',
    NX_WORKSPACE_DATA_DIRECTORY: '.nx/workspace-data',
    NEXT_TELEMETRY_DISABLED: '1',
    CI: 'true',
    NO_COLOR: '1',
    npm_config_prefer_offline: 'true',
    npm_config_audit: 'false',
    npm_config_fund: 'false',
    npm_config_update_notifier: 'false',
    ...extra,
  };
}

/** What `npx nx` runs, without the half second that npm takes to find it. */
const direct = (command: string): string => command.replace(/^npx nx /, 'node_modules/.bin/nx ');

/** A workspace of a user, in a folder that goes away with the runner. */
export class Host {
  /** @param env of every command */
  constructor(
    readonly root: string,
    readonly logFile: string,
    private readonly env: NodeJS.ProcessEnv = {},
  ) {}

  /** Runs a shell command line at the workspace root and returns what it printed. */
  run(command: string, env: NodeJS.ProcessEnv = {}): Promise<string> {
    return run(direct(command), { cwd: this.root, env: this.envOf(env), logFile: this.logFile });
  }

  /** As `run`, for a command that may fail. */
  tryRun(
    command: string,
    env: NodeJS.ProcessEnv = {},
  ): Promise<{ code: number | NodeJS.Signals; output: string }> {
    return tryRun(direct(command), { cwd: this.root, env: this.envOf(env), logFile: this.logFile });
  }

  /** Starts a server at the workspace root. Its log is kept beside the host's, named after `label`. */
  start(
    label: string,
    command: string,
    ready: Readiness,
    env: NodeJS.ProcessEnv = {},
    timeoutMs = 120_000,
  ): Promise<Running> {
    const logFile = this.logFile.replace(/\.log$/, `-${label}.log`);
    return start(command, { cwd: this.root, env: this.envOf(env), logFile, ready, timeoutMs });
  }

  private envOf(more: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
    return hostEnv({ ...this.env, ...more });
  }

  path(file: string): string {
    return join(this.root, file);
  }

  has(file: string): boolean {
    return existsSync(this.path(file));
  }

  read(file: string): string {
    return readFileSync(this.path(file), 'utf8');
  }

  write(file: string, text: string): void {
    mkdirSync(join(this.path(file), '..'), { recursive: true });
    writeFileSync(this.path(file), text);
  }

  /** `git status --porcelain` as lines, every untracked file named. */
  status(): string[] {
    return this.git('status', '--porcelain', '--untracked-files=all').split('\n').filter(Boolean);
  }

  commit(message: string): void {
    this.git('add', '--all');
    this.git('commit', '--quiet', '--no-verify', '--allow-empty', '--message', message);
  }

  git(...args: string[]): string {
    return git(this.root, ...args);
  }
}

/**
 * A fresh copy of a host of that kind, committed, without the plugin.
 * node_modules is hard-linked to a cache that is built on first use; everything else is copied.
 * @param label names the folder of its logs under test-artifacts
 */
export async function createHost(kind: HostKind, label: string): Promise<Host> {
  const cached = await cachedHost(kind);
  const parent = mkdtempSync(join(tmpdir(), `nx-realtime-${label}-`));
  if (!process.env['NX_REALTIME_KEEP']) removeAtExit(parent);
  const root = join(parent, RECIPES[kind].name);
  copyHost(cached, root);
  return new Host(root, logFileOf(label), HAS_VITE.has(kind) ? {} : IN_PROCESS);
}

/** Installs the packed plugin as a user would. The tarball's path ends up in package.json: keep it there. */
export async function installPlugin(host: Host, tarball = packedTarball('plugin')): Promise<void> {
  await host.run(`npx nx add @nx-realtime/plugin@file:${tarball}`);
}

function logFileOf(label: string): string {
  const file = artifact(`${label}.log`);
  rmSync(file, { force: true });
  return file;
}

function git(cwd: string, ...args: string[]): string {
  const identity = ['-c', 'user.name=Dev', '-c', 'user.email=dev@example.com'];
  return execFileSync('git', [...identity, ...args], {
    cwd,
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
  });
}

function hasGit(): boolean {
  return spawnSync('git', ['--version']).status === 0;
}

/** The cached host of a kind, built when it is missing or was changed. Safe beside other processes. */
async function cachedHost(kind: HostKind): Promise<string> {
  const folder = cacheFolder(kind);
  const unlock = await lock(`${folder}.lock`);
  try {
    if (!isIntact(folder)) {
      if (existsSync(folder)) console.warn(`${folder} was changed in place: it is made anew.`);
      await build(kind, folder);
    }
    return join(folder, RECIPES[kind].name);
  } finally {
    unlock();
  }
}

/** Where a kind is cached: named by all that it is made of. */
function cacheFolder(kind: HostKind): string {
  const recipe = RECIPES[kind];
  const base = recipe.from && RECIPES[recipe.from];
  const made = JSON.stringify([base, recipe, hasGit(), process.version, process.platform]);
  const hash = createHash('sha256').update(made).digest('hex').slice(0, 12);
  const root = join(process.env['NX_REALTIME_HOST_CACHE'] ?? tmpdir(), `nx-realtime-e2e-${hash}`);
  mkdirSync(root, { recursive: true });
  return join(root, kind);
}

async function build(kind: HostKind, folder: string): Promise<void> {
  const recipe = RECIPES[kind];
  rmSync(folder, { recursive: true, force: true });
  const work = `${folder}.building`;
  rmSync(work, { recursive: true, force: true });
  mkdirSync(work, { recursive: true });
  const root = join(work, recipe.name);
  const from = recipe.from ? await cachedHost(recipe.from) : undefined;
  if (from) copyHost(from, root);
  const logFile = logFileOf(`host-${kind}`);
  for (const command of recipe.commands) {
    const cwd = existsSync(root) ? root : work;
    await run(command, { cwd, env: hostEnv(), logFile });
  }
  rmSync(join(root, '.nx'), { recursive: true, force: true });
  // The demo needs no git; tests do.
  if (hasGit()) {
    if (!existsSync(join(root, '.git'))) git(root, 'init', '--quiet', '--initial-branch=main');
    git(root, 'add', '--all');
    git(root, 'commit', '--quiet', '--allow-empty', '--message', 'The workspace');
  }
  writeFileSync(join(work, 'fingerprint'), fingerprint(root));
  renameSync(work, folder);
}

/** False when a file was changed in place through one of the hard links. */
function isIntact(folder: string): boolean {
  const file = join(folder, 'fingerprint');
  if (!existsSync(file)) return false;
  const name = readdirSync(folder).find((entry) => entry !== 'fingerprint');
  return name !== undefined && readFileSync(file, 'utf8') === fingerprint(join(folder, name));
}

/** Sizes and times of all installed files. */
function fingerprint(root: string): string {
  const hash = createHash('sha256');
  const folders = [join(root, 'node_modules')];
  for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
    const entries = readdirSync(folder, { withFileTypes: true });
    entries.sort((a, b) => (a.name < b.name ? -1 : 1));
    for (const entry of entries) {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) folders.push(path);
      else if (entry.isFile()) {
        const { size, mtimeMs } = statSync(path);
        hash.update(`${path.slice(root.length)}\0${size}\0${Math.trunc(mtimeMs)}\n`);
      }
    }
  }
  return hash.digest('hex');
}

function copyHost(from: string, to: string): void {
  mkdirSync(to, { recursive: true });
  for (const entry of readdirSync(from)) {
    if (entry === '.nx' || entry === 'dist') continue;
    // Linked, not copied: 60 000 files. npm replaces them by rename, so the cache stays as it is ...
    const link = entry === 'node_modules' && process.platform === 'linux';
    const flags = link ? '-al' : '-a';
    execFileSync('cp', [flags, join(from, entry), join(to, entry)]);
  }
  // ... except its own index of what is installed, which it rewrites in place.
  const index = join(to, 'node_modules/.package-lock.json');
  if (!existsSync(index)) return;
  const { atime, mtime } = statSync(index);
  const text = readFileSync(index);
  rmSync(index);
  writeFileSync(index, text);
  // npm distrusts an index that is older than what it lists, or newer by much.
  utimesSync(index, atime, mtime);
}

/** Takes a lock file; one whose owner is gone is taken over. Returns what frees it. */
async function lock(file: string): Promise<() => void> {
  for (;;) {
    try {
      const descriptor = openSync(file, 'wx');
      writeFileSync(descriptor, String(process.pid));
      closeSync(descriptor);
      return () => rmSync(file, { force: true });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
    if (isAbandoned(file)) rmSync(file, { force: true });
    else await delay(500);
  }
}

function isAbandoned(file: string): boolean {
  try {
    const owner = Number(readFileSync(file, 'utf8'));
    // An empty file is one that is being written.
    if (owner === 0) return Date.now() - statSync(file).mtimeMs > 10_000;
    process.kill(owner, 0);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH';
  }
}
