import { joinPathFragments } from '@nx/devkit';
import type { Tree } from '@nx/devkit';
import type { AppFacts } from '../host/index.js';
import { ensureEnv, parse } from '../wiring/index.js';
import type { Source } from '../wiring/index.js';
import { hasProperty, optionsOf } from './code.js';
import type { ExistingGateway } from './existing-gateways.js';
import { importPath } from './moved-code.js';

/** Path of our Socket.IO server where a kept gateway has the usual one of the app's port. */
const PATH = '/realtime';

/**
 * Leaves gateways that the app had before on servers of their own, by `keepGateways` in the generated module. Where
 * one is on the usual path of the app's port, our server and the browsers move to a path of their own.
 *
 * @param clients files that make the browsers' connections
 * @returns gateways that the module cannot name, which lose what they lose
 */
export function keepGateways(
  tree: Tree,
  gateways: readonly ExistingGateway[],
  app: AppFacts,
  clients: readonly string[],
): ExistingGateway[] {
  const path = joinPathFragments(app.realtimeRoot, 'realtime.module.ts');
  const added = gateways.filter(({ isKept }) => !isKept);
  const named = added.filter((one) => exportOf(tree, one) !== null);
  const left = added.filter((one) => !named.includes(one));
  const source = sourceOf(tree, path);
  const options = source && optionsOf(source, 'forRoot');
  if (named.length === 0) return left;
  if (!source || !options || hasProperty(options, 'keepGateways')) return added;
  const { edits, eol, program } = source;
  const last = program.body.findLast(({ type }) => type === 'ImportDeclaration');
  if (!last) return added;
  for (const one of named) {
    const from = importPath(path, one.path, app);
    edits.appendLeft(last.end, `${eol}import ${exportOf(tree, one)} from '${from}';`);
  }
  const names = named.map(({ name }) => name).join(', ');
  edits.appendLeft(
    options.end - 1,
    `  // As they were before: no token is asked for, and no limit holds.${eol}      keepGateways: [${names}],${eol}    `,
  );
  tree.write(path, edits.toString());
  if (!named.some(({ isOnOurPath }) => isOnOurPath)) return left;
  for (const file of ['.env.example', '.env.local']) {
    const env = joinPathFragments(app.root, file);
    const result = ensureEnv(tree.read(env, 'utf-8') ?? '', [
      { key: 'REALTIME_PATH', value: PATH },
    ]);
    if (result.kind === 'done') tree.write(env, result.text);
  }
  clients.forEach((client) => moveBrowser(tree, client));
  return left;
}

/** The clause that imports its class; null where its file exports it by no name. */
function exportOf(tree: Tree, { path, name }: ExistingGateway): string | null {
  const text = tree.read(path, 'utf-8') ?? '';
  if (new RegExp(`^export (?:abstract )?class ${name}\\b`, 'm').test(text)) return `{ ${name} }`;
  if (new RegExp(`^export default class ${name}\\b`, 'm').test(text)) return name;
  return new RegExp(`^export \\{[^}]*\\b${name}\\b(?! as)[^}]*\\}`, 'm').test(text)
    ? `{ ${name} }`
    : null;
}

function moveBrowser(tree: Tree, client: string): void {
  const source = sourceOf(tree, client);
  const options = source && optionsOf(source, 'createRealtime');
  if (!options || hasProperty(options, 'path')) return;
  source.edits.appendLeft(options.start + 1, `${source.eol}  path: '${PATH}',`);
  tree.write(client, source.edits.toString());
}

function sourceOf(tree: Tree, path: string): Source | null {
  const source = parse(tree.read(path, 'utf-8') ?? '', 'file.ts');
  return typeof source === 'string' ? null : source;
}
