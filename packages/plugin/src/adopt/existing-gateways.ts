import type { Tree } from '@nx/devkit';
import type { ArrayExpression, Expression, Node, ObjectProperty } from 'oxc-parser';
import { findAll, isClass } from '../wiring/index.js';
import { AppCode, decoratorsOf, keyOf, lineOf } from './code.js';
import type { CodeFile, Declared } from './code.js';

/** A gateway of the host that gets less than it asks for, once our adapter serves the app. */
export interface ExistingGateway {
  readonly name: string;
  /** Place of its decorator: `apps/api/src/chat/chat.gateway.ts`, and 12. */
  readonly path: string;
  readonly line: number;
  /** `has no namespace: its clients are refused`; empty where it is kept. */
  readonly problems: readonly string[];
  /** Its clients do not reach it any more: no namespace, or a port or path of its own. */
  readonly isDead: boolean;
  /** An array, such as the providers of a module, holds it; adopted ones are in none. */
  readonly isListed: boolean;
  /** It answers on the port of the app, at the path that Socket.IO has by default. */
  readonly isOnOurPath: boolean;
  /** `keepGateways` of the app's module names it: it stays as it is, unprotected. */
  readonly isKept: boolean;
}

/**
 * The gateways that an app has by now, which our adapter would serve otherwise than they ask for,
 * or which are kept from it.
 *
 * @param app folders of its sources and of what is generated in it
 * @param every those too that lose nothing but clients without a token
 */
export function existingGateways(
  tree: Tree,
  { sourceRoot, realtimeRoot }: { readonly sourceRoot: string; readonly realtimeRoot: string },
  every = false,
): ExistingGateway[] {
  const code = new AppCode(tree, sourceRoot, (path) => path.startsWith(`${realtimeRoot}/`));
  const files = code.filesWith(['WebSocketGateway']);
  const kept = files.length > 0 ? keptIn(code, `${realtimeRoot}/realtime.module.ts`) : [];
  return files.flatMap((file) =>
    findAll(file.source.program, isClass).flatMap(({ node }): ExistingGateway[] => {
      const decorator = decoratorsOf(node).find(({ name }) => name === 'WebSocketGateway');
      if (!decorator) return [];
      const isKept = kept.some((one) => one.file === file && one.node === node);
      const loss = lossOf(decorator.args);
      const { isDead, problems } = isKept ? KEPT : loss;
      if (!isKept && problems.length === 0 && !every) return [];
      const line = lineOf(file, decorator.node);
      const name = node.id?.name ?? 'a gateway';
      const isListed = code
        .filesWith([name])
        .some((user) => listed(code, user, name).some((one) => one.node === node));
      const { isOnOurPath } = loss;
      return [{ name, path: file.path, line, problems, isDead, isListed, isOnOurPath, isKept }];
    }),
  );
}

interface Loss {
  readonly problems: readonly string[];
  readonly isDead: boolean;
  readonly isOnOurPath: boolean;
}

const KEPT: Omit<Loss, 'isOnOurPath'> = { problems: [], isDead: false };

/** The classes that `keepGateways` of a module names. */
function keptIn(code: AppCode, path: string): Declared[] {
  const file = code.read(path);
  if (!file) return [];
  return findAll(file.source.program, isProperty).flatMap(({ node }) =>
    keyOf(node.key) === 'keepGateways' && node.value.type === 'ArrayExpression'
      ? node.value.elements.flatMap((element) =>
          element?.type === 'Identifier' ? (code.declaration(file, element.name) ?? []) : [],
        )
      : [],
  );
}

/** What the elements of arrays of a file mean that have this name. */
function listed(code: AppCode, file: CodeFile, name: string): Declared[] {
  return findAll(file.source.program, isArray).flatMap(({ node }) =>
    node.elements.flatMap((element) =>
      element?.type === 'Identifier' && element.name === name
        ? (code.declaration(file, name) ?? [])
        : [],
    ),
  );
}

const isArray = (node: Node): node is ArrayExpression => node.type === 'ArrayExpression';
const isProperty = (node: Node): node is ObjectProperty => node.type === 'Property';

function lossOf(args: readonly Expression[]): Loss {
  const options = args.find((argument) => argument.type === 'ObjectExpression');
  const keys =
    options?.properties.flatMap((property) =>
      property.type === 'Property' ? [keyOf(property.key) ?? ''] : ['...'],
    ) ?? [];
  // Of options that stand elsewhere nothing is known.
  const isKnown = args.every(({ type }) => type === 'ObjectExpression' || type === 'Literal');
  const hasNamespace = !isKnown || keys.includes('namespace') || keys.includes('...');
  const ignored = [
    ...(args.some(({ type }) => type === 'Literal') ? ['its port'] : []),
    ...keys.filter((key) => key !== 'namespace' && key !== '...'),
  ];
  return {
    problems: [
      ...(hasNamespace ? [] : ['has no namespace: its clients are refused']),
      ...(ignored.length > 0 ? [`${ignored.join(', ')}: without effect`] : []),
    ],
    // A port or a path that is not known may be ours.
    isOnOurPath: !isKnown || !ignored.some((name) => name === 'its port' || name === 'path'),
    isDead: !hasNamespace || ignored.some((name) => name === 'its port' || name === 'path'),
  };
}
