import ejs from 'ejs';
import type { TemplateFunction } from 'ejs';
import { posix } from 'node:path';
import type { Domain } from '../domain/index.js';
import { URL_VARIABLES, tcpPortVariable } from '../host/index.js';
import type { AppFacts, HostFacts, PublisherFacts, WebFacts } from '../host/index.js';
import type { Templates } from './archive.js';
import { domainView } from './build-view.js';
import { contractsLibrary } from './contracts-library.js';
import { ejectedLibrary } from './ejected-library.js';
import { withJsExtensions } from './extensions.js';
import type { Ownership, RenderedFile, Wanted } from './files.js';
import { layOut } from './layout.js';
import { formerTemplates } from './renames.js';
import type { AppView, DomainView, PublisherView, WebView } from './view.js';

/** The auth store of a web app that has none, relative to its source root. */
const AUTH_STORE = 'stores/auth.store.ts';

/** Templates that the host gets once and then owns alone. */
const YOURS = new Set([`web/${AUTH_STORE}`]);

/** Path of an example's page for each router, below the folder of its root layout or `_app`. */
const EXAMPLE_PAGES = {
  layout: { templates: 'example/app', page: 'realtime-example/__domain__' },
  _app: { templates: 'example/pages', page: 'realtime-example' },
} as const;

/**
 * Every file that these domains need, ordered by path. Pure: the same domains, facts and templates
 * give the same files.
 *
 * @param domains all domains of the workspace: the module of an app names each of its domains
 * @param wanted leaves out all others of the files that are merged
 */
export function render(
  domains: readonly Domain[],
  host: HostFacts,
  templates: Templates,
  wanted?: Wanted,
): RenderedFile[] {
  const views = new Map(domains.map((domain) => [domain, viewOf(domain, host)]));
  const source = { templates, ...(wanted && { wanted }) };
  const libraries = wanted ? [] : [...host.contracts.values()];
  const files = [
    ...libraries.flatMap((library) => contractsLibrary(library, host)),
    ...[...host.ejected].flatMap(([kernel, root]) => [
      ...(wanted ? [] : ejectedLibrary(kernel, root, host)),
      ...renderFolder(source, `kernels/${kernel}`, `${root}/src`, {}),
    ]),
    ...domains.flatMap((domain) => renderContract(domain, viewIn(views, domain), host, source)),
    ...[...host.apps].flatMap(([name, app]) =>
      renderApp(
        app,
        domains.filter((domain) => domain.app === name),
        views,
        host,
        source,
      ),
    ),
    ...(domains.some(({ observability }) => observability)
      ? renderFolder(source, 'observability', '.', {})
      : []),
    ...host.publishers.flatMap((publisher) =>
      renderPublisher(publisher, domains, views, host, source),
    ),
    ...[...host.webs].flatMap(([name, web]) =>
      renderWeb(
        web,
        domains.filter((domain) => domain.web === name),
        views,
        source,
      ),
    ),
  ];
  files.sort((a, b) => (a.path < b.path ? -1 : 1));
  const twice = files.find(({ path }, index) => path === files[index + 1]?.path);
  if (twice) throw new Error(`${twice.path} is rendered twice`);
  return files;
}

type Views = ReadonlyMap<Domain, DomainView>;

/** Templates, and which of their files are wanted; all where it is not said. */
interface Source {
  readonly templates: Templates;
  readonly wanted?: Wanted;
}

function viewOf(domain: Domain, host: HostFacts): DomainView {
  const library = host.contracts.get(domain.contracts);
  if (!library) throw new Error(`no facts for the contract library ${domain.contracts}`);
  const { importPath, chained } = library;
  const zod = chained.has(`${domain.names.kebabPlural}.contract.ts`) ? 'zod' : 'zod/mini';
  const known = knownViews.get(domain);
  if (known?.importPath === importPath && known.view.zod === zod) return known.view;
  const view = domainView(domain, importPath, zod);
  knownViews.set(domain, { importPath, view });
  return view;
}

/** A domain is rendered several times, beside others that change. */
const knownViews = new WeakMap<
  Domain,
  { readonly importPath: string; readonly view: DomainView }
>();

function viewIn(views: Views, domain: Domain): DomainView {
  const view = views.get(domain);
  if (!view) throw new Error(`no view of ${domain.names.pascal}`);
  return view;
}

function renderContract(
  domain: Domain,
  view: DomainView,
  host: HostFacts,
  source: Source,
): RenderedFile[] {
  const root = `${host.contracts.get(domain.contracts)?.root}/src`;
  return renderFolder(source, 'contracts', root, { d: view });
}

function renderApp(
  app: AppFacts,
  domains: readonly Domain[],
  views: Views,
  host: HostFacts,
  source: Source,
): RenderedFile[] {
  const publisher = host.publishers.find(({ root }) => root === app.root);
  const view: AppView = {
    name: app.shortName,
    domains: domains.map((domain) => viewIn(views, domain)),
    requestContext: requestContextImport(app, domains),
    observability: domains.some(({ observability }) => observability),
    publisher: publisher && importOf(app.realtimeRoot, `${publisher.realtimeRoot}/publisher`),
  };
  const tested = domains.filter((domain) => !domain.skipTests && app.testRunner !== 'none');
  const files = [
    ...renderFolder(source, 'server', app.realtimeRoot, { app: view }),
    ...domains.flatMap((domain) => {
      const own = renderFolder(source, 'server', app.realtimeRoot, {
        app: view,
        d: viewIn(views, domain),
      });
      return tested.includes(domain) ? own : own.filter(({ path }) => !isTest(path));
    }),
  ];
  if (!app.esm) return files;
  return files.map((file) => ({ ...file, content: withJsExtensions(file.content) }));
}

function renderPublisher(
  publisher: PublisherFacts,
  domains: readonly Domain[],
  views: Views,
  host: HostFacts,
  source: Source,
): RenderedFile[] {
  const published = domains.filter(({ serverEvents }) => serverEvents.length > 0);
  const view = published.map((domain) => {
    const app = host.apps.get(domain.app);
    if (!app) throw new Error(`no facts for the app ${domain.app}`);
    return { ...viewIn(views, domain), tcpPort: tcpPortVariable(publisher, app, domain.app) };
  });
  const tcpPorts = [...new Set(view.map(({ tcpPort }) => tcpPort))].sort();
  const files = renderFolder(source, 'publisher', `${publisher.realtimeRoot}/publisher`, {
    publisher: { domains: view, tcpPorts },
  });
  const tested = !publisher.skipTests && publisher.testRunner !== 'none';
  return files
    .filter(({ path }) => tested || !isTest(path))
    .map((file) => (publisher.esm ? { ...file, content: withJsExtensions(file.content) } : file));
}

/** A path that a package has is imported as it is, a file from the module. */
function requestContextImport(app: AppFacts, domains: readonly Domain[]): string | undefined {
  const path = domains.find((domain) => domain.requestContext !== undefined)?.requestContext;
  if (path === undefined || path.startsWith('@')) return path;
  const file = posix.join(app.root, path.replace(/\.ts$/, ''));
  return importOf(app.realtimeRoot, file);
}

function renderWeb(
  web: WebFacts,
  domains: readonly Domain[],
  views: Views,
  source: Source,
): RenderedFile[] {
  const authStore = domains.find((domain) => domain.authStore !== undefined)?.authStore;
  const authPath =
    authStore === undefined ? `${web.sourceRoot}/${AUTH_STORE}` : `${web.root}/${authStore}`;
  const library = `${web.sourceRoot}/lib/realtime`;
  const viewFrom = (path: string, d?: DomainView): WebView => ({
    client: importOf(path, `${library}/realtime-client`),
    example: importOf(path, `${web.sourceRoot}/lib/realtime-example`),
    page: importOf(path, exampleOf(web, d?.kebabPlural ?? '')),
    authStore: importOf(path, authPath.replace(/\.[jt]sx?$/, '')),
    testRunner: web.testRunner,
    framework: web.framework,
    urlVariables: URL_VARIABLES[web.framework],
  });
  const kernel = renderFolder(source, 'web', web.sourceRoot, { web: viewFrom(library) });
  const hasExample = domains.some(({ example }) => example);
  const files = [
    ...kernel
      .filter(({ path }) => hasExample || !isExample(path))
      .map((file) => (file.path.endsWith(AUTH_STORE) ? { ...file, path: authPath } : file)),
    ...domains.flatMap((domain) => {
      const d = viewIn(views, domain);
      const own = renderFolder(source, 'web', web.sourceRoot, {
        web: viewFrom(`${web.sourceRoot}/features/${d.kebabPlural}/realtime`, d),
        d,
      }).filter(({ path }) => domain.example || !isExample(path));
      const tested = !domain.skipTests && web.testRunner !== 'none';
      return [
        ...(tested ? own : own.filter(({ path }) => !isTest(path))),
        ...(domain.example ? renderExamplePage(web, d, viewFrom, source) : []),
      ];
    }),
  ];
  if (web.framework === 'next') return files;
  return files.map((file) => ({ ...file, content: file.content.replace(USE_CLIENT, '') }));
}

/** Known to frameworks with server components alone; Rollup warns of it. */
const USE_CLIENT = /^'use client';\n\n/;

/** The page that shows the example; a React app has no routes that a file makes. */
function renderExamplePage(
  web: WebFacts,
  d: DomainView,
  viewFrom: (path: string, d: DomainView) => WebView,
  source: Source,
): RenderedFile[] {
  const [entry] = web.entries;
  if (entry === undefined || entry.kind === 'main') return [];
  const { templates: folder, page } = EXAMPLE_PAGES[entry.kind];
  const target = posix.dirname(entry.path);
  const view = viewFrom(posix.join(target, page.replace('__domain__', d.kebabPlural)), d);
  return renderFolder(source, folder, target, { web: view, d });
}

/** Without extension. */
const exampleOf = (web: WebFacts, kebabPlural: string): string =>
  `${web.sourceRoot}/features/${kebabPlural}/example/${kebabPlural}-example`;

const isExample = (path: string): boolean => /\/(?:realtime-)?example\//.test(path);

interface Scope {
  readonly app?: AppView;
  readonly publisher?: PublisherView;
  readonly web?: WebView;
  readonly d?: DomainView;
}

/**
 * The templates of one folder: with a domain those named after `__domain__`, without one the
 * others. A template that renders to nothing is a file that this domain does not need.
 */
function renderFolder(
  source: Source,
  folder: string,
  target: string,
  scope: Scope,
): RenderedFile[] {
  const files: RenderedFile[] = [];
  const { templates, wanted } = source;
  if (wanted && scope.d && !wanted.domains.has(scope.d.pascal)) return files;
  const former = formerTemplates(templates);
  for (const [path, text] of templates) {
    if (!path.startsWith(`${folder}/`)) continue;
    if (path.includes('__domain__') !== (scope.d !== undefined)) continue;
    const fileOf = (template: string): string => {
      const name = template.slice(folder.length + 1).replace(/\.ejs$/, '');
      return posix.join(target, name.replaceAll('__domain__', scope.d?.kebabPlural ?? ''));
    };
    if (wanted && !wanted.paths.has(fileOf(path))) continue;
    const content = path.endsWith('.ejs') ? laidOut(path, fill(path, text, scope)) : text;
    if (content.trim() === '') continue;
    const owner: Ownership = YOURS.has(path) ? 'yours' : 'merged';
    const formerly = former(path).map(fileOf);
    files.push({
      path: fileOf(path),
      content,
      owner,
      ...(formerly.length > 0 && { formerly }),
      ...(scope.d && { domain: scope.d.pascal }),
    });
  }
  return files;
}

/** What the module of an app holds is often what it held when it was rendered last. */
function laidOut(path: string, code: string): string {
  const last = layouts.get(path);
  if (last?.code === code) return last.text;
  const text = layOut(code);
  layouts.set(path, { code, text });
  return text;
}

const layouts = new Map<string, { readonly code: string; readonly text: string }>();

/** Renders a template. It is compiled at its first use: each domain is rendered by the same function. */
function fill(path: string, text: string, scope: Scope): string {
  try {
    const known = functions.get(text) ?? ejs.compile(text, { compileDebug: false });
    functions.set(text, known);
    return known(scope);
  } catch (cause) {
    throw new Error(`The template ${path} cannot be rendered: ${String(cause)}`, { cause });
  }
}

const functions = new Map<string, TemplateFunction>();

const isTest = (path: string): boolean => /\.spec\.tsx?$/.test(path);

function importOf(from: string, to: string): string {
  // Absolute, so that no working directory is asked for.
  const path = posix.relative(`/${from}`, `/${to}`);
  return path.startsWith('.') ? path : `./${path}`;
}
