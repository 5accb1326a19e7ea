import type { Tree } from '@nx/devkit';
import { RealtimeError, compareContracts, readDomain } from '../domain/index.js';
import type { Contract, ContractChange } from '../domain/index.js';
import type { HostDomain } from '../host/index.js';
import { domainFilesAt } from './git.js';
import type { FileAt } from './git.js';
import type { Finding } from './verdict.js';

/**
 * Compares the domains with those of a commit. A file of that commit that cannot be read is an
 * error: what was not compared is not passed.
 *
 * @throws RealtimeError RT070 or RT071 where the commit cannot be reached
 */
export function checkContract(tree: Tree, domains: readonly HostDomain[], ref: string): Finding[] {
  const findings: Finding[] = [];
  const before = domainFilesAt(tree.root, ref).flatMap((file): Contract[] => {
    const read = readContract(file);
    if ('path' in read) return [read];
    findings.push({
      class: 'contract-unreadable',
      level: 'error',
      path: file.path,
      message: `At ${ref} this domain file could not be read: ${read.message}`,
      fix: `Compare with a commit in which it is valid.`,
    });
    return [];
  });
  const unreadable = new Set(findings.map(({ path }) => path));
  const after = domains.filter(({ path }) => !unreadable.has(path));
  return [
    ...findings,
    ...compareContracts(before, after).map((change) => toFinding(tree, change, ref)),
  ];
}

function readContract({ path, text }: FileAt): Contract | RealtimeError {
  try {
    return { path, domain: readDomain(path, text) };
  } catch (error) {
    if (error instanceof RealtimeError) return error;
    throw error;
  }
}

function toFinding(
  tree: Tree,
  { breaking, path, message, ...change }: ContractChange,
  ref: string,
): Finding {
  const line = lineOf(tree.read(path, 'utf-8'), change.event);
  const { rule, domain, event, field } = change;
  return {
    class: breaking ? 'contract-broken' : 'contract-changed',
    level: breaking ? 'error' : 'info',
    path,
    ...(line === undefined ? {} : { line }),
    message: `${message} (since ${ref})`,
    ...(breaking && {
      fix: 'Keep it, or add an event beside it and remove this one when nobody uses it any more.',
    }),
    change: { rule, domain, ...(event && { event }), ...(field && { field }) },
  };
}

/** Line of the event in the domain file. */
function lineOf(text: string | null, event: string | undefined): number | undefined {
  const at = event === undefined ? -1 : (text?.indexOf(`"${event}"`) ?? -1);
  return at < 0 ? undefined : text?.slice(0, at).split('\n').length;
}
