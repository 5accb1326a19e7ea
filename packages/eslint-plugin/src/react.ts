import { AST_NODE_TYPES } from '@typescript-eslint/utils';
import type { TSESTree } from '@typescript-eslint/utils';
import { ancestors, calledName, isFunction, keyName, unwrap } from './ast.js';
import type { Context, FunctionNode } from './ast.js';

const EFFECTS = /^use(?:Layout|Insertion|Isomorphic\w*|Commit)?Effect(?:Once)?$/;

export function isEffect(node: TSESTree.Node | undefined): node is TSESTree.CallExpression {
  return node?.type === AST_NODE_TYPES.CallExpression && EFFECTS.test(calledName(node));
}

/** The effect that a function is given to. */
export function effectOf(callback: TSESTree.Node): TSESTree.CallExpression | undefined {
  const { parent } = callback;
  return isFunction(callback) && isEffect(parent) && parent.arguments[0] === callback
    ? parent
    : undefined;
}

/** The effect whose callback a node stands in. */
export function effectAround(node: TSESTree.Node): TSESTree.CallExpression | undefined {
  for (const ancestor of ancestors(node)) {
    const effect = effectOf(ancestor);
    if (effect) return effect;
  }
  return undefined;
}

function nameOfFunction(node: FunctionNode): string | undefined {
  if (node.type !== AST_NODE_TYPES.ArrowFunctionExpression && node.id) return node.id.name;
  let { parent } = node;
  // `memo(() => ...)` and `forwardRef(() => ...)`.
  while (parent?.type === AST_NODE_TYPES.CallExpression) parent = parent.parent;
  if (parent?.type === AST_NODE_TYPES.VariableDeclarator) {
    return parent.id.type === AST_NODE_TYPES.Identifier ? parent.id.name : undefined;
  }
  return parent?.type === AST_NODE_TYPES.Property ? keyName(parent) : undefined;
}

export function isComponentOrHook(node: TSESTree.Node | undefined): node is FunctionNode {
  if (!isFunction(node)) return false;
  const name = nameOfFunction(node);
  return name !== undefined && (/^use[A-Z]/.test(name) || /^[A-Z]\w*[a-z]/.test(name));
}

/** The component or hook that a node stands in, at any depth. */
export function componentAround(node: TSESTree.Node): FunctionNode | undefined {
  return ancestors(node).filter(isComponentOrHook).at(-1);
}

/** The functions that an effect's callback returns: its cleanup. */
export function cleanupsOf(context: Context, effect: TSESTree.CallExpression): TSESTree.Node[] {
  const [callback] = effect.arguments;
  if (!isFunction(callback)) return callback ? [callback] : [];
  if (callback.body.type !== AST_NODE_TYPES.BlockStatement) return [callback.body];
  const found: TSESTree.Node[] = [];
  const visit = (node: TSESTree.Node): void => {
    if (node.type === AST_NODE_TYPES.ReturnStatement) {
      if (node.argument) found.push(unwrap(node.argument));
      return;
    }
    if (isFunction(node)) return;
    for (const key of context.sourceCode.visitorKeys[node.type] ?? []) {
      const child = (node as unknown as Record<string, unknown>)[key];
      for (const entry of Array.isArray(child) ? child : [child]) {
        if (entry && typeof entry === 'object' && 'type' in entry) visit(entry as TSESTree.Node);
      }
    }
  };
  visit(callback.body);
  return found;
}
