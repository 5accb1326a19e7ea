import type { Tree } from '@nx/devkit';
import { existsSync, readFileSync } from 'node:fs';
import { RealtimeError, parseDomainFile } from '../../domain/index.js';
import type { DomainFile } from '../../domain/index.js';
import type { HostDomain } from '../../host/index.js';
import type { RealtimeDomainSchema } from './schema.js';

/** The options as given, without the empty answers that prompts leave. */
export function normalize(schema: RealtimeDomainSchema): RealtimeDomainSchema {
  const answered = Object.entries(schema).filter(([, value]) =>
    Array.isArray(value) ? value.some((item) => item !== '') : value !== '',
  );
  return Object.fromEntries(answered) as unknown as RealtimeDomainSchema;
}

/**
 * What the flags are laid over: the file given by `--from`, else the domain's own file.
 *
 * @throws RealtimeError RT006 or RT009
 */
export function domainFileOf(
  tree: Tree,
  options: RealtimeDomainSchema,
  existing: HostDomain | undefined,
): DomainFile | null {
  const current = existing
    ? parseDomainFile(existing.path, tree.read(existing.path, 'utf-8') ?? '')
    : null;
  if (options.from === undefined) return current;
  const text =
    tree.read(options.from, 'utf-8') ??
    (existsSync(options.from) ? readFileSync(options.from, 'utf-8') : null);
  if (text === null) throw new RealtimeError('RT009', `--from: there is no file ${options.from}.`);
  return { ...current, ...parseDomainFile(options.from, text) };
}
