import type { CallExpression, Node } from 'oxc-parser';
import { findAll, isCall, isWrapper, parse } from './ast.js';
import type { Found, Source } from './ast.js';
import { already, done, unable } from './edit.js';
import type { Edit } from './edit.js';
import { ensureImport, importedFromAny, referenceTo } from './imports.js';
import type { Import } from './imports.js';
import { indentAt, isFirstOfLine } from './indent.js';

const FACTORY: Import = { symbol: 'NestFactory', from: '@nestjs/core' };

/**
 * Adds `await <symbol>(app);` on the line before `app.listen(...)`, where `app` is whatever
 * `await NestFactory.create(...)` is assigned to. Before `app.init()` where that comes first: Nest
 * ignores adapters that are set later.
 */
export function addSetupCall(text: string, wanted: Import): Edit {
  const stop = (reason: string): Edit =>
    unable(
      `import { ${wanted.symbol} } from '${wanted.from}';\n\n// on the line before app.listen(...)\nawait ${wanted.symbol}(app);`,
      reason,
    );
  const source = parse(text, 'file.ts');
  if (typeof source === 'string') return stop(source);
  // From whatever module: an ejected kernel, or one that the owner wraps.
  const held = importedFromAny(source.program, wanted.symbol);
  const calls = findAll(source.program, isCall);
  if (held !== null && calls.some(({ node }) => isNamed(node.callee, held))) return already;
  const app = findApp(source, calls);
  if (typeof app === 'string') return stop(app);
  const statement = findStart(calls, app);
  if (typeof statement === 'string') return stop(statement);
  const symbol = ensureImport(source, wanted);
  insertBefore(source, statement, `await ${symbol}(${app.name})`);
  return done(source.edits.toString());
}

function insertBefore({ text, edits, eol }: Source, statement: Node, code: string): void {
  const end = text.charAt(statement.end - 1) === ';' ? ';' : '';
  const gap = isFirstOfLine(text, statement.start)
    ? `${end}${eol}${indentAt(text, statement.start)}`
    : '; ';
  edits.appendLeft(statement.start, `${code}${gap}`);
}

/** Adds `app.enableShutdownHooks();` before `app.listen(...)`, unless it is called already. */
export function addShutdownHooks(text: string): Edit {
  const stop = (reason: string): Edit =>
    unable('// on the line before app.listen(...)\napp.enableShutdownHooks();', reason);
  const source = parse(text, 'file.ts');
  if (typeof source === 'string') return stop(source);
  const calls = findAll(source.program, isCall);
  if (calls.some(({ node }) => isMember(node.callee, 'enableShutdownHooks'))) return already;
  const app = findApp(source, calls);
  if (typeof app === 'string') return stop(app);
  const statement = findStart(calls, app);
  if (typeof statement === 'string') return stop(statement);
  insertBefore(source, statement, `${app.name}.enableShutdownHooks()`);
  return done(source.edits.toString());
}

interface App {
  readonly name: string;
  /** The function, or the module, that creates it. */
  readonly scope: Node;
  readonly end: number;
}

/** The variable that holds the Nest application; a string says why there is none. */
function findApp({ program }: Source, calls: readonly Found<CallExpression>[]): App | string {
  const isFactory = referenceTo(program, FACTORY);
  const made = (by: string): Found<CallExpression>[] =>
    calls.filter(({ node: { callee } }) => isMember(callee, by) && isFactory(callee.object));
  const [created, ...others] = made('create');
  if (!created) {
    return made('createMicroservice').length > 0
      ? 'it boots a microservice without HTTP, which no browser can connect to'
      : 'it does not call NestFactory.create()';
  }
  if (others.length > 0) return 'it calls NestFactory.create() more than once';
  const outside = created.ancestors.filter((node) => !isWrapper(node));
  const awaited = outside.at(-1);
  const target = outside.at(-2);
  if (awaited?.type !== 'AwaitExpression') return 'NestFactory.create() is not awaited in place';
  const variable =
    target?.type === 'VariableDeclarator'
      ? target.id
      : target?.type === 'AssignmentExpression' && target.operator === '='
        ? target.left
        : null;
  if (variable?.type !== 'Identifier') return 'the application is not kept in a variable';
  return { name: variable.name, scope: scopeOf(created.ancestors), end: created.node.end };
}

/** The statement that starts the application; a string says why there is not one. */
function findStart(calls: readonly Found<CallExpression>[], app: App): Node | string {
  const callsOf = (method: string): Found<CallExpression>[] =>
    calls.filter(
      ({ node: { callee } }) => isMember(callee, method) && isNamed(callee.object, app.name),
    );
  const [listen, ...others] = callsOf('listen');
  if (!listen) return `${app.name}.listen() is not called`;
  if (others.length > 0) return `${app.name}.listen() is called more than once`;
  const inits = callsOf('init').filter(({ node }) => node.start < listen.node.start);
  const { block, statement } = placeOf(inits[0] ?? listen);
  const all = [listen, ...inits];
  const isReached = block !== undefined && all.every(({ ancestors }) => ancestors.includes(block));
  const isInScope = all.every(({ ancestors }) => scopeOf(ancestors) === app.scope);
  if (!statement || !isReached || !isInScope || statement.start < app.end) {
    return `${app.name}.listen() is not called in the function that creates ${app.name}`;
  }
  return statement;
}

/** The innermost block around a node, and the statement of that block which holds it. */
function placeOf({ ancestors }: Found<Node>): { block?: Node; statement?: Node } {
  const index = ancestors.findLastIndex(
    ({ type }) => type === 'BlockStatement' || type === 'Program',
  );
  const block = ancestors[index];
  const statement = ancestors[index + 1];
  return { ...(block && { block }), ...(statement && { statement }) };
}

function scopeOf(ancestors: readonly Node[]): Node {
  const scope = ancestors.findLast(
    ({ type }) =>
      type === 'FunctionDeclaration' ||
      type === 'FunctionExpression' ||
      type === 'ArrowFunctionExpression' ||
      type === 'Program',
  );
  if (!scope) throw new Error('a node outside of a program');
  return scope;
}

function isNamed(node: Node, name: string): boolean {
  return node.type === 'Identifier' && node.name === name;
}

function isMember(node: Node, name: string): node is Node & { object: Node } {
  return (
    node.type === 'MemberExpression' &&
    !node.computed &&
    node.property.type === 'Identifier' &&
    node.property.name === name
  );
}
