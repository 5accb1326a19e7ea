import MagicString from 'magic-string';
import type { Node, Program } from 'oxc-parser';
import { eolOf } from './edit.js';

/** A TypeScript file that parses, ready to be edited. */
export interface Source {
  readonly text: string;
  readonly program: Program;
  readonly edits: MagicString;
  readonly eol: string;
}

/** An import to be added: `import { symbol } from 'from'`. */
export interface Import {
  readonly symbol: string;
  readonly from: string;
}

/** Loaded at the first edit: the parser is native, and may be missing for a platform. */
function loadParser(): typeof import('oxc-parser') | null {
  try {
    // eslint-disable-next-line @typescript-eslint/no-require-imports
    return require('oxc-parser') as typeof import('oxc-parser');
  } catch {
    return null;
  }
}

/** Parses TypeScript with JSX; null when it does not parse, or the parser cannot be loaded. */
export function parse(text: string, filename: 'file.ts' | 'file.tsx'): Source | null {
  const result = loadParser()?.parseSync(filename, text);
  if (!result || result.errors.length > 0) return null;
  return { text, program: result.program, edits: new MagicString(text), eol: eolOf(text) };
}

/** Visits a node and all below it, each with its ancestors, nearest last. */
export function walk(
  root: Node,
  visit: (node: Node, ancestors: readonly Node[]) => void,
  ancestors: readonly Node[] = [],
): void {
  visit(root, ancestors);
  const below = [...ancestors, root];
  for (const value of Object.values(root)) {
    for (const child of Array.isArray(value) ? (value as unknown[]) : [value]) {
      if (isNode(child)) walk(child, visit, below);
    }
  }
}

/** The nodes below `root` that `select` accepts, with their ancestors. */
export function findAll<T extends Node>(
  root: Node,
  select: (node: Node) => node is T,
): { node: T; ancestors: readonly Node[] }[] {
  const found: { node: T; ancestors: readonly Node[] }[] = [];
  walk(root, (node, ancestors) => {
    if (select(node)) found.push({ node, ancestors });
  });
  return found;
}

/** The name under which a module imports something: `NestFactory`, or its alias. */
export function localName(program: Program, imported: string): string | null {
  for (const statement of program.body) {
    if (statement.type !== 'ImportDeclaration') continue;
    for (const specifier of statement.specifiers) {
      if (specifier.type !== 'ImportSpecifier') continue;
      const name =
        specifier.imported.type === 'Identifier'
          ? specifier.imported.name
          : specifier.imported.value;
      if (name === imported) return specifier.local.name;
    }
  }
  return null;
}

/** Adds an import after the last one, in the file's own quotes and with its own semicolons. */
export function addImport({ text, program, edits, eol }: Source, { symbol, from }: Import): void {
  if (localName(program, symbol) !== null) return;
  const imports = program.body.filter((statement) => statement.type === 'ImportDeclaration');
  const last = imports.at(-1);
  const quote = last ? text.charAt(last.source.start) : "'";
  const end = !last || text.charAt(last.end - 1) === ';' ? ';' : '';
  const line = `import { ${symbol} } from ${quote}${from}${quote}${end}`;
  const directive = program.body.findLast(
    (statement) => statement.type === 'ExpressionStatement' && 'directive' in statement,
  );
  const after = last ?? directive;
  if (after) edits.appendLeft(after.end, `${eol}${line}`);
  else edits.prepend(`${line}${eol}`);
}

/** The white space that the line of an offset begins with. */
export function indentAt(text: string, offset: number): string {
  const start = text.lastIndexOf('\n', offset - 1) + 1;
  return /^[ \t]*/.exec(text.slice(start))?.[0] ?? '';
}

/** One step of the file's own indentation. */
export function indentUnit(text: string): string {
  return /^(\t| {2,})\S/m.exec(text)?.[1] ?? '  ';
}

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && 'type' in value && 'start' in value;
}
