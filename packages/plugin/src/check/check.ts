import { readNxJson } from '@nx/devkit';
import type { Tree } from '@nx/devkit';
import { isDeepStrictEqual } from 'node:util';
import { RealtimeError, compareContracts } from '../domain/index.js';
import type { Domain } from '../domain/index.js';
import { HostProjects, domainPath, hostDomains } from '../host/index.js';
import type { HostDomain, HostFacts } from '../host/index.js';
import { newerWorkspace, updateGenerated, recordedDomains } from '../pipeline/index.js';
import type { NewerWorkspace, Updated } from '../pipeline/index.js';
import {
  MANIFEST_PATH,
  STATE_FOLDER,
  basePath,
  parseManifest,
  pluginVersion,
  filesWithoutBase,
  markerLine,
} from '../reconcile/index.js';
import type { FileReport } from '../reconcile/index.js';
import {
  SYNC_GENERATOR,
  installCommand,
  kernelProblems,
  wireDependencies,
  wireHost,
} from '../wiring/index.js';
import type { Wired } from '../wiring/index.js';
import { causes } from './causes.js';
import type { Cause } from './causes.js';
import { checkContract } from './contract-gate.js';
import { checkPackage } from './packages.js';
import { record } from './recording.js';
import { unifiedDiff } from './unified-diff.js';
import type { Finding, FindingClass, Verdict } from './verdict.js';

const SYNC = 'nx sync';

/**
 * True if the workspace's code is as its domain files and the installed templates say, and whether
 * its contract breaks anybody. It is sync, done in memory: what sync would write is a finding, and
 * what the owner edited is none.
 *
 * @param original is read and changed, not flushed: nothing is written to the disk
 * @param against a git ref to compare the contract with
 * @throws RealtimeError RT070 or RT071 where that ref cannot be reached
 */
export async function checkWorkspace(
  original: Tree,
  { against }: { readonly against?: string | undefined } = {},
): Promise<Verdict> {
  const wrote = parseManifest(original.read(MANIFEST_PATH, 'utf-8')).plugin;
  const plugin = { installed: pluginVersion(), wrote };
  const projects = new HostProjects(original);
  const newer = newerWorkspace(original);
  const findings: Finding[] = newer ? [olderPlugin(newer)] : [];
  let domains: HostDomain[] = [];
  try {
    domains = hostDomains(original, projects);
    if (against !== undefined) findings.push(...checkContract(original, domains, against));
    if (domains.length > 0) findings.push(...checkRegistration(original));
    if (!newer) findings.push(...(await checkCode(original, projects, domains, plugin)));
  } catch (error) {
    if (!(error instanceof RealtimeError) || GATE_CODES.has(error.code)) throw error;
    // The older plugin need not know what the later one writes.
    if (!newer) findings.push(invalid(error, original));
  }
  findings.sort((a, b) => Number(a.level === 'info') - Number(b.level === 'info'));
  return {
    ok: findings.every(({ level }) => level === 'info'),
    plugin,
    domains: domains.length,
    ...(against === undefined ? {} : { against }),
    findings,
  };
}

/** Mistakes in how the check was called, not in what it checks. */
const GATE_CODES = new Set(['RT070', 'RT071']);

type PluginVersions = Verdict['plugin'];

const olderPlugin = ({ path, message, fix }: NewerWorkspace): Finding => ({
  class: 'plugin-older',
  level: 'error',
  path,
  message,
  fix,
});

function invalid(error: RealtimeError, tree: Tree): Finding {
  // Errors about one file name it first or on a line of its own.
  const path = error.message
    .split(/[\s:,]+/)
    .find((word) => word.includes('/') && tree.isFile(word));
  return { class: 'invalid', level: 'error', path: path ?? MANIFEST_PATH, message: error.message };
}

function checkRegistration(tree: Tree): Finding[] {
  if (readNxJson(tree)?.sync?.globalGenerators?.includes(SYNC_GENERATOR)) return [];
  return [
    {
      class: 'sync-not-registered',
      level: 'error',
      path: 'nx.json',
      message: `sync.globalGenerators does not hold "${SYNC_GENERATOR}", so nx sync and nx sync:check pass this workspace by.`,
      fix: 'nx g @nx-realtime/plugin:init',
    },
  ];
}

async function checkCode(
  original: Tree,
  projects: HostProjects,
  all: readonly HostDomain[],
  plugin: PluginVersions,
): Promise<Finding[]> {
  const domains = all.map(({ domain }) => domain);
  const known = recordedDomains(original, projects, all);
  const before = known?.length === 0 && plugin.wrote !== '' ? null : known;
  const withoutBase = new Set(filesWithoutBase(original));
  const recording = record(original);
  const { tree } = recording;
  const brought = await updateGenerated(tree, projects, all);
  const generated = recording.changes();
  const wired = domains.length > 0 ? wireHost(tree, brought.host, domains) : [];
  if (domains.length > 0) wireDependencies(tree, brought.host, domains);
  const changes = recording.changes();

  const causeOf = causes(tree, projects, before, generated, plugin);
  const foundBase: Cause = {
    class: 'base-mismatch',
    message:
      'Its base is not the one that was written last, as after a merge by git; sync finds it.',
  };
  const reasonOf = (path: string): Cause => (withoutBase.has(path) ? foundBase : causeOf(path));
  const files = brought.files.flatMap((file) => checkFile(tree, file, generated, reasonOf, all));
  const found = [...checkDomainFiles(projects, all, before ?? all), ...files];
  const stale = new Set(found.map((finding) => finding.class));
  const wiring = checkWiring(tree, wired, changes, brought, stale);
  return [
    ...found,
    ...checkSettled(found, changes, brought, before),
    ...wiring,
    ...checkKernels(original, brought.host, projects, domains, wiring),
    ...(await checkGateways(original, brought.host)),
  ];
}

/** Gateways from before, which our adapter serves otherwise than they ask for, or not at all. */
async function checkGateways(tree: Tree, { apps }: HostFacts): Promise<Finding[]> {
  const { existingGateways } = await import('../adopt/index.js');
  return [...apps.values()].flatMap((app) =>
    existingGateways(tree, app)
      .filter(({ isListed }) => isListed)
      .map(({ name, path, line, problems, isDead, isKept }): Finding =>
        isKept
          ? {
              class: 'gateway-kept',
              level: 'info',
              path,
              line,
              message: `${name} is kept as it was: no token, tenant, limit or origin is asked of its clients.`,
            }
          : {
              class: 'gateway-unserved',
              level: isDead ? 'error' : 'info',
              path,
              line,
              message: `${name} ${problems.join('; ')}.`,
              fix: 'bring it under management (nx g realtime-domain <Name> --adopt), give it a namespace and its clients a token, or name it in keepGateways of RealtimeCoreModule',
            },
      ),
  );
}

/** The kernels that are installed, as far as no package.json explains them. */
function checkKernels(
  tree: Tree,
  host: HostFacts,
  projects: HostProjects,
  domains: readonly Domain[],
  wiring: readonly Finding[],
): Finding[] {
  const roots = projects.list().map(({ root }) => root);
  const told = new Set(wiring.map((finding) => finding.class));
  return kernelProblems(tree, host, domains, roots, told.size === 0)
    .filter((problem) => !told.has(problem.class))
    .map((problem) => ({ ...problem, level: 'error' }));
}

/** A domain that is not what it was at the last run, or lies where its name does not say. */
function checkDomainFiles(
  projects: HostProjects,
  all: readonly HostDomain[],
  before: readonly HostDomain[],
): Finding[] {
  const known = new Map(before.map((old) => [old.path, old]));
  const changed = all.flatMap((now): Finding[] => {
    const old = known.get(now.path);
    known.delete(now.path);
    const target = domainPath(projects, now.domain);
    if (old && target === now.path && isDeepStrictEqual(old.domain, now.domain)) return [];
    const what = old
      ? compareContracts([old], [now]).map(({ message }) => message)
      : [`The domain ${now.domain.names.pascal} is new.`];
    const place = target === now.path ? [] : [`By its name the file belongs to ${target}.`];
    return [domainChanged(now.path, [...what, ...place])];
  });
  const removed = [...known.values()].map(({ path, domain }) =>
    domainChanged(path, [`The domain ${domain.names.pascal} was removed.`]),
  );
  return [...changed, ...removed];
}

function domainChanged(path: string, what: readonly string[]): Finding {
  const message = ['The code does not follow this file yet.', ...what].join(' ');
  return { class: 'domain-changed', level: 'error', path, message, fix: SYNC };
}

function checkFile(
  tree: Tree,
  file: FileReport,
  generated: ReadonlyMap<string, string | null>,
  causeOf: (path: string) => Cause,
  all: readonly HostDomain[],
): Finding[] {
  const { path, outcome, conflicts, from = path } = file;
  switch (outcome) {
    case 'deleted-by-owner': {
      const name = domainOf(path, all);
      return [
        {
          class: 'file-missing',
          level: 'error',
          path,
          message: 'This generated file was deleted.',
          fix: `nx g realtime-domain ${name} --restore brings it back; nx g realtime-domain ${name} --forget=${path} records that you do not want it`,
        },
      ];
    }
    case 'forgotten':
      return [
        {
          class: 'deletion-recorded',
          level: 'info',
          path,
          message: 'This generated file was deleted, and that is recorded.',
        },
      ];
    case 'removed':
      return [
        {
          class: 'orphan',
          level: 'error',
          path,
          message: 'No domain generates this file any more.',
          fix: SYNC,
        },
      ];
    case 'orphan':
      return [
        {
          class: 'orphan',
          level: 'error',
          path,
          message: 'No domain generates this file any more; it holds edits of yours.',
          fix: `move what you need elsewhere, then git rm ${path}`,
        },
      ];
    case 'base-mismatch':
      return [
        {
          class: 'base-mismatch',
          level: 'error',
          path,
          message: `${basePath(path)} is not what was written last, as after a merge by git: nothing can be merged into this file.`,
          fix: 'nx g @nx-realtime/plugin:rebase',
        },
      ];
    case 'conflict':
      if (conflicts === 0) return [leftMarkers(tree, path)];
  }
  if (!generated.has(path) && !generated.has(basePath(path))) return [];
  const cause = causeOf(path);
  const open =
    outcome === 'conflict'
      ? ` It meets your edits in ${conflicts} ${conflicts === 1 ? 'place' : 'places'}: sync leaves markers to resolve.`
      : '';
  const old = generated.get(from);
  const diff = old === undefined ? '' : unifiedDiff(path, old, tree.read(path, 'utf-8'), from);
  return [
    {
      class: cause.class,
      level: 'error',
      path,
      message: cause.message + open,
      fix: SYNC,
      ...(diff !== '' && { diff }),
    },
  ];
}

function leftMarkers(tree: Tree, path: string): Finding {
  const line = markerLine(tree.read(path, 'utf-8') ?? '');
  return {
    class: 'conflict-markers',
    level: 'error',
    path,
    ...(line > 0 && { line }),
    message: 'Conflict markers are left in this file.',
    fix: 'resolve them, yours against nx-realtime',
  };
}

/** Faults of the bookkeeping alone, as after a merge by git. */
function checkSettled(
  files: readonly Finding[],
  changes: ReadonlyMap<string, string | null>,
  { recorded }: Updated,
  before: readonly HostDomain[] | null,
): Finding[] {
  if (files.some(({ fix }) => fix === SYNC)) return [];
  const message =
    recorded && before === null
      ? 'It is not known any more what the domains were when the code was generated.'
      : !recorded && changes.has(MANIFEST_PATH)
        ? 'It holds both sides of a merge by git.'
        : null;
  if (message === null) return [];
  return [{ class: 'base-mismatch', level: 'error', path: MANIFEST_PATH, message, fix: SYNC }];
}

const LOST: Pick<Finding, 'class' | 'message'> = {
  class: 'wiring-lost',
  message: 'It does not use what is generated as it should.',
};

/** Edits of sync in the host's own files. */
function checkWiring(
  tree: Tree,
  wired: readonly Wired[],
  changes: ReadonlyMap<string, string | null>,
  { files }: Updated,
  stale: ReadonlySet<FindingClass>,
): Finding[] {
  const generated = new Set(files.flatMap(({ path, from }) => [path, from]));
  // Changed domains, and new templates, have wiring to gain; without them it was lost.
  const gains = (['domain-changed', 'templates-newer'] as const).find((name) => stale.has(name));
  const edited = [...changes].flatMap(([path, old]): Finding[] => {
    const isOurs = path.startsWith(`${STATE_FOLDER}/`) || path.endsWith('.domain.json');
    if (generated.has(path) || isOurs) return [];
    const isPackage = path.endsWith('package.json');
    const found = isPackage ? checkPackage(tree, path, old) : LOST;
    return [
      {
        class: found.class === 'wiring-lost' ? (gains ?? found.class) : found.class,
        level: 'error',
        path,
        message: found.message,
        fix: isPackage ? `${SYNC}, then ${installCommand(tree)}` : SYNC,
        diff: unifiedDiff(path, old, tree.read(path, 'utf-8')),
      },
    ];
  });
  return [...edited, ...wired.flatMap((edit) => checkUnable(tree, edit))];
}

/** Pieces that sync could not write: their owner was told what to paste, anywhere in the project. */
function checkUnable(tree: Tree, edit: Wired): Finding[] {
  if (edit.kind !== 'unable') return [];
  const symbol = /^import \{ (\w+) \}/.exec(edit.snippet)?.[1];
  if (symbol === undefined || isUsed(tree, edit.path.split('/src/')[0] ?? '.', symbol)) return [];
  return [
    {
      class: 'wiring-lost',
      level: 'error',
      path: edit.path,
      message: `${symbol} is not used in this project, and it cannot be added here: ${edit.reason}.`,
      fix: `paste into the file:\n\n${edit.snippet}\n`,
    },
  ];
}

const NO_SOURCES = new Set(['node_modules', 'dist', '.next', 'realtime', 'features']);

/** True if a source of the project, but for what is generated, names a symbol. */
function isUsed(tree: Tree, folder: string, symbol: string): boolean {
  return tree.children(folder).some((name) => {
    const path = folder === '.' ? name : `${folder}/${name}`;
    if (!tree.isFile(path)) return !NO_SOURCES.has(name) && isUsed(tree, path, symbol);
    const text = /\.[cm]?[jt]sx?$/.test(name) ? tree.read(path, 'utf-8') : null;
    return text !== null && new RegExp(`\\b${symbol}\\b`).test(text);
  });
}

/** Any domain will do for a file of the kernel. */
function domainOf(path: string, all: readonly HostDomain[]): string {
  const own = all.find(({ domain }) => path.includes(domain.names.kebabPlural)) ?? all[0];
  return own?.domain.names.pascal ?? '<domain>';
}
