import { AST_NODE_TYPES, ASTUtils } from '@typescript-eslint/utils';
import type { TSESLint, TSESTree } from '@typescript-eslint/utils';

export type Context = Readonly<TSESLint.RuleContext<string, readonly unknown[]>>;
export type ClassNode = TSESTree.ClassDeclaration | TSESTree.ClassExpression;
export type FunctionNode =
  TSESTree.FunctionDeclaration | TSESTree.FunctionExpression | TSESTree.ArrowFunctionExpression;

export function isFunction(node: TSESTree.Node | null | undefined): node is FunctionNode {
  return (
    node?.type === AST_NODE_TYPES.FunctionDeclaration ||
    node?.type === AST_NODE_TYPES.FunctionExpression ||
    node?.type === AST_NODE_TYPES.ArrowFunctionExpression
  );
}

/** Without assertions, parentheses of optional chains and `await`. */
export function unwrap(node: TSESTree.Node): TSESTree.Node {
  switch (node.type) {
    case AST_NODE_TYPES.TSAsExpression:
    case AST_NODE_TYPES.TSTypeAssertion:
    case AST_NODE_TYPES.TSNonNullExpression:
    case AST_NODE_TYPES.TSSatisfiesExpression:
    case AST_NODE_TYPES.ChainExpression:
      return unwrap(node.expression);
    case AST_NODE_TYPES.AwaitExpression:
      return unwrap(node.argument);
    default:
      return node;
  }
}

/** The text of a string literal, or of a template without expressions. */
export function stringOf(node: TSESTree.Node | null | undefined): string | undefined {
  if (node?.type === AST_NODE_TYPES.Literal) {
    return typeof node.value === 'string' ? node.value : undefined;
  }
  return node?.type === AST_NODE_TYPES.TemplateLiteral && node.expressions.length === 0
    ? (node.quasis[0]?.value.cooked ?? undefined)
    : undefined;
}

/** `b` of `a.b`, `a['b']` and `a.#b`. */
export function memberName(node: TSESTree.MemberExpression): string | undefined {
  if (node.computed) return stringOf(node.property);
  return 'name' in node.property ? node.property.name : undefined;
}

/** The name of a property, method or class member. */
export function keyName(node: {
  readonly key: TSESTree.Node;
  readonly computed: boolean;
}): string | undefined {
  const { key, computed } = node;
  if (!computed && key.type === AST_NODE_TYPES.Identifier) return key.name;
  if (key.type === AST_NODE_TYPES.PrivateIdentifier) return key.name;
  return stringOf(key);
}

/** The member that a call calls: `[object, 'emit']` of `object.emit()`. */
export function methodCall(
  node: TSESTree.Node,
): { object: TSESTree.Expression; name: string; property: TSESTree.Node } | undefined {
  if (node.type !== AST_NODE_TYPES.CallExpression) return undefined;
  const callee = unwrap(node.callee);
  if (callee.type !== AST_NODE_TYPES.MemberExpression) return undefined;
  const name = memberName(callee);
  return name === undefined
    ? undefined
    : { object: callee.object, name, property: callee.property };
}

/** The last name of what is called: `verify` of `verify()` and of `this.jwt.verify()`. */
export function calledName(node: TSESTree.CallExpression | TSESTree.NewExpression): string {
  const callee = unwrap(node.callee);
  if (callee.type === AST_NODE_TYPES.Identifier) return callee.name;
  return callee.type === AST_NODE_TYPES.MemberExpression ? (memberName(callee) ?? '') : '';
}

export function property(
  node: TSESTree.Node | null | undefined,
  name: string,
): TSESTree.Property | undefined {
  if (node?.type !== AST_NODE_TYPES.ObjectExpression) return undefined;
  return node.properties.find(
    (entry): entry is TSESTree.Property =>
      entry.type === AST_NODE_TYPES.Property && keyName(entry) === name,
  );
}

/** Whether an object literal may hold properties that are not written in it. */
export function isOpen(node: TSESTree.ObjectExpression): boolean {
  return node.properties.some(({ type }) => type === AST_NODE_TYPES.SpreadElement);
}

/** Visits a node and what is in it; a visitor that returns `false` is not taken further down. */
export function walk(
  context: Context,
  root: TSESTree.Node,
  visit: (node: TSESTree.Node) => boolean | void,
): void {
  if (visit(root) === false) return;
  const keys = context.sourceCode.visitorKeys[root.type] ?? [];
  for (const key of keys) {
    const child = (root as unknown as Record<string, unknown>)[key];
    for (const entry of Array.isArray(child) ? child : [child]) {
      if (entry && typeof entry === 'object' && 'type' in entry) {
        walk(context, entry as TSESTree.Node, visit);
      }
    }
  }
}

export function contains(
  context: Context,
  root: TSESTree.Node,
  test: (node: TSESTree.Node) => boolean,
): boolean {
  let found = false;
  walk(context, root, (node) => {
    found ||= test(node);
    return !found;
  });
  return found;
}

export function ancestors(node: TSESTree.Node): TSESTree.Node[] {
  const result: TSESTree.Node[] = [];
  for (let current = node.parent; current; current = current.parent) result.push(current);
  return result;
}

export function enclosingFunction(node: TSESTree.Node): FunctionNode | undefined {
  return ancestors(node).find(isFunction);
}

export function enclosingClass(node: TSESTree.Node): ClassNode | undefined {
  return ancestors(node).find(
    (ancestor): ancestor is ClassNode =>
      ancestor.type === AST_NODE_TYPES.ClassDeclaration ||
      ancestor.type === AST_NODE_TYPES.ClassExpression,
  );
}

export function isInside(node: TSESTree.Node, outer: TSESTree.Node): boolean {
  return node.range[0] >= outer.range[0] && node.range[1] <= outer.range[1];
}

export function variableOf(
  context: Context,
  node: TSESTree.Identifier,
): TSESLint.Scope.Variable | undefined {
  return ASTUtils.findVariable(context.sourceCode.getScope(node), node.name) ?? undefined;
}

/** What a variable is declared with, when it is declared once and never written again. */
export function initializerOf(
  context: Context,
  node: TSESTree.Node,
): TSESTree.Expression | undefined {
  if (node.type !== AST_NODE_TYPES.Identifier) return undefined;
  const variable = variableOf(context, node);
  const [definition] = variable?.defs ?? [];
  if (variable?.defs.length !== 1 || !definition) return undefined;
  const declarator = definition.node;
  if (declarator.type !== AST_NODE_TYPES.VariableDeclarator) return undefined;
  if (declarator.id.type !== AST_NODE_TYPES.Identifier) return undefined;
  const isWrittenAgain = variable.references.some(
    (reference) => reference.isWrite() && !reference.init,
  );
  return isWrittenAgain ? undefined : (declarator.init ?? undefined);
}

/** `this`, or another name for it: `const self = this`. */
export function isThis(context: Context, node: TSESTree.Node): boolean {
  return (initializerOf(context, node) ?? node).type === AST_NODE_TYPES.ThisExpression;
}

/** Removes an entry of a list or object literal, with its comma. */
export function removeEntry(
  context: Context,
  fixer: TSESLint.RuleFixer,
  node: TSESTree.Node,
): TSESLint.RuleFix {
  const { sourceCode } = context;
  const after = sourceCode.getTokenAfter(node);
  const before = sourceCode.getTokenBefore(node);
  if (after?.value === ',') {
    const next = sourceCode.getTokenAfter(after, { includeComments: true });
    const end = next && next.loc.start.line === after.loc.end.line ? next.range[0] : after.range[1];
    const start =
      next && next.loc.start.line === after.loc.end.line
        ? node.range[0]
        : (before?.range[1] ?? node.range[0]);
    return fixer.removeRange([start, end]);
  }
  const start = before?.value === ',' ? before.range[0] : node.range[0];
  return fixer.removeRange([start, node.range[1]]);
}
