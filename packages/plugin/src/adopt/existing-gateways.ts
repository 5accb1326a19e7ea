import type { Tree } from '@nx/devkit';
import type { Expression } from 'oxc-parser';
import { findAll, isClass } from '../wiring/index.js';
import { AppCode, decoratorsOf, keyOf, lineOf } from './code.js';

/** A gateway of the host that gets less than it asks for, once our adapter serves the app. */
export interface ExistingGateway {
  readonly name: string;
  /** Place of its decorator: `apps/api/src/chat/chat.gateway.ts:12`. */
  readonly place: string;
  /** `has no namespace: its clients are refused`. */
  readonly problems: readonly string[];
}

/**
 * The gateways that an app has by now, which our adapter would serve otherwise than they ask for.
 *
 * @param app folders of its sources and of what is generated in it
 */
export function existingGateways(
  tree: Tree,
  { sourceRoot, realtimeRoot }: { readonly sourceRoot: string; readonly realtimeRoot: string },
): ExistingGateway[] {
  const code = new AppCode(tree, sourceRoot, (path) => path.startsWith(`${realtimeRoot}/`));
  return code.filesWith(['WebSocketGateway']).flatMap((file) =>
    findAll(file.source.program, isClass).flatMap(({ node }): ExistingGateway[] => {
      const decorator = decoratorsOf(node).find(({ name }) => name === 'WebSocketGateway');
      if (!decorator) return [];
      const problems = problemsOf(decorator.args);
      const line = lineOf(file, decorator.node);
      const name = node.id?.name ?? 'a gateway';
      return problems.length > 0 ? [{ name, place: `${file.path}:${line}`, problems }] : [];
    }),
  );
}

function problemsOf(args: readonly Expression[]): string[] {
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
  return [
    ...(hasNamespace ? [] : ['has no namespace: its clients are refused']),
    ...(ignored.length > 0 ? [`${ignored.join(', ')}: without effect`] : []),
  ];
}
