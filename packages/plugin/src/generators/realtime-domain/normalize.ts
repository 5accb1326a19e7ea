import type { Tree } from '@nx/devkit';
import { existsSync, readFileSync } from 'node:fs';
import { RealtimeError, parseDomainFile, renameDomain } from '../../domain/index.js';
import type { DomainFile, Renamed } from '../../domain/index.js';
import type { HostDomain } from '../../host/index.js';
import type { RealtimeDomainSchema } from './schema.js';

/** The options once the name is known. */
type Named = RealtimeDomainSchema & { readonly name: string };

/** The options as given, without those that say nothing: `--serverEvents=`. */
export function normalize(schema: RealtimeDomainSchema): RealtimeDomainSchema {
  const answered = Object.entries(schema).filter(([, value]) =>
    Array.isArray(value) ? value.some((item) => item !== '') : value !== '',
  );
  return Object.fromEntries(answered) as unknown as RealtimeDomainSchema;
}

/**
 * The base that flags are laid over: the file given by `--from`, over the domain's own file or
 * what was derived from the code that `--adopt` takes.
 *
 * @throws RealtimeError RT006 or RT009
 */
function domainFileOf(
  tree: Tree,
  options: Named,
  existing: HostDomain | undefined,
  derived: DomainFile | null,
): DomainFile | null {
  const current = existing
    ? parseDomainFile(existing.path, tree.read(existing.path, 'utf-8') ?? '')
    : derived;
  if (options.from === undefined) return current;
  const text =
    tree.read(options.from, 'utf-8') ??
    (existsSync(options.from) ? readFileSync(options.from, 'utf-8') : null);
  if (text === null) throw new RealtimeError('RT009', `--from: there is no file ${options.from}.`);
  return { ...current, ...parseDomainFile(options.from, text) };
}

/**
 * The domain's name and what the flags are laid over, after `--rename`.
 *
 * @throws RealtimeError RT050 for a rename of a domain that is not there
 */
export function renamedFile(
  tree: Tree,
  options: Named,
  existing: HostDomain | undefined,
  derived: DomainFile | null = null,
): { name: string; file: DomainFile | null; renamed: readonly Renamed[] } {
  const file = domainFileOf(tree, options, existing, derived);
  if (options.rename === undefined) return { name: options.name, file, renamed: [] };
  if (!existing || !file) {
    throw new RealtimeError('RT050', `--rename: there is no realtime domain "${options.name}".`);
  }
  const changed = renameDomain(file, options.rename);
  return { name: changed.file.name, ...changed };
}
