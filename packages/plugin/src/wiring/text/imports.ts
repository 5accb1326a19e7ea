import type { ImportDeclaration, Node, Program } from 'oxc-parser';
import { mentions } from './ast.js';
import type { Source } from './ast.js';

/** An import to be added: `import { symbol } from 'from'`. */
export interface Import {
  readonly symbol: string;
  readonly from: string;
}

/** Accepts the expressions that name what a module imports: an alias and `namespace.name` too. */
export function referenceTo(program: Program, { symbol, from }: Import): (node: Node) => boolean {
  const names = new Set<string>();
  const namespaces = new Set<string>();
  for (const statement of importsOf(program)) {
    if (statement.source.value !== from) continue;
    for (const specifier of statement.specifiers) {
      const { name } = specifier.local;
      if (specifier.type !== 'ImportSpecifier') namespaces.add(name);
      else if (importedName(specifier.imported) === symbol) names.add(name);
    }
  }
  return (node) =>
    node.type === 'Identifier'
      ? names.has(node.name)
      : node.type === 'MemberExpression' &&
        node.object.type === 'Identifier' &&
        namespaces.has(node.object.name) &&
        node.property.type === 'Identifier' &&
        node.property.name === symbol;
}

/** The name by which the file has imported what is wanted, from this path or another to it. */
export function importedAs(program: Program, { symbol, from }: Import): string | null {
  return importedFromAny(program, symbol, (held) => isSameModule(held, from));
}

/** The name by which the file has imported a symbol, from whatever module or one that is accepted. */
export function importedFromAny(
  program: Program,
  symbol: string,
  isAccepted = (_from: string): boolean => true,
): string | null {
  for (const statement of importsOf(program)) {
    if (statement.importKind === 'type' || !isAccepted(statement.source.value)) continue;
    for (const specifier of statement.specifiers) {
      const isValue = specifier.type === 'ImportSpecifier' && specifier.importKind !== 'type';
      if (isValue && importedName(specifier.imported) === symbol) return specifier.local.name;
    }
  }
  return null;
}

/**
 * Imports what is wanted, after the last import and in the file's own quotes and semicolons, unless
 * the file does already. A name that means something else in the file is imported under another.
 *
 * @returns the name to use
 */
export function ensureImport(source: Source, wanted: Import): string {
  const { text, program, edits, eol } = source;
  const held = importedAs(program, wanted);
  if (held !== null) return held;
  const name = freeName(program, wanted.symbol);
  const last = importsOf(program).at(-1);
  const quote = quoteOf(source);
  const specifier = name === wanted.symbol ? name : `${wanted.symbol} as ${name}`;
  const end = endsWithSemicolon(source) ? ';' : '';
  const line = `import { ${specifier} } from ${quote}${wanted.from}${quote}${end}`;
  if (last) edits.appendLeft(last.end, `${eol}${line}`);
  else if (headEnd(source) > 0) edits.appendLeft(headEnd(source), `${eol}${line}`);
  else edits.appendLeft(text.startsWith('\uFEFF') ? 1 : 0, `${line}${eol}`);
  return name;
}

/** The quotes that the file writes. */
export function quoteOf({ text, program }: Source): string {
  for (const statement of program.body) {
    if (statement.type === 'ImportDeclaration') return text.charAt(statement.source.start);
    if (statement.type === 'ExpressionStatement' && statement.directive) {
      return text.charAt(statement.start);
    }
  }
  return "'";
}

function endsWithSemicolon({ text, program }: Source): boolean {
  const ends = program.body.filter(
    ({ type }) =>
      type === 'ImportDeclaration' ||
      type === 'VariableDeclaration' ||
      type === 'ExpressionStatement',
  );
  return ends.length === 0 || ends.some(({ end }) => text.charAt(end - 1) === ';');
}

/** End of the head of a file without imports: its hashbang and directives. */
function headEnd({ program }: Source): number {
  const directive = program.body.findLast(
    (statement) => statement.type === 'ExpressionStatement' && Boolean(statement.directive),
  );
  return directive?.end ?? program.hashbang?.end ?? 0;
}

function freeName(program: Program, symbol: string): string {
  const candidates = [symbol, `Realtime${symbol.charAt(0).toUpperCase()}${symbol.slice(1)}`];
  for (let name = candidates.shift(); name !== undefined; name = candidates.shift()) {
    if (!mentions(program, name)) return name;
    if (candidates.length === 0) candidates.push(`${name}_`);
  }
  return symbol;
}

/** The same file, by another path to it or through the index of a folder above it. */
function isSameModule(held: string, wanted: string): boolean {
  const file = (path: string): string =>
    path
      .replace(/\.[cm]?[jt]sx?$/, '')
      .split('/')
      .at(-1) ?? '';
  return (
    file(held) === file(wanted) || wanted.startsWith(`${held.replace(/\/index(?:\.js)?$/, '')}/`)
  );
}

function importsOf(program: Program): ImportDeclaration[] {
  return program.body.filter((statement) => statement.type === 'ImportDeclaration');
}

function importedName(name: { type: string; name?: string; value?: unknown }): unknown {
  return name.type === 'Identifier' ? name.name : name.value;
}
