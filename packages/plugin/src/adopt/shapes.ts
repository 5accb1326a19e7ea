import type { Expression, Node } from 'oxc-parser';
import type { Field } from '../domain/index.js';
import { decoratorsOf, keyOf } from './code.js';
import type { AppCode, CodeFile } from './code.js';

/** Shape of a value by its type: an object, or one that the event grammar can state. */
export type Shape =
  | { readonly kind: 'object'; readonly members: readonly Member[] }
  | {
      readonly kind: 'value';
      readonly base: Field['base'];
      readonly array: boolean;
      /** True if the contract's type is the very same in TypeScript. */
      readonly exact: boolean;
    };

export interface Member {
  readonly name: string;
  readonly optional: boolean;
  readonly shape: Shape;
}

export const value = (base: Field['base'], exact = true): Shape => ({
  kind: 'value',
  base,
  array: false,
  exact,
});
/** Shape of an unknown value. */
export const JSON_SHAPE: Shape = value('json', false);

const MAX_DEPTH = 12;

/** Shape of a type; `json` where it is not known. */
export function shapeOfType(code: AppCode, file: CodeFile, type: Node, depth = 0): Shape {
  if (depth > MAX_DEPTH) return JSON_SHAPE;
  const go = (node: Node, at = file): Shape => shapeOfType(code, at, node, depth + 1);
  switch (type.type) {
    case 'TSTypeAnnotation':
      return go(type.typeAnnotation);
    case 'TSParenthesizedType':
      return go(type.typeAnnotation);
    case 'TSTypeOperator':
      return type.operator === 'readonly' ? go(type.typeAnnotation) : JSON_SHAPE;
    case 'TSStringKeyword':
      return value('string');
    case 'TSNumberKeyword':
      return value('number');
    case 'TSBooleanKeyword':
      return value('boolean');
    case 'TSLiteralType': {
      const literal = type.literal;
      if (literal.type !== 'Literal') return value('string', false);
      return typeof literal.value === 'string'
        ? enumOf([literal.value], true)
        : value(typeof literal.value === 'boolean' ? 'boolean' : 'number', false);
    }
    case 'TSUnionType':
      return shapeOfUnion(type.types.filter(isDefined).map((one) => go(one)));
    case 'TSIntersectionType':
      return joined(type.types.map((one) => go(one)));
    case 'TSArrayType':
      return arrayOf(go(type.elementType));
    case 'TSTypeLiteral':
      return { kind: 'object', members: membersOf(type.members, go) };
    case 'TSTypeReference':
      return shapeOfReference(code, file, type, depth);
    default:
      return JSON_SHAPE;
  }
}

function shapeOfReference(
  code: AppCode,
  file: CodeFile,
  type: Extract<Node, { type: 'TSTypeReference' }>,
  depth: number,
): Shape {
  const go = (node: Node, at = file): Shape => shapeOfType(code, at, node, depth + 1);
  const [first, second] = type.typeArguments?.params ?? [];
  if (type.typeName.type === 'TSQualifiedName') {
    const isInferred = ['infer', 'output', 'input'].includes(type.typeName.right.name);
    if (isInferred && first?.type === 'TSTypeQuery' && first.exprName.type === 'Identifier') {
      return shapeOfSchema(code, file, first.exprName, depth + 1);
    }
    return JSON_SHAPE;
  }
  if (type.typeName.type !== 'Identifier') return JSON_SHAPE;
  const { name } = type.typeName;
  const found = code.declaration(file, name);
  if (found) return shapeOfDeclaration(code, found.file, found.node, depth + 1);
  if (name === 'Date') return value('datetime', false);
  if (!first) return JSON_SHAPE;
  switch (name) {
    case 'Array':
    case 'ReadonlyArray':
      return arrayOf(go(first));
    case 'Promise':
    case 'Readonly':
      return go(first);
    case 'Partial':
    case 'Required':
      return eachMember(go(first), (member) => [{ ...member, optional: name === 'Partial' }]);
    case 'Pick':
    case 'Omit': {
      const keys = second ? literalsOf(second) : [];
      return eachMember(go(first), (member) =>
        keys.includes(member.name) === (name === 'Pick') ? [member] : [],
      );
    }
    default:
      return JSON_SHAPE;
  }
}

function shapeOfDeclaration(code: AppCode, file: CodeFile, node: Node, depth: number): Shape {
  if (depth > MAX_DEPTH) return JSON_SHAPE;
  const go = (one: Node): Shape => shapeOfType(code, file, one, depth + 1);
  const named = (name: string): Shape => {
    const found = code.declaration(file, name);
    return found ? shapeOfDeclaration(code, found.file, found.node, depth + 1) : JSON_SHAPE;
  };
  switch (node.type) {
    case 'TSTypeAliasDeclaration':
      return go(node.typeAnnotation);
    case 'TSInterfaceDeclaration': {
      const own: Shape = { kind: 'object', members: membersOf(node.body.body, go) };
      const parents = node.extends.map(({ expression }) =>
        expression.type === 'Identifier' ? named(expression.name) : JSON_SHAPE,
      );
      return joined([...parents.filter(({ kind }) => kind === 'object'), own]);
    }
    case 'ClassDeclaration': {
      const members = node.body.body.flatMap((member): Member[] => {
        if (member.type !== 'PropertyDefinition' || member.static) return [];
        const name = keyOf(member.key);
        if (name === null) return [];
        const shape = validated(
          member,
          member.typeAnnotation ? go(member.typeAnnotation) : JSON_SHAPE,
        );
        const isOptional = decoratorsOf(member).some((one) => one.name === 'IsOptional');
        const stated = { name, optional: member.optional === true, shape };
        return [isOptional || allowsUndefined(member.typeAnnotation) ? optional(stated) : stated];
      });
      const parent = node.superClass?.type === 'Identifier' ? [named(node.superClass.name)] : [];
      return joined([
        ...parent.filter(({ kind }) => kind === 'object'),
        { kind: 'object', members },
      ]);
    }
    case 'TSEnumDeclaration':
      return shapeOfEnum(node);
    default:
      return JSON_SHAPE;
  }
}

function shapeOfEnum(node: Extract<Node, { type: 'TSEnumDeclaration' }>): Shape {
  const values = node.body.members.map(({ initializer }) =>
    initializer?.type === 'Literal' && typeof initializer.value === 'string'
      ? initializer.value
      : null,
  );
  return values.every((one) => one !== null) && values.length > 0
    ? enumOf(values, false)
    : value('number', false);
}

/** Constraints of validators beyond the type. */
function validated(member: Node, shape: Shape): Shape {
  for (const { name, args } of decoratorsOf(member)) {
    if (shape.kind === 'value' && !shape.array) {
      if (shape.base === 'string' && name === 'IsUUID') return value('uuid');
      if (shape.base === 'number' && name === 'IsInt') return value('integer');
      if (shape.base === 'string' && /^Is(?:DateString|ISO8601)$/.test(name))
        return value('datetime');
    }
    const [first] = args;
    if (name === 'IsIn' && first?.type === 'ArrayExpression') {
      const values = first.elements.map((one) =>
        one?.type === 'Literal' && typeof one.value === 'string' ? one.value : null,
      );
      if (values.length > 0 && values.every((one) => one !== null)) return enumOf(values, false);
    }
  }
  return shape;
}

/** Shape of a zod schema. */
export function shapeOfSchema(
  code: AppCode,
  file: CodeFile,
  node: Expression | Node,
  depth = 0,
): Shape {
  if (depth > MAX_DEPTH) return JSON_SHAPE;
  if (node.type === 'Identifier') {
    const found = code.declaration(file, node.name);
    return found?.node.type === 'VariableDeclarator' && found.node.init
      ? shapeOfSchema(code, found.file, found.node.init, depth + 1)
      : JSON_SHAPE;
  }
  if (node.type !== 'CallExpression' || node.callee.type !== 'MemberExpression') return JSON_SHAPE;
  const method = keyOf(node.callee.property);
  const { object } = node.callee;
  const isRoot =
    (object.type === 'Identifier' && code.declaration(file, object.name) === null) ||
    (object.type === 'MemberExpression' && object.object.type === 'Identifier');
  const [first] = node.arguments;
  if (!isRoot) return refined(shapeOfSchema(code, file, object, depth + 1), method);
  switch (method) {
    case 'string':
    case 'email':
    case 'url':
      return value('string');
    case 'uuid':
      return value('uuid');
    case 'datetime':
      return value('datetime');
    case 'date':
      return value('datetime', false);
    case 'number':
      return value('number');
    case 'int':
      return value('integer');
    case 'boolean':
      return value('boolean');
    case 'enum':
      return first?.type === 'ArrayExpression'
        ? enumOf(
            first.elements.flatMap((one) => (one?.type === 'Literal' ? [String(one.value)] : [])),
            true,
          )
        : JSON_SHAPE;
    case 'array':
      return first ? arrayOf(shapeOfSchema(code, file, first, depth + 1)) : JSON_SHAPE;
    case 'object':
    case 'strictObject':
    case 'looseObject':
      return first?.type === 'ObjectExpression'
        ? {
            kind: 'object',
            members: first.properties.flatMap((property): Member[] => {
              const name = property.type === 'Property' ? keyOf(property.key) : null;
              if (name === null || property.type !== 'Property') return [];
              const shape = shapeOfSchema(code, file, property.value, depth + 1);
              return [{ name, optional: isOptionalSchema(property.value), shape }];
            }),
          }
        : JSON_SHAPE;
    default:
      return JSON_SHAPE;
  }
}

function refined(shape: Shape, method: string | null): Shape {
  if (method === 'nullable' || method === 'nullish' || method === 'transform') return JSON_SHAPE;
  if (method === 'array') return arrayOf(shape);
  if (shape.kind === 'object') {
    return method === 'partial' ? eachMember(shape, (one) => [{ ...one, optional: true }]) : shape;
  }
  if (method === 'uuid') return value('uuid');
  if (method === 'datetime') return value('datetime');
  if (method === 'int') return value('integer');
  return shape;
}

function isOptionalSchema(node: Node): boolean {
  if (node.type !== 'CallExpression' || node.callee.type !== 'MemberExpression') return false;
  const method = keyOf(node.callee.property);
  return (
    method === 'optional' ||
    method === 'nullish' ||
    method === 'default' ||
    isOptionalSchema(node.callee.object)
  );
}

function membersOf(nodes: readonly Node[], go: (node: Node) => Shape): Member[] {
  return nodes.flatMap((node): Member[] => {
    if (node.type !== 'TSPropertySignature') return [];
    const name = keyOf(node.key);
    if (name === null || (node.computed && node.key.type === 'Identifier')) return [];
    const { typeAnnotation } = node;
    const shape = typeAnnotation ? go(typeAnnotation) : JSON_SHAPE;
    const stated = { name, optional: node.optional, shape };
    return [allowsUndefined(typeAnnotation) ? optional(stated) : stated];
  });
}

/** A member that may be absent, though its type does not say it with a question mark. */
function optional(member: Member): Member {
  const { shape } = member;
  if (member.optional) return member;
  const inexact = shape.kind === 'value' ? { ...shape, exact: false } : shape;
  return { ...member, optional: true, shape: inexact };
}

function allowsUndefined(annotation: Node | null | undefined): boolean {
  if (annotation?.type !== 'TSTypeAnnotation') return false;
  const type = annotation.typeAnnotation;
  return type.type === 'TSUnionType' && !type.types.every(isDefined);
}

const isDefined = ({ type }: Node): boolean =>
  type !== 'TSUndefinedKeyword' && type !== 'TSVoidKeyword';

function shapeOfUnion(shapes: readonly Shape[]): Shape {
  const [first, ...others] = shapes;
  if (!first) return JSON_SHAPE;
  if (others.length === 0) return first;
  const values = shapes.flatMap((shape) =>
    shape.kind === 'value' && !shape.array && typeof shape.base !== 'string' ? [shape] : [],
  );
  if (values.length === shapes.length) {
    return enumOf(
      values.flatMap(({ base }) => [...base]),
      values.every(({ exact }) => exact),
    );
  }
  const isSame = others.every(
    (other) =>
      first.kind === 'value' &&
      other.kind === 'value' &&
      other.base === first.base &&
      other.array === first.array,
  );
  return isSame && first.kind === 'value' ? { ...first, exact: false } : JSON_SHAPE;
}

/** An enum of the grammar; a string where a value does not fit it. */
function enumOf(values: readonly string[], exact: boolean): Shape {
  const unique = [...new Set(values)];
  return unique.length > 0 && unique.every((one) => /^[A-Za-z0-9_.-]+$/.test(one))
    ? value(unique, exact)
    : value('string', false);
}

export function arrayOf(shape: Shape): Shape {
  return shape.kind === 'value' && !shape.array
    ? { ...shape, array: true }
    : { kind: 'value', base: 'json', array: true, exact: false };
}

/** Objects as one; later members win. */
export function joined(shapes: readonly Shape[]): Shape {
  const members = new Map<string, Member>();
  for (const shape of shapes) {
    if (shape.kind !== 'object') return JSON_SHAPE;
    for (const member of shape.members) members.set(member.name, member);
  }
  return { kind: 'object', members: [...members.values()] };
}

function eachMember(shape: Shape, change: (member: Member) => Member[]): Shape {
  return shape.kind === 'object'
    ? { kind: 'object', members: shape.members.flatMap(change) }
    : shape;
}

function literalsOf(type: Node): string[] {
  const types = type.type === 'TSUnionType' ? type.types : [type];
  return types.flatMap((one) =>
    one.type === 'TSLiteralType' && one.literal.type === 'Literal'
      ? [String(one.literal.value)]
      : [],
  );
}
