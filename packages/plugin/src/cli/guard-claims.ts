import type { MemberExpression, MethodDefinition, Node, ObjectProperty } from 'oxc-parser';
import { findAll, keyOf, parse } from '../wiring/index.js';

/** The claims that an app's guard reads the owner of a token from; null where its code says it in a way of its own. */
export interface GuardClaims {
  readonly user: string | null;
  readonly tenant: string | null;
}

/** What the kernel's own guard reads. */
const USUAL: GuardClaims = { user: 'sub', tenant: 'tenantId' };

/** Reads `identify(claims)` of a guard: `{ userId: claims['sub'], tenantId: claims['org_id'] }`. */
export function readGuardClaims(text: string | null): GuardClaims {
  const source = text === null ? 'there is no such file' : parse(text, 'file.ts');
  if (typeof source === 'string') return USUAL;
  const [method] = findAll(source.program, isIdentify);
  const [parameter] = method?.node.value.params ?? [];
  if (!method) return USUAL;
  const claims = parameter?.type === 'Identifier' ? parameter.name : null;
  const read = (name: string): string | null => {
    const [property, ...others] = findAll(method.node, isProperty).filter(
      ({ node }) => keyOf(node.key) === name,
    );
    if (!property || others.length > 0) return null;
    const members = findAll(property.node.value, isMember).filter(
      ({ node }) => node.object.type === 'Identifier' && node.object.name === claims,
    );
    return members.length === 1 ? keyOf(members[0]!.node.property) : null;
  };
  return { user: read('userId'), tenant: read('tenantId') };
}

const isIdentify = (node: Node): node is MethodDefinition =>
  node.type === 'MethodDefinition' && keyOf(node.key) === 'identify';

const isProperty = (node: Node): node is ObjectProperty => node.type === 'Property';

const isMember = (node: Node): node is MemberExpression => node.type === 'MemberExpression';
