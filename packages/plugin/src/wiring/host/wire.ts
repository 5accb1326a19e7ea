import { joinPathFragments } from '@nx/devkit';
import type { Tree } from '@nx/devkit';
import { posix } from 'node:path';
import type { Domain } from '../../domain/index.js';
import type { AppFacts, HostFacts, WebFacts } from '../../host/index.js';
import { addModuleImport, addSetupCall, mountInApp, mountInLayout } from '../text/index.js';
import { wireContracts } from './contracts.js';
import { editFile } from './edit.js';
import type { Wired } from './edit.js';

/**
 * Makes the host use what was generated, by syntax edits in files that it owns. A file whose shape
 * is not recognised is left as it is, and the result says what to paste.
 */
export function wireHost(tree: Tree, host: HostFacts, domains: readonly Domain[]): Wired[] {
  return [
    ...[...host.apps.values()].flatMap((app) => wireApp(tree, app)),
    ...wireContracts(tree, host, domains),
    ...domains.flatMap((domain) => {
      const web = domain.web === null ? undefined : host.webs.get(domain.web);
      return web === undefined || domain.skipMount ? [] : [mountProvider(tree, web, domain)];
    }),
  ];
}

function wireApp(tree: Tree, app: AppFacts): Wired[] {
  const importOf = (file: string, target: string): string =>
    importPath(file, joinPathFragments(app.realtimeRoot, target)) + (app.esm ? '.js' : '');
  // A module that was not found is reported like one whose shape is not known.
  const module = app.module ?? joinPathFragments(app.sourceRoot, 'app/app.module.ts');
  return [
    editFile(tree, module, (text) =>
      addModuleImport(text, {
        symbol: 'RealtimeModule',
        from: importOf(module, 'realtime.module'),
      }),
    ),
    editFile(tree, app.main, (text) =>
      addSetupCall(text, { symbol: 'setupRealtime', from: importOf(app.main, 'setup-realtime') }),
    ),
  ];
}

function mountProvider(tree: Tree, web: WebFacts, domain: Domain): Wired {
  const { kebabPlural, pascalPlural } = domain.names;
  const { path, router } = web.layout ?? {
    path: joinPathFragments(web.sourceRoot, 'app/layout.tsx'),
    router: 'app',
  };
  const provider = `${web.sourceRoot}/features/${kebabPlural}/realtime/${kebabPlural}-provider`;
  const wanted = { symbol: `${pascalPlural}Provider`, from: importPath(path, provider) };
  return editFile(tree, path, (text) =>
    router === 'app' ? mountInLayout(text, wanted) : mountInApp(text, wanted),
  );
}

function importPath(file: string, target: string): string {
  const path = posix.relative(posix.dirname(file), target);
  return path.startsWith('.') ? path : `./${path}`;
}
