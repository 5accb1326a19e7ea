import type { Class, MethodDefinition, Node, ParamPattern } from 'oxc-parser';
import { decoratorsOf, keyOf } from './code.js';
import type { AppCode, CodeFile, Declared } from './code.js';
import { JSON_SHAPE, arrayOf, joined, shapeOfType, value } from './shapes.js';
import type { Member, Shape } from './shapes.js';

/** Position of an expression: its file, and the nodes around it, nearest last. */
export interface Scope {
  readonly file: CodeFile;
  readonly ancestors: readonly Node[];
}

/** A parameter without the modifiers that make it a property. */
export interface Parameter {
  readonly pattern: Node;
  /** `data` of `data: Dto`; null for a destructured one. */
  readonly name: string | null;
  readonly type: Node | null;
  readonly decorators: ReturnType<typeof decoratorsOf>;
  readonly isProperty: boolean;
}

export function parametersOf(params: readonly ParamPattern[]): Parameter[] {
  return params.map((param) => {
    const inner = param.type === 'TSParameterProperty' ? param.parameter : param;
    const pattern: Node = inner.type === 'AssignmentPattern' ? inner.left : inner;
    const type =
      'typeAnnotation' in pattern ? ((pattern.typeAnnotation as Node | null) ?? null) : null;
    return {
      pattern,
      name: pattern.type === 'Identifier' ? pattern.name : null,
      type,
      decorators: [...decoratorsOf(param), ...(inner === param ? [] : decoratorsOf(inner))],
      isProperty: param.type === 'TSParameterProperty',
    };
  });
}

/** The class around a place. */
export function classAround({ ancestors }: Scope): Class | null {
  return (
    (ancestors.findLast(({ type }) => type === 'ClassDeclaration' || type === 'ClassExpression') as
      Class | undefined) ?? null
  );
}

/** The type that a member of a class states: of a property, or of one that its constructor takes. */
export function propertyType(node: Class, name: string): Node | null {
  for (const member of node.body.body) {
    if (member.type === 'PropertyDefinition' && keyOf(member.key) === name) {
      if (member.typeAnnotation) return member.typeAnnotation;
      const call = member.value;
      if (call?.type === 'CallExpression' && keyOf(call.callee) === 'inject')
        return call.arguments[0] ?? null;
    }
    if (member.type === 'MethodDefinition' && member.kind === 'constructor') {
      const found = parametersOf(member.value.params).find(
        (parameter) => parameter.isProperty && parameter.name === name,
      );
      if (found) return found.type;
    }
  }
  return null;
}

/** The class that a type, or an argument of `inject`, names. */
export function classOfType(
  code: AppCode,
  file: CodeFile,
  type: Node | null,
): (Declared & { node: Class }) | null {
  const inner = type?.type === 'TSTypeAnnotation' ? type.typeAnnotation : type;
  const name =
    inner?.type === 'TSTypeReference' && inner.typeName.type === 'Identifier'
      ? inner.typeName.name
      : inner?.type === 'Identifier'
        ? inner.name
        : null;
  return name === null ? null : code.classNamed(file, name);
}

const MAX_DEPTH = 8;

/** Shape of an expression, as far as types and literals show. */
export function shapeOfValue(code: AppCode, scope: Scope, node: Node, depth = 0): Shape {
  if (depth > MAX_DEPTH) return JSON_SHAPE;
  const go = (one: Node): Shape => shapeOfValue(code, scope, one, depth + 1);
  switch (node.type) {
    case 'ParenthesizedExpression':
    case 'TSNonNullExpression':
      return go(node.expression);
    case 'AwaitExpression':
      return go(node.argument);
    case 'TSAsExpression':
    case 'TSSatisfiesExpression':
      return node.type === 'TSAsExpression' && node.typeAnnotation.type === 'TSTypeReference'
        ? shapeOfType(code, scope.file, node.typeAnnotation)
        : go(node.expression);
    case 'Literal':
      return typeof node.value === 'string'
        ? value('string')
        : typeof node.value === 'number'
          ? value('number')
          : typeof node.value === 'boolean'
            ? value('boolean')
            : JSON_SHAPE;
    case 'TemplateLiteral':
      return value('string');
    case 'NewExpression':
      return keyOf(node.callee) === 'Date' ? value('datetime', false) : JSON_SHAPE;
    case 'ConditionalExpression':
      return go(node.consequent);
    case 'LogicalExpression':
      return go(node.left);
    case 'ArrayExpression': {
      const [first] = node.elements;
      return arrayOf(first ? go(first) : JSON_SHAPE);
    }
    case 'ObjectExpression':
      return joined(
        node.properties.map((property): Shape => {
          if (property.type === 'SpreadElement') {
            const spread = go(property.argument);
            return spread.kind === 'object' ? spread : { kind: 'object', members: [] };
          }
          const name = keyOf(property.key);
          const members: Member[] =
            name === null || property.computed
              ? []
              : [{ name, optional: false, shape: go(property.value) }];
          return { kind: 'object', members };
        }),
      );
    case 'Identifier':
      return shapeOfName(code, scope, node.name, depth);
    case 'MemberExpression':
      return shapeOfMember(code, scope, node, depth);
    case 'CallExpression':
      return shapeOfCall(code, scope, node, depth);
    default:
      return JSON_SHAPE;
  }
}

function shapeOfName(code: AppCode, scope: Scope, name: string, depth: number): Shape {
  for (const node of scope.ancestors.toReversed()) {
    if ('params' in node && Array.isArray(node.params)) {
      for (const { pattern, type } of parametersOf(node.params as ParamPattern[])) {
        if (pattern.type === 'Identifier' && pattern.name === name) {
          return type ? shapeOfType(code, scope.file, type) : JSON_SHAPE;
        }
        if (pattern.type === 'ObjectPattern' && type) {
          const key = keyOfPattern(pattern, name);
          if (key !== null) return memberOf(shapeOfType(code, scope.file, type), key);
        }
      }
    }
    if (node.type !== 'BlockStatement') continue;
    for (const statement of node.body) {
      if (statement.type !== 'VariableDeclaration') continue;
      for (const { id, init } of statement.declarations) {
        if (id.type === 'Identifier' && id.name === name) {
          if (id.typeAnnotation) return shapeOfType(code, scope.file, id.typeAnnotation);
          return init ? shapeOfValue(code, scope, init, depth + 1) : JSON_SHAPE;
        }
        if (id.type === 'ObjectPattern' && init) {
          const key = keyOfPattern(id, name);
          if (key !== null) return memberOf(shapeOfValue(code, scope, init, depth + 1), key);
        }
      }
    }
  }
  return JSON_SHAPE;
}

/** The key that a destructuring takes a name from. */
function keyOfPattern(
  pattern: Extract<Node, { type: 'ObjectPattern' }>,
  name: string,
): string | null {
  for (const property of pattern.properties) {
    if (property.type !== 'Property') continue;
    const target =
      property.value.type === 'AssignmentPattern' ? property.value.left : property.value;
    if (target.type === 'Identifier' && target.name === name) return keyOf(property.key);
  }
  return null;
}

function shapeOfMember(
  code: AppCode,
  scope: Scope,
  node: Extract<Node, { type: 'MemberExpression' }>,
  depth: number,
): Shape {
  const key = keyOf(node.property);
  if (key === null || node.computed) return JSON_SHAPE;
  if (key === 'length' || key === 'size') return value('integer');
  if (node.object.type === 'ThisExpression') {
    const around = classAround(scope);
    const type = around && propertyType(around, key);
    return type ? shapeOfType(code, scope.file, type) : JSON_SHAPE;
  }
  if (key === 'id' && ['client', 'socket'].includes(keyOf(node.object) ?? ''))
    return value('string');
  return memberOf(shapeOfValue(code, scope, node.object, depth + 1), key);
}

function memberOf(shape: Shape, key: string): Shape {
  const member =
    shape.kind === 'object' ? shape.members.find(({ name }) => name === key) : undefined;
  return member?.shape ?? JSON_SHAPE;
}

function shapeOfCall(
  code: AppCode,
  scope: Scope,
  { callee }: Extract<Node, { type: 'CallExpression' }>,
  depth: number,
): Shape {
  const name = callee.type === 'MemberExpression' ? keyOf(callee.property) : keyOf(callee);
  if (name === 'toISOString') return value('datetime');
  if (name === 'randomUUID') return value('uuid');
  if (name === 'toString' || name === 'String') return value('string');
  if (name === 'now') return value('integer');
  if (callee.type !== 'MemberExpression' || name === null) return JSON_SHAPE;
  const method = methodOf(code, scope, callee.object, name);
  const returned = method?.node.value.returnType;
  if (!method) return JSON_SHAPE;
  if (returned) return shapeOfType(code, method.file, returned);
  const body = method.node.value.body;
  const last = body?.body.findLast(({ type }) => type === 'ReturnStatement');
  if (!body || last?.type !== 'ReturnStatement' || !last.argument) return JSON_SHAPE;
  const inside = { file: method.file, ancestors: [method.node.value, body] };
  return shapeOfValue(code, inside, last.argument, depth + 1);
}

/** The method that is called on `this`, or on something that was injected. */
export function methodOf(
  code: AppCode,
  scope: Scope,
  object: Node,
  name: string,
): { file: CodeFile; owner: Class; node: MethodDefinition } | null {
  const around = classAround(scope);
  if (!around) return null;
  const owner =
    object.type === 'ThisExpression'
      ? { file: scope.file, node: around }
      : object.type === 'MemberExpression' && object.object.type === 'ThisExpression'
        ? classOfType(code, scope.file, propertyType(around, keyOf(object.property) ?? ''))
        : null;
  const node = owner?.node.body.body.find(
    (member): member is MethodDefinition =>
      member.type === 'MethodDefinition' && keyOf(member.key) === name,
  );
  return owner && node ? { file: owner.file, owner: owner.node, node } : null;
}
