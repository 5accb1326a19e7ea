import type { Tree } from '@nx/devkit';
import { isDeepStrictEqual } from 'node:util';
import { renameDomainWords, renameEventWords } from '../domain/index.js';
import type { Domain, Renamed, RenameWord } from '../domain/index.js';
import { detectHost } from '../host/index.js';
import type { HostDomain, HostFacts, HostProjects } from '../host/index.js';
import type { Renaming } from '../reconcile/index.js';

/** One domain as the code has it and as it is to be. */
export interface DomainChange {
  readonly before: Domain;
  readonly after: Domain;
  /** Events of it that have another name, full before and after. */
  readonly events: readonly Renamed[];
}

/** Renames of files and words of generated code that follow from these changes; nothing where none does. */
export function renamingOf(
  tree: Tree,
  projects: HostProjects,
  changes: readonly DomainChange[],
): Renaming | undefined {
  const moves = changes.flatMap((change) => movesOf(tree, projects, change));
  const renamings = changes.flatMap(({ before, after, events }): RenameWord[] => [
    ...[...events, ...keptEvents(before, after, events)].map((event) =>
      renameEventWords(event, before.names, after.names),
    ),
    ...(before.names.pascal === after.names.pascal
      ? []
      : [renameDomainWords(before.names, after.names)]),
  ]);
  if (moves.length === 0 && renamings.length === 0) return undefined;
  return {
    pathBefore: (path) => moves.reduce((moved, move) => move(moved), path),
    renameWord: (word) => renamings.flatMap((renameWord) => renameWord(word)),
  };
}

/** In a domain of another name, events that keep theirs: what it is called in code changes too. */
function keptEvents(before: Domain, after: Domain, events: readonly Renamed[]): Renamed[] {
  if (before.names.pascal === after.names.pascal) return [];
  const renamed = new Set(events.map(({ from }) => from));
  return [...before.serverEvents, ...before.clientEvents]
    .filter(({ name }) => !renamed.has(name))
    .map(({ name }) => ({ from: name, to: name }));
}

/** From where the files of a domain are to where they were. */
function movesOf(
  tree: Tree,
  projects: HostProjects,
  { before, after }: DomainChange,
): ((path: string) => string)[] {
  const isSame = (['app', 'web', 'contracts'] as const).every((key) => before[key] === after[key]);
  if (isSame && before.names.pascal === after.names.pascal) return [];
  const [from, to] = [before, after].map((domain) =>
    foldersOf(domain, detectHost(tree, projects, [domain])),
  ) as [Folders, Folders];
  const [old, now] = [before.names.kebabPlural, after.names.kebabPlural];
  return (Object.keys(to) as (keyof Folders)[]).flatMap((kind) => {
    const [source, target] = [from[kind], to[kind]];
    if (source === null || target === null || source === target) return [];
    return [
      (path: string): string =>
        path.startsWith(target) ? source + path.slice(target.length).replaceAll(now, old) : path,
    ];
  });
}

/** Folders of a domain's files. */
interface Folders {
  readonly server: string;
  readonly web: string | null;
  readonly contract: string;
}

function foldersOf({ names, app, web, contracts }: Domain, host: HostFacts): Folders {
  const { kebabPlural } = names;
  const facts = web === null ? undefined : host.webs.get(web);
  return {
    server: `${host.apps.get(app)?.realtimeRoot}/${kebabPlural}/`,
    web: facts ? `${facts.sourceRoot}/features/${kebabPlural}/` : null,
    contract: `${host.contracts.get(contracts)?.root}/src/${kebabPlural}.contract.ts`,
  };
}

/**
 * Changes of names by edits of domain files: the name of a domain, its projects,
 * and events that stand where others stood, with the same payload.
 *
 * @param recorded the domains as they were rendered last, by the path of their files
 * @param except a domain of which it is known
 */
export function editedDomains(
  recorded: readonly HostDomain[],
  domains: readonly HostDomain[],
  except: Domain | undefined,
): DomainChange[] {
  const before = new Map(recorded.map(({ path, domain }) => [path, domain]));
  return domains.flatMap(({ path, domain: after }): DomainChange[] => {
    const old = after === except ? undefined : before.get(path);
    return old ? [{ before: old, after, events: renamedEvents(old, after) }] : [];
  });
}

function renamedEvents(before: Domain, after: Domain): Renamed[] {
  return (['serverEvents', 'clientEvents'] as const).flatMap((section) => {
    const [old, now] = [before[section], after[section]];
    if (old.length !== now.length) return [];
    const changed = old.flatMap((from, index) => {
      const to = now[index]!;
      return from.name === to.name ? [] : [{ from, to }];
    });
    const isRename = changed.every(
      ({ from, to }) =>
        isDeepStrictEqual({ ...from, name: '' }, { ...to, name: '' }) &&
        !now.some(({ name }) => name === from.name) &&
        !old.some(({ name }) => name === to.name),
    );
    return isRename ? changed.map(({ from, to }) => ({ from: from.name, to: to.name })) : [];
  });
}
