import type { Tree } from '@nx/devkit';
import { RealtimeError, checkDomains, checkPublished } from '../domain/index.js';
import type { Renamed } from '../domain/index.js';
import { detectApp, detectHost, formerPublishers } from '../host/index.js';
import type { HostDomain, HostFacts, HostProjects } from '../host/index.js';
import { reconcile } from '../reconcile/index.js';
import type { ReconcileOptions, ReconcileReport } from '../reconcile/index.js';
import { loadTemplates, render } from '../render/index.js';
import { renameImports, unwireHost } from '../wiring/index.js';
import type { Use, Wired } from '../wiring/index.js';
import { recordDomains, recordedDomains } from './domain-bases.js';
import { findBases } from './rebase.js';
import { editedDomains, renamingOf } from './renaming.js';
import type { DomainChange } from './renaming.js';

/** Outcomes of the generated files, and of the code that uses them. */
export interface Updated {
  readonly host: HostFacts;
  readonly files: ReconcileReport;
  /** True if a domain is not what it was at the last run. */
  readonly recorded: boolean;
  /** What stays in RabbitMQ of an app that serves a domain no more. */
  readonly leftBehind: readonly string[];
  /** Renames by edits of domain files. */
  readonly renamed: readonly Renamed[];
  /** Code of the host that follows a rename. */
  readonly followed: readonly string[];
  /** Its lines that name what is no longer there. */
  readonly behind: readonly Use[];
  /** Wiring of files that are no more. */
  readonly unwired: readonly Wired[];
}

/**
 * The steps that every command shares: detect the host, render its domains, reconcile the result.
 * A domain, an event or a project that has another name takes its files and its owners' edits along;
 * what is no longer generated is no longer wired.
 *
 * @param change what the command itself has changed
 * @param ejected the kernels whose sources the workspace is to own, where that changes
 * @throws RealtimeError for domains that clash, or files in the way; nothing is written then
 */
export async function updateGenerated(
  tree: Tree,
  projects: HostProjects,
  all: readonly HostDomain[],
  options: ReconcileOptions = {},
  change?: DomainChange,
  ejected?: HostFacts['ejected'],
): Promise<Updated> {
  const domains = all.map(({ domain }) => domain);
  checkDomains(all);
  const detected = detectHost(tree, projects, domains);
  const host = ejected ? { ...detected, ejected } : detected;
  if (host.publishers.length > 0) checkPublished(domains);
  await findBases(tree, projects, all, false);
  const before = recordedDomains(tree, projects, all) ?? [];
  const edited = editedDomains(before, all, change?.after);
  const changes = [...(change ? [change] : []), ...edited];
  const renaming = renamingOf(tree, projects, changes);
  const files = await reconcile(tree, render(domains, host, loadTemplates(host)), {
    ...options,
    renaming,
  });
  const removed = removedFiles(files);
  const former = formerPublishers(projects, removed).map((project) => ({
    ...detectApp(tree, project),
    skipTests: false,
  }));
  const moved = movedFiles(files, renaming !== undefined);
  const followed =
    moved.size > 0
      ? renameImports(tree, host, moved, renaming?.renameWord ?? (() => []))
      : { changed: [], left: [] };
  return {
    host,
    files,
    recorded: recordDomains(tree, projects, domains),
    leftBehind: leftQueues(changes, host, removed),
    renamed: edited.flatMap((one) => [
      ...(one.before.names.pascal === one.after.names.pascal
        ? []
        : [{ from: one.before.names.pascal, to: one.after.names.pascal }]),
      ...one.events,
    ]),
    followed: followed.changed,
    behind: followed.left,
    unwired:
      removed.length === 0
        ? []
        : unwireHost(
            tree,
            { ...(hostOf(tree, projects, before) ?? host), publishers: former },
            removed,
          ),
  };
}

/** RabbitMQ keeps the queue of an app, bound, that serves no domain any more, or that one less. */
function leftQueues(
  changes: readonly DomainChange[],
  host: HostFacts,
  removed: readonly string[],
): string[] {
  const moved = changes
    .map(({ before, after }) => (before.app === after.app ? undefined : host.apps.get(before.app)))
    .flatMap((app) => (app ? [app.shortName] : []));
  const gone = removed.flatMap(
    (path) => /([^/]+)\/src\/realtime\/realtime\.module\.ts$/.exec(path)?.[1] ?? [],
  );
  return [
    ...[...new Set(moved)].map(
      (name) =>
        `the queue of ${name} stays bound to the events that moved: delete these bindings once no old replica runs`,
    ),
    ...gone.map(
      (name) =>
        `the queue of ${name} stays bound, and fills: delete it once no old replica runs; where another app takes its place, REALTIME_FORMER_NAMES=${name} has that say so at boot`,
    ),
  ];
}

/** Facts that these domains were rendered for, as far as they are still there. */
function hostOf(
  tree: Tree,
  projects: HostProjects,
  domains: readonly HostDomain[],
): HostFacts | null {
  try {
    return detectHost(
      tree,
      projects,
      domains.map(({ domain }) => domain),
    );
  } catch (error) {
    if (error instanceof RealtimeError) return null;
    throw error;
  }
}

/** Old path to new one of every file that has another path or, where words changed, was written. */
function movedFiles(files: ReconcileReport, isRespelled: boolean): Map<string, string> {
  return new Map(
    files
      .filter(({ written, from }) => from !== undefined || (isRespelled && written))
      .map(({ path, from = path }) => [from, path]),
  );
}

/** Paths of files that were generated until now. */
function removedFiles(files: ReconcileReport): string[] {
  return files.flatMap(({ path, outcome, from }) =>
    outcome === 'removed' ? [path] : from === undefined ? [] : [from],
  );
}
