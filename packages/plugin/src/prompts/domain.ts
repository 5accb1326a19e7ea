import type { Tree } from '@nx/devkit';
import { DEFAULT_EVENTS, RealtimeError, domainNames, draftDomain } from '../domain/index.js';
import type { DomainOptions, Rooms } from '../domain/index.js';
import { HostProjects, findDomain, hostDomains } from '../host/index.js';
import { askApp, askWeb } from './apps.js';
import { askList, withoutMaker } from './list.js';
import { terminalOf } from './terminal.js';
import type { Choice, Terminal } from './terminal.js';

/** The options of `realtime-domain` that decide what is asked. */
export interface DomainAnswers extends Omit<DomainOptions, 'name' | 'rooms'> {
  readonly name?: string | undefined;
  readonly rooms?: Rooms | undefined;
  readonly standalone?: boolean | undefined;
  readonly createWeb?: boolean | undefined;
  readonly rename?: string | undefined;
  readonly from?: string | undefined;
  readonly adopt?: boolean | undefined;
}

/** Rooms that sockets join on connecting: the choice that decides who can see what. */
const ROOMS: readonly Choice<Rooms>[] = [
  {
    value: 'tenant',
    label: 'tenant: everybody of the tenant, but for events that name one user',
  },
  { value: 'user', label: 'user: only the user that the event names' },
  {
    value: 'resource',
    label: 'resource: who subscribed to a chat, an order, ... as your policy allows',
  },
  { value: 'custom', label: "custom: rooms that your function makes of the token's claims" },
];

const GRAMMAR = 'name{field,field?:type}, ...';

/**
 * Asks for what was not given. Nothing is asked of a domain that exists, nor of one that a file or
 * hand-written code describes: what is not given stays as it is there.
 *
 * @returns the options with the answers
 * @throws RealtimeError RT001 without a name where nobody can be asked; for what was given wrong
 */
export async function askDomain<T extends DomainAnswers>(
  tree: Tree,
  options: T,
): Promise<T & { readonly name: string }> {
  const terminal = terminalOf('realtime-domain');
  const name =
    options.name ??
    (await terminal?.text(
      'What is the domain called? Singular, such as Notification',
      domainNames,
    ));
  if (name === undefined) {
    throw new RealtimeError('RT001', 'The domain has no name: nx g realtime-domain Notification');
  }
  const named = { ...options, name };
  if (!terminal || options.rename !== undefined || options.from !== undefined) return named;
  const projects = new HostProjects(tree);
  if (findDomain(hostDomains(tree, projects), name)) return named;
  const apps = {
    app: options.standalone ? options.app : await askApp(terminal, projects, 'nest', options.app),
    web: options.createWeb ? options.web : await askWeb(terminal, projects, options.web),
  };
  const placed = { ...named, ...given(apps) };
  if (options.adopt) return placed;
  const rooms =
    options.rooms ?? (await terminal.select('Who receives what the server sends?', ROOMS));
  const withRooms = { ...placed, rooms };
  return { ...withRooms, ...(await askEvents(terminal, withRooms)) };
}

/** Asks for the events of a new domain, and what each of them does to the list. */
async function askEvents(
  terminal: Terminal,
  options: DomainAnswers & { readonly name: string; readonly rooms: Rooms },
): Promise<Pick<DomainAnswers, 'serverEvents' | 'clientEvents' | 'list'>> {
  const preset = DEFAULT_EVENTS[options.rooms](domainNames(options.name).camel);
  const check = (events: Partial<DomainOptions>) => draftDomain({ ...options, ...events }, null);
  const serverEvents = options.serverEvents ?? [
    await terminal.text(
      `Which events does the server send? ${GRAMMAR}`,
      (answer) => check({ serverEvents: [answer] }),
      preset,
    ),
  ];
  const list = [...(options.list ?? [])];
  // What is given on the command line is thought out.
  const typed = options.serverEvents ? [] : check({ serverEvents }).serverEvents;
  for (const event of list.length > 0 ? [] : withoutMaker(typed)) {
    const action = await askList(terminal, event, (one) =>
      check({ serverEvents, list: [...list, `${event.name}:${one}`] }),
    );
    list.push(`${event.name}:${action}`);
  }
  const clientEvents = options.clientEvents ?? [
    await terminal.text(`Which events do clients send? ${GRAMMAR} (Enter: none)`, (answer) =>
      check({ serverEvents, clientEvents: [answer] }),
    ),
  ];
  return { serverEvents, clientEvents, ...(list.length > 0 && { list }) };
}

/** Without what is undefined. */
const given = (options: Readonly<Record<string, string | undefined>>) =>
  Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
