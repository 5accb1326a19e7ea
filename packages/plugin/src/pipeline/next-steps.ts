import { joinPathFragments } from '@nx/devkit';
import type { Tree } from '@nx/devkit';
import { isDeepStrictEqual } from 'node:util';
import { emitLine, formatType } from '../domain/index.js';
import type { Audience, ClientEvent, Domain, Field, ServerEvent } from '../domain/index.js';
import type { AppFacts, HostFacts, HostProject, WebFacts } from '../host/index.js';
import { isUntouched } from '../reconcile/index.js';
import type { ReconcileReport } from '../reconcile/index.js';
import { readEnv } from '../wiring/index.js';
import { indented } from './lines.js';

/** Number and length of the lines about events of a kind: the report fits one screen. */
const MOST_EVENTS = 3;
const WIDTH = 80;

/** Nest's port where none is set. */
const DEFAULT_PORT = '3000';

/** A domain as this run has left it. */
export interface Done {
  readonly domain: Domain;
  /** The domain before this run. */
  readonly before: Domain | undefined;
  readonly host: HostFacts;
  readonly files: ReconcileReport;
}

/**
 * Reports what was understood of a domain, and what is to be done next: at the first run everything, later
 * the events that are new and the files that are still as generated.
 *
 * @returns lines for the screen
 */
export function domainSteps(tree: Tree, done: Done): string {
  const { domain, before, host } = done;
  const app = host.apps.get(domain.app)!;
  const web = domain.web === null ? undefined : host.webs.get(domain.web);
  const api = `http://localhost:${portOf(tree, app)}`;
  const lines = [`${domain.names.pascal} is on ${api}${domain.namespace}, rooms: ${domain.rooms}`];
  lines.push(...understood(domain, before));
  lines.push(...toFillIn(tree, done, app, web));
  if (before === undefined) lines.push(...section('See it work:', toTry(domain, app, web)));
  else if (domain.example && !before.example && web) lines.push(...exampleSteps(domain, web));
  if (before === undefined) lines.push(envFiles(tree, app, web));
  return `\n${lines.join('\n')}`;
}

export function publisherSteps({ root, shortName }: HostProject, host: HostFacts): string {
  const publisher = host.publishers.find((other) => other.root === root);
  const steps = [
    `inject RealtimePublisher<RealtimeEvents>: the class is of @nx-realtime/nest/publisher, the type of ${publisher?.realtimeRoot}/publisher/realtime-events`,
    "await publisher.publish('<event>', { tenantId, payload })",
  ];
  return `\n${shortName} publishes the events of every domain. Next:\n${indented(steps)}`;
}

/** The events of a new domain, or those that this run has added or changed. */
function understood(domain: Domain, before: Domain | undefined): string[] {
  const isNew = (event: ServerEvent | ClientEvent): boolean =>
    !before ||
    ![...before.serverEvents, ...before.clientEvents].some((held) =>
      isDeepStrictEqual(held, event),
    );
  const server = domain.serverEvents
    .filter(isNew)
    .map((event) => signature(event, ` -> ${recipients(event.audience)}`));
  const client = domain.clientEvents.filter(isNew).map((event) => signature(event, ''));
  return [...listed('The server sends', server), ...listed('Clients send', client)];
}

function listed(title: string, events: readonly string[]): string[] {
  if (events.length === 0) return [];
  if (events.length <= MOST_EVENTS) return section(`${title}:`, events);
  const shown = events.slice(0, MOST_EVENTS - 1);
  return section(`${title}:`, [...shown, `and ${events.length - shown.length} more`]);
}

/** The event in the grammar's notation, cut to a line: `notification.created{id,at:datetime,...} -> tenant` */
function signature({ name, fields }: ClientEvent, end: string): string {
  const one = (field: Field): string => {
    const type = formatType(field);
    return `${field.name}${field.optional ? '?' : ''}${type === 'string' ? '' : `:${type}`}`;
  };
  if (fields.length === 0) return `${name} (no fields)${end}`;
  const spelled = fields.map(one);
  const room = WIDTH - indented(['']).length - name.length - end.length - 2;
  let shown = spelled.join(',');
  while (shown.length > room && spelled.length > 1) {
    spelled.pop();
    shown = `${spelled.join(',')},...`;
  }
  return `${name}{${shown}}${end}`;
}

function recipients({ to, field, otherwise }: Audience): string {
  if (to === 'tenant') return 'tenant';
  const whom = to === 'custom' ? 'room' : to;
  return `${whom} in ${field}${otherwise === 'tenant' ? ', else tenant' : ''}`;
}

/** Files that do nothing of use as generated, what keeps everybody out first. */
function toFillIn(
  tree: Tree,
  { domain, before, files }: Done,
  app: AppFacts,
  web: WebFacts | undefined,
): string[] {
  const { kebabPlural } = domain.names;
  const folder = joinPathFragments(app.realtimeRoot, kebabPlural);
  const hasNew = domain.clientEvents.some(
    ({ name }) => !before?.clientEvents.some((held) => held.name === name),
  );
  const candidates: [name: string, what: string, isNew?: boolean][] = [
    ['policy', 'who may subscribe: nobody until you decide'],
    ['rooms', 'the rooms of a client: the claim "rooms" until you decide'],
    ['service', 'what client events do', hasNew],
  ];
  const own = candidates.flatMap(([name, what, isNew]) => {
    const path = joinPathFragments(folder, `${kebabPlural}.${name}.ts`);
    const isOpen = (isNew && tree.exists(path)) || isUntouched(tree, path);
    return isOpen ? [`${kebabPlural}.${name}.ts  ${what}`] : [];
  });
  const store = files.find(
    ({ path, outcome }) => outcome === 'created' && path.endsWith('auth.store.ts'),
  );
  return [
    ...section(`Yours to fill in, in ${folder}:`, own),
    ...(web && store ? [`Call setAccessToken of ${store.path} after sign-in.`] : []),
  ];
}

function toTry(domain: Domain, app: AppFacts, web: WebFacts | undefined): string[] {
  const [event] = domain.serverEvents;
  return [
    `npx nx serve ${app.name}`,
    ...(web ? [`npx nx ${web.devTarget} ${web.name}  ${web.origin}`] : []),
    ...(web && domain.example ? exampleSteps(domain, web) : []),
    'npx nx-realtime token  to sign in with',
    ...(event ? [`npx ${emitLine(event)}`] : []),
    ...(web && !domain.example
      ? [`npx nx g realtime-domain ${domain.names.pascal} --example  adds a page that shows it`]
      : ['npx nx-realtime listen  prints what a user receives']),
  ];
}

/** Tells where the example is: at its route, or where its owner puts it. */
function exampleSteps({ names }: Domain, web: WebFacts): string[] {
  const [entry] = web.entries;
  const page = `realtime-example/${names.kebabPlural}`;
  if (entry === undefined || entry.kind === 'main') {
    const component = `<${names.pascalPlural}Example />`;
    const file = `${web.sourceRoot}/features/${names.kebabPlural}/example/${names.kebabPlural}-example`;
    return [
      `import { ${names.pascalPlural}Example } from ${file}, and render`,
      web.reactRouter ? `<Route path="/${page}" element={${component}} />` : component,
    ];
  }
  const folders = entry.path
    .slice(web.root.length + 1)
    .split('/')
    .slice(0, -1);
  const segments = folders.slice(folders[0] === 'src' ? 2 : 1).filter((name) => !/^\(/.test(name));
  return [`open ${[web.origin, ...segments, page].join('/')}`];
}

function envFiles(tree: Tree, app: AppFacts, web: WebFacts | undefined): string {
  const paths = [app.root, ...(web ? [web.root] : [])]
    .map((root) => joinPathFragments(root, '.env.local'))
    .filter((path) => tree.exists(path));
  return `Env files: ${paths.join(', ')} (a new clone: npx nx-realtime env)`;
}

function portOf(tree: Tree, { root }: AppFacts): string {
  const text = tree.read(joinPathFragments(root, '.env.local'), 'utf-8') ?? '';
  return readEnv(text)['PORT'] ?? DEFAULT_PORT;
}

const section = (title: string, lines: readonly string[]): string[] =>
  lines.length === 0 ? [] : [title, indented(lines)];
