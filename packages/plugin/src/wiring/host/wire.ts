import { joinPathFragments } from '@nx/devkit';
import type { Tree } from '@nx/devkit';
import { posix } from 'node:path';
import type { Domain } from '../../domain/index.js';
import type { AppFacts, HostFacts, WebFacts } from '../../host/index.js';
import {
  addModuleImport,
  addSetupCall,
  addShutdownHooks,
  EMPTY_APP,
  mountInApp,
  mountInLayout,
  mountInMain,
} from '../text/index.js';
import { wireCacheInputs } from './cache-inputs.js';
import { wireContracts } from './contracts.js';
import { editFile } from './edit.js';
import type { Wired } from './edit.js';
import { wireTarballs } from './packages.js';

/**
 * Makes the host use what was generated, by syntax edits in files that it owns. A file whose shape
 * is not recognised is left as it is, and the result says what to paste.
 */
export function wireHost(tree: Tree, host: HostFacts, domains: readonly Domain[]): Wired[] {
  return [
    ...[...host.apps.values()].flatMap((app) => wireApp(tree, app)),
    ...host.publishers.flatMap((publisher) => wirePublisher(tree, host, publisher)),
    ...wireContracts(tree, host, domains),
    ...wireCacheInputs(tree, host),
    ...wireTarballs(tree, host),
    ...domains.flatMap((domain) => {
      const web = domain.web === null ? undefined : host.webs.get(domain.web);
      return web === undefined || domain.skipMount ? [] : mountProvider(tree, web, domain);
    }),
  ];
}

function wireApp(tree: Tree, app: AppFacts): Wired[] {
  const from = '@nx-realtime/nest';
  return [
    wireModule(tree, app, 'RealtimeModule', 'realtime.module'),
    editFile(tree, app.main, (text) => addSetupCall(text, { symbol: 'setupRealtime', from })),
  ];
}

/** The app that serves domains has its shutdown hooks from setupRealtime. */
function wirePublisher(tree: Tree, host: HostFacts, publisher: AppFacts): Wired[] {
  const serves = [...host.apps.values()].some(({ root }) => root === publisher.root);
  return [
    wireModule(tree, publisher, 'RealtimeEventsModule', 'publisher/realtime-events'),
    ...(serves ? [] : [editFile(tree, publisher.main, addShutdownHooks)]),
  ];
}

/** A module that was not found is reported like one whose shape is not known. */
function wireModule(tree: Tree, app: AppFacts, symbol: string, target: string): Wired {
  const module = app.module ?? joinPathFragments(app.sourceRoot, 'app/app.module.ts');
  const from = importOf(app, module, target);
  return editFile(tree, module, (text) => addModuleImport(text, { symbol, from }));
}

function importOf(app: AppFacts, file: string, target: string): string {
  return importPath(file, joinPathFragments(app.realtimeRoot, target)) + (app.esm ? '.js' : '');
}

const MOUNT = { layout: mountInLayout, _app: mountInApp, main: mountInMain };

function mountProvider(tree: Tree, web: WebFacts, domain: Domain): Wired[] {
  const { kebabPlural, pascalPlural } = domain.names;
  const provider = `${web.sourceRoot}/features/${kebabPlural}/realtime/${kebabPlural}-provider`;
  return web.entries.map(({ path, kind }) => {
    const wanted = { symbol: `${pascalPlural}Provider`, from: importPath(path, provider) };
    const missing = kind === '_app' && !tree.exists(path);
    return editFile(tree, path, (text) => MOUNT[kind](missing ? EMPTY_APP : text, wanted));
  });
}

function importPath(file: string, target: string): string {
  const path = posix.relative(posix.dirname(file), target);
  return path.startsWith('.') ? path : `./${path}`;
}
