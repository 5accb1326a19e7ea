import type { Class, Expression } from 'oxc-parser';
import { posix } from 'node:path';
import type { DomainNames } from '../domain/index.js';
import { findAll, isClass } from '../wiring/index.js';
import { decoratorsOf, keyOf } from './code.js';
import type { AppCode, CodeFile } from './code.js';
import { isNameOf } from './names.js';

/** A class of the domain that its owner wrote. */
export interface HandWritten {
  readonly kind: 'gateway' | 'consumer';
  readonly name: string;
  readonly file: CodeFile;
  readonly node: Class;
  /** Namespace that a gateway states; null where it states none, or not as a constant. */
  readonly namespace: string | null;
}

/**
 * The gateways and consumers of a domain: by their namespace, their class, their file, or the
 * prefix of the events that they take.
 *
 * @param namespace the one that the owner asked for
 */
export function handWritten(
  code: AppCode,
  names: DomainNames,
  namespace: string | undefined,
): HandWritten[] {
  const files = code.filesWith(['WebSocketGateway', 'EventPattern', 'MessagePattern']);
  return files.flatMap((file) =>
    findAll(file.source.program, isClass).flatMap(({ node }): HandWritten[] => {
      const name = node.id?.name;
      if (name === undefined) return [];
      const gateway = decoratorsOf(node).find((one) => one.name === 'WebSocketGateway');
      if (gateway) {
        const held = namespaceOf(code, file, gateway.args);
        const isOurs =
          namespace !== undefined && held !== null && `/${held}`.replace(/^\/+/, '/') === namespace
            ? true
            : (held !== null && isNameOf(held, names)) || isNamed(file, name, names);
        return isOurs ? [{ kind: 'gateway', name, file, node, namespace: held }] : [];
      }
      const patterns = patternsOf(code, file, node);
      const isOurs =
        patterns.length > 0 &&
        (isNamed(file, name, names) ||
          patterns.every((pattern) => isNameOf(pattern.split(/[.:/_-]/)[0] ?? '', names)));
      return isOurs ? [{ kind: 'consumer', name, file, node, namespace: null }] : [];
    }),
  );
}

function isNamed(file: CodeFile, name: string, names: DomainNames): boolean {
  const stem = posix.basename(file.path).split('.')[0] ?? '';
  const suffix =
    /(?:Events?)?(?:Ws|WebSocket|Socket|Realtime)?(?:Gateway|Consumer|Controller|Listener|Subscriber|Handler)$/;
  return (
    isNameOf(name.replace(suffix, ''), names) ||
    isNameOf(stem.replace(/-(?:ws|events?|gateway|consumer)$/, ''), names)
  );
}

function namespaceOf(code: AppCode, file: CodeFile, args: readonly Expression[]): string | null {
  for (const argument of args) {
    if (argument.type !== 'ObjectExpression') continue;
    for (const property of argument.properties) {
      if (property.type === 'Property' && keyOf(property.key) === 'namespace') {
        return code.constant(file, property.value);
      }
    }
  }
  return null;
}

function patternsOf(code: AppCode, file: CodeFile, node: Class): string[] {
  return node.body.body.flatMap((member) =>
    member.type === 'MethodDefinition'
      ? decoratorsOf(member).flatMap(({ name, args }) => {
          const [first] = args;
          const pattern = isPattern(name) && first ? code.constant(file, first) : null;
          return pattern === null ? [] : [pattern];
        })
      : [],
  );
}

export const isPattern = (name: string): boolean =>
  name === 'EventPattern' || name === 'MessagePattern';
