import type { Tree } from '@nx/devkit';
import { RealtimeError, changeEvent, readDraft } from '../domain/index.js';
import type { EventChange } from '../domain/index.js';
import { HostProjects, fileOf, hostDomains, requireDomain } from '../host/index.js';
import type { HostDomain } from '../host/index.js';
import { askList, withoutMaker } from './list.js';
import { terminalOf } from './terminal.js';
import type { Terminal } from './terminal.js';

/** The options of `realtime-event`, of which none may be given. */
export type EventAnswers = Omit<EventChange, 'event'> & {
  readonly domain?: string | undefined;
  readonly event?: string | undefined;
};

/**
 * Asks for the domain and the event that were not given.
 *
 * @returns the options with the answers
 * @throws RealtimeError RT050 or RT052 without them where nobody can be asked
 */
export async function askEvent<T extends EventAnswers>(
  tree: Tree,
  options: T,
): Promise<T & { readonly domain: string; readonly event: string }> {
  const { domain: named, event: stated } = options;
  if (named !== undefined && stated !== undefined) {
    return { ...options, domain: named, event: stated };
  }
  const terminal = terminalOf('realtime-event');
  const domains = hostDomains(tree, new HostProjects(tree));
  const domain = named ?? (await askDomainName(terminal, domains, 'Of which domain?'));
  if (stated !== undefined) return { ...options, domain, event: stated };
  if (!terminal) {
    throw new RealtimeError(
      'RT052',
      `Which event of ${domain}? nx g realtime-event ${domain} 'created{id,message}'`,
    );
  }
  const existing = requireDomain(domains, domain);
  const file = fileOf(tree, existing);
  const { serverEvents, clientEvents } = existing.domain;
  if (options.remove || options.rename !== undefined) {
    const names = [...serverEvents, ...clientEvents].map(({ name }) => name);
    const choices = names.map((value) => ({ value }));
    return { ...options, domain, event: await terminal.select('Which event?', choices) };
  }
  const direction =
    options.direction ??
    (await terminal.select('Who sends it?', [
      { value: 'server', label: 'server: the server to its clients' },
      { value: 'client', label: 'client: a client to the server, which acknowledges it' },
    ]));
  const draft = (event: string, list = options.list) => {
    const changed = changeEvent(file, { ...options, direction, event, ...(list && { list }) });
    return readDraft(existing.path, changed.file);
  };
  const event = await terminal.text('Which event? name{field,field?:type}', draft);
  const answers = { ...options, domain, direction, event };
  const [added] = withoutMaker(draft(event).serverEvents).filter(
    ({ name }) => !serverEvents.some((held) => held.name === name),
  );
  if (!added || options.list !== undefined) return answers;
  return { ...answers, list: await askList(terminal, added, (list) => draft(event, list)) };
}

/**
 * The domain that a person chooses.
 *
 * @throws RealtimeError RT050 where there is none, or nobody can be asked
 */
export async function askDomainName(
  terminal: Terminal | null,
  domains: readonly HostDomain[],
  question: string,
): Promise<string> {
  const names = domains.map(({ domain }) => domain.names.pascal);
  if (terminal && names.length > 0) {
    return terminal.select(
      question,
      names.map((value) => ({ value })),
    );
  }
  throw new RealtimeError(
    'RT050',
    names.length > 0
      ? `Which domain? There are: ${names.join(', ')}.`
      : 'There is no realtime domain yet. Create one: nx g realtime-domain Notification',
  );
}
