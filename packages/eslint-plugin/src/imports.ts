import { AST_NODE_TYPES } from '@typescript-eslint/utils';
import type { TSESTree } from '@typescript-eslint/utils';
import { keyName, memberName, stringOf, unwrap, variableOf } from './ast.js';
import type { Context } from './ast.js';

interface Imported {
  readonly source: string;
  /** The exported name, `default` or `*`. */
  readonly name: string;
}

const cache = new WeakMap<TSESTree.Program, Map<string, Imported>>();

/** What a file imports or requires at its top level, by local name. */
export function importsOf(context: Context): Map<string, Imported> {
  const program = context.sourceCode.ast;
  const known = cache.get(program);
  if (known) return known;
  const imports = new Map<string, Imported>();
  cache.set(program, imports);
  for (const statement of program.body) {
    if (statement.type === AST_NODE_TYPES.ImportDeclaration) {
      const source = statement.source.value;
      for (const specifier of statement.specifiers) {
        const name =
          specifier.type === AST_NODE_TYPES.ImportSpecifier
            ? 'name' in specifier.imported
              ? specifier.imported.name
              : specifier.imported.value
            : specifier.type === AST_NODE_TYPES.ImportDefaultSpecifier
              ? 'default'
              : '*';
        imports.set(specifier.local.name, { source, name });
      }
    } else if (statement.type === AST_NODE_TYPES.TSImportEqualsDeclaration) {
      const reference = statement.moduleReference;
      if (reference.type === AST_NODE_TYPES.TSExternalModuleReference) {
        const source = stringOf(reference.expression);
        if (source !== undefined) imports.set(statement.id.name, { source, name: '*' });
      }
    } else if (statement.type === AST_NODE_TYPES.VariableDeclaration) {
      for (const { id, init } of statement.declarations) addRequired(imports, id, init);
    }
  }
  return imports;
}

function addRequired(
  imports: Map<string, Imported>,
  id: TSESTree.Node,
  init: TSESTree.Expression | null,
): void {
  if (
    init?.type !== AST_NODE_TYPES.CallExpression ||
    init.callee.type !== AST_NODE_TYPES.Identifier ||
    init.callee.name !== 'require'
  ) {
    return;
  }
  const source = stringOf(init.arguments[0]);
  if (source === undefined) return;
  if (id.type === AST_NODE_TYPES.Identifier) imports.set(id.name, { source, name: '*' });
  if (id.type !== AST_NODE_TYPES.ObjectPattern) return;
  for (const entry of id.properties) {
    if (entry.type !== AST_NODE_TYPES.Property) continue;
    const name = keyName(entry);
    if (name !== undefined && entry.value.type === AST_NODE_TYPES.Identifier) {
      imports.set(entry.value.name, { source, name });
    }
  }
}

/**
 * The module and the exported name that an expression or type name stands for: of `io`, `ws.Server` and of an
 * alias alike. Nothing for what is declared here.
 */
export function importOf(context: Context, node: TSESTree.Node): Imported | undefined {
  const expression = unwrap(node);
  if (expression.type === AST_NODE_TYPES.Identifier) {
    const imported = importsOf(context).get(expression.name);
    if (!imported) return undefined;
    const scope = variableOf(context, expression)?.scope;
    return !scope || scope.type === 'module' || scope.type === 'global' ? imported : undefined;
  }
  const [outer, name] =
    expression.type === AST_NODE_TYPES.MemberExpression
      ? [expression.object, memberName(expression)]
      : expression.type === AST_NODE_TYPES.TSQualifiedName
        ? [expression.left, expression.right.name]
        : [];
  if (!outer || name === undefined) return undefined;
  const imported = importOf(context, outer);
  return imported && (imported.name === '*' || imported.name === 'default')
    ? { source: imported.source, name }
    : undefined;
}

/** Whether an expression is what a module exports under one of the names. */
export function isImport(
  context: Context,
  node: TSESTree.Node,
  source: string,
  ...names: readonly string[]
): boolean {
  const imported = importOf(context, node);
  return imported?.source === source && (names.length === 0 || names.includes(imported.name));
}
