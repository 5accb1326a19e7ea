import type { CallExpression, Expression, Node, Program } from 'oxc-parser';
import { findAll, parse, unwrap } from './ast.js';
import { already, done, unable } from './edit.js';
import type { Edit } from './edit.js';
import { quoteOf } from './imports.js';
import { appendItem } from './list.js';
import type { List } from './list.js';

/** Adds `{ ignores: [pattern] }` to the list that an ESLint flat config exports. */
export function addEslintIgnore(text: string, pattern: string): Edit {
  const item = (quote: string): string => `{ ignores: [${quote}${pattern}${quote}] }`;
  const stop = (reason: string): Edit =>
    unable(`// as an element of the exported list\n${item("'")},`, reason);
  const source = parse(text, 'file.ts');
  if (typeof source === 'string') return stop(source);
  const isPattern = (node: Node): node is Node => node.type === 'Literal' && node.value === pattern;
  if (findAll(source.program, isPattern).length > 0) return already;
  const list = listOf(source.program, exportedConfig(source.program));
  if (!list) return stop('it exports no list in place');
  appendItem(source, list, item(quoteOf(source)));
  return done(source.edits.toString());
}

/** The value of `export default`, `export =` or `module.exports =`. */
function exportedConfig(program: Program): Expression | null {
  for (const statement of program.body) {
    if (statement.type === 'ExportDefaultDeclaration') return statement.declaration as Expression;
    if (statement.type === 'TSExportAssignment') return statement.expression;
    if (statement.type !== 'ExpressionStatement') continue;
    const { expression } = statement;
    if (expression.type !== 'AssignmentExpression' || expression.left.type !== 'MemberExpression') {
      continue;
    }
    const { object, property } = expression.left;
    const isModule = object.type === 'Identifier' && object.name === 'module';
    if (isModule && property.type === 'Identifier' && property.name === 'exports') {
      return expression.right;
    }
  }
  return null;
}

function listOf(program: Program, value: Expression | null): List | null {
  const config = value && unwrap(value);
  if (config?.type === 'ArrayExpression') {
    const items = config.elements.filter((element) => element !== null);
    return { open: config.start + 1, close: config.end - 1, items };
  }
  if (config?.type === 'Identifier') return listOf(program, initialValue(program, config.name));
  if (config?.type !== 'CallExpression' || !takesConfigs(config)) return null;
  const [first, ...others] = config.arguments;
  if (!first) return null;
  if (others.length === 0 && first.type === 'ArrayExpression') return listOf(program, first);
  const open = config.typeArguments?.end ?? config.callee.end;
  return { open: open + 1, close: config.end - 1, items: config.arguments };
}

/** `defineConfig(...)` of ESLint and `config(...)` of typescript-eslint, however imported. */
function takesConfigs({ callee }: CallExpression): boolean {
  const name =
    callee.type === 'Identifier'
      ? callee.name
      : callee.type === 'MemberExpression' && callee.property.type === 'Identifier'
        ? callee.property.name
        : null;
  return name === 'defineConfig' || name === 'config';
}

function initialValue(program: Program, name: string): Expression | null {
  for (const statement of program.body) {
    if (statement.type !== 'VariableDeclaration') continue;
    for (const { id, init } of statement.declarations) {
      if (id.type === 'Identifier' && id.name === name) return init;
    }
  }
  return null;
}
