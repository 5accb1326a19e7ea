import type { CallExpression, Node, VariableDeclarator } from 'oxc-parser';
import { addImport, findAll, indentAt, localName, parse } from './ast.js';
import type { Import, Source } from './ast.js';
import { already, done, unable } from './edit.js';
import type { Edit } from './edit.js';

/**
 * Adds `await <symbol>(app);` on the line before `app.listen(...)`, where `app` is whatever
 * `await NestFactory.create(...)` is assigned to.
 */
export function addSetupCall(text: string, wanted: Import): Edit {
  const paste = unable(
    `import { ${wanted.symbol} } from '${wanted.from}';\n\nand on the line before app.listen(...): await ${wanted.symbol}(app);`,
  );
  const source = parse(text, 'file.ts');
  if (!source) return paste;
  const symbol = localName(source.program, wanted.symbol) ?? wanted.symbol;
  if (findAll(source.program, isCall).some(({ node }) => calls(node, symbol))) return already;
  const app = appVariable(source);
  const statement = app === null ? null : listenStatement(source, app);
  if (app === null || statement === null) return paste;
  const indent = indentAt(text, statement.start);
  const end = text.charAt(statement.end - 1) === ';' ? ';' : '';
  source.edits.appendLeft(statement.start, `await ${symbol}(${app})${end}${source.eol}${indent}`);
  addImport(source, wanted);
  return done(source.edits.toString());
}

/** The name of the one variable that holds the Nest application. */
function appVariable({ program }: Source): string | null {
  const factory = localName(program, 'NestFactory');
  const names = findAll(program, isDeclarator).flatMap(({ node: { id, init } }) => {
    if (id.type !== 'Identifier' || init?.type !== 'AwaitExpression') return [];
    const { argument } = init;
    const created =
      argument.type === 'CallExpression' &&
      isMember(argument.callee, 'create') &&
      argument.callee.object.type === 'Identifier' &&
      argument.callee.object.name === factory;
    return created ? [id.name] : [];
  });
  return names.length === 1 ? (names[0] ?? null) : null;
}

/** The one statement that calls `app.listen`, where a line before it is in the same async body. */
function listenStatement({ program }: Source, app: string): Node | null {
  const listens = findAll(program, isCall).filter(
    ({ node: { callee } }) =>
      isMember(callee, 'listen') &&
      callee.object.type === 'Identifier' &&
      callee.object.name === app,
  );
  const [listen] = listens;
  if (!listen || listens.length > 1) return null;
  const { ancestors } = listen;
  const body = ancestors.findLastIndex(
    ({ type }) => type === 'BlockStatement' || type === 'Program',
  );
  const statement = ancestors[body + 1];
  const scope = ancestors.slice(0, body + 1).findLast(isFunction);
  const isWithinBody = !ancestors.slice(body + 1).some(isFunction);
  return statement && isWithinBody && (scope === undefined || scope.async) ? statement : null;
}

type FunctionNode = Node & { async: boolean };

function isFunction(node: Node): node is FunctionNode {
  return (
    node.type === 'FunctionDeclaration' ||
    node.type === 'FunctionExpression' ||
    node.type === 'ArrowFunctionExpression'
  );
}

function isCall(node: Node): node is CallExpression {
  return node.type === 'CallExpression';
}

function isDeclarator(node: Node): node is VariableDeclarator {
  return node.type === 'VariableDeclarator';
}

function isMember(node: Node, name: string): node is Node & { object: Node } {
  return (
    node.type === 'MemberExpression' &&
    node.property.type === 'Identifier' &&
    !node.computed &&
    node.property.name === name
  );
}

function calls({ callee }: CallExpression, name: string): boolean {
  return callee.type === 'Identifier' && callee.name === name;
}
