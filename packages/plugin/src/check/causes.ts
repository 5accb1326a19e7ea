import type { Tree } from '@nx/devkit';
import { RealtimeError } from '../domain/index.js';
import { detectHost } from '../host/index.js';
import type { HostDomain, HostProjects } from '../host/index.js';
import { basePath } from '../reconcile/index.js';
import { loadTemplates, render } from '../render/index.js';
import type { Verdict } from './verdict.js';

/** Reasons why a file differs from what would be generated now. */
export interface Cause {
  readonly class: 'domain-changed' | 'templates-newer' | 'base-mismatch';
  readonly message: string;
}

/**
 * Tells a changed domain file from changed templates: the domains of the last run are rendered with
 * the templates of now. What differs from the base came with the templates, what differs from the
 * text of now with the domain files. Rendered at the first question alone.
 *
 * @param before the domains of the last run; null when they are not known: then versions decide
 * @param generated the old text of each file that a sync would change
 */
export function causes(
  tree: Tree,
  projects: HostProjects,
  before: readonly HostDomain[] | null,
  generated: ReadonlyMap<string, string | null>,
  { installed, wrote }: Verdict['plugin'],
): (path: string) => Cause {
  const byTemplates: Cause = {
    class: 'templates-newer',
    message:
      installed === wrote
        ? 'It is generated differently now: the templates changed, or the project that they are made for.'
        : `@nx-realtime/plugin ${installed} generates it differently than ${wrote || 'the one that did'}.`,
  };
  const byDomain: Cause = {
    class: 'domain-changed',
    message: 'It does not follow the domain files yet.',
  };
  const both: Cause = { ...byDomain, message: `${byDomain.message} ${byTemplates.message}` };
  let rendered: ReadonlyMap<string, string> | null | undefined;
  return (path) => {
    rendered ??= renderLast(tree, projects, before);
    if (!rendered) return installed === wrote ? byDomain : byTemplates;
    const base = basePath(path);
    const last = rendered.get(path);
    const old = generated.get(base) ?? null;
    if (old === null) return last === undefined ? byDomain : byTemplates;
    const templates = last !== undefined && !same(last, old);
    const domain = last === undefined || !same(last, tree.read(base, 'utf-8') ?? '');
    return templates ? (domain ? both : byTemplates) : byDomain;
  };
}

function renderLast(
  tree: Tree,
  projects: HostProjects,
  before: readonly HostDomain[] | null,
): ReadonlyMap<string, string> | null {
  if (before === null || before.length === 0) return null;
  const domains = before.map(({ domain }) => domain);
  try {
    const host = detectHost(tree, projects, domains);
    const files = render(domains, host, loadTemplates(host));
    return new Map(files.map(({ path, content }) => [path, content]));
  } catch (error) {
    // An app of theirs is gone.
    if (error instanceof RealtimeError) return null;
    throw error;
  }
}

const same = (a: string, b: string): boolean =>
  a.replaceAll('\r\n', '\n') === b.replaceAll('\r\n', '\n');
