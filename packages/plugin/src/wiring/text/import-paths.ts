import type { Node } from 'oxc-parser';
import type { RenameWord } from '../../domain/index.js';
import { findAll, kindOf, parse } from './ast.js';
import type { Source } from './ast.js';

/** A path that a file imports, re-exports or requires. */
export interface ImportedPath {
  readonly from: string;
  /** From 1. */
  readonly line: number;
}

/** Every import of a file: static, dynamic, re-exported, required or mocked in a test. */
export function importsIn(path: string, text: string): ImportedPath[] {
  const source = parse(text, kindOf(path));
  if (typeof source === 'string') return [];
  return importLiterals(source).map(({ value, start }) => ({
    from: value,
    line: lineOf(text, start),
  }));
}

/** True if a text holds a name as a whole word. */
export function isWordIn(text: string, name: string): boolean {
  for (let at = text.indexOf(name); at >= 0; at = text.indexOf(name, at + 1)) {
    const [before, after] = [text.charAt(at - 1), text.charAt(at + name.length)];
    if (!/[\w$]/.test(before) && !/[\w$]/.test(after)) return true;
  }
  return false;
}

interface Renames {
  /** The text of an imported module and its new specifier; nothing for one that has not changed. */
  readonly pathOf: (from: string) => { readonly module: string; readonly from: string } | undefined;
  readonly renameWord: RenameWord;
}

/**
 * The file after a rename of modules that it imports.
 *
 * @returns the text, and the lines that still name what those modules have no more
 */
export function renameImported(
  path: string,
  text: string,
  { pathOf, renameWord }: Renames,
): { readonly text: string; readonly left: readonly { line: number; what: string }[] } {
  const source = parse(text, kindOf(path));
  if (typeof source === 'string') return { text, left: [] };
  const modules: string[] = [];
  for (const { value, start } of importLiterals(source)) {
    const found = pathOf(value);
    if (!found) continue;
    modules.push(found.module);
    if (found.from !== value) {
      source.edits.update(start + 1, start + 1 + value.length, found.from);
    }
  }
  if (modules.length === 0) return { text, left: [] };
  const renamed = (word: string): string | undefined =>
    modules.some((module) => isWordIn(module, word))
      ? undefined
      : renameWord(word).find((other) => modules.some((module) => isWordIn(module, other.word)))
          ?.word;
  const left: { line: number; what: string }[] = [];
  const words = namedIn(source);
  const bound = new Set(words.filter(({ kind }) => kind === 'import').map(({ name }) => name));
  const seen = new Set<number>();
  for (const { name, start, kind } of words) {
    const next = renamed(name);
    if (next === undefined || seen.has(start)) continue;
    seen.add(start);
    const isCertain = bound.has(name) ? kind !== 'key' : kind === 'string' || /^on[A-Z]/.test(name);
    if (isCertain && !isWordIn(text, next)) {
      source.edits.update(start, start + name.length, next);
    } else {
      left.push({ line: lineOf(text, start), what: name });
    }
  }
  return { text: source.edits.toString(), left };
}

interface Named {
  readonly name: string;
  readonly start: number;
  /** `key`: a property's name, which belongs to whatever object it is of. */
  readonly kind: 'import' | 'reference' | 'key' | 'string';
}

function namedIn({ program, text }: Source): Named[] {
  const named: Named[] = [];
  for (const { node, ancestors } of findAll(program, isNamed)) {
    const parent = ancestors.at(-1);
    if (node.type === 'Literal') {
      const content = text.slice(node.start + 1, node.end - 1);
      if (content === node.value)
        named.push({ name: content, start: node.start + 1, kind: 'string' });
    } else {
      const kind =
        parent?.type === 'ImportSpecifier' ? 'import' : isKey(node, parent) ? 'key' : 'reference';
      named.push({ name: node.name, start: node.start, kind });
    }
  }
  return named.sort((a, b) => a.start - b.start);
}

function isKey(node: Node, parent: Node | undefined): boolean {
  if (parent?.type === 'MemberExpression') return !parent.computed && parent.property === node;
  return (
    parent !== undefined &&
    'key' in parent &&
    (parent as { key: unknown }).key === node &&
    !('computed' in parent && parent.computed)
  );
}

type NamedNode = Extract<Node, { type: 'Identifier' | 'JSXIdentifier' | 'Literal' }> & {
  name: string;
  value: unknown;
};

function isNamed(node: Node): node is NamedNode {
  return (
    node.type === 'Identifier' ||
    node.type === 'JSXIdentifier' ||
    (node.type === 'Literal' && typeof node.value === 'string')
  );
}

function importLiterals({ program }: Source): { value: string; start: number }[] {
  const literals: { value: string; start: number }[] = [];
  const add = (node: unknown): void => {
    const literal = node as { type?: string; value?: unknown; start: number } | null | undefined;
    if (literal?.type === 'Literal' && typeof literal.value === 'string') {
      literals.push({ value: literal.value, start: literal.start });
    }
  };
  for (const { node } of findAll(program, isImporting)) {
    if (node.type !== 'CallExpression') add(node.source);
    else if (isLoader(node.callee)) add(node.arguments[0]);
  }
  return literals;
}

type Importing = Extract<
  Node,
  {
    type:
      | 'ImportDeclaration'
      | 'ExportNamedDeclaration'
      | 'ExportAllDeclaration'
      | 'ImportExpression'
      | 'CallExpression';
  }
>;

function isImporting(node: Node): node is Importing {
  return (
    node.type === 'ImportDeclaration' ||
    node.type === 'ExportNamedDeclaration' ||
    node.type === 'ExportAllDeclaration' ||
    node.type === 'ImportExpression' ||
    node.type === 'CallExpression'
  );
}

/** `require(...)`, and `jest.mock(...)` or `vi.mock(...)` with their relatives. */
function isLoader(callee: Node): boolean {
  if (callee.type === 'Identifier') return callee.name === 'require';
  return (
    callee.type === 'MemberExpression' &&
    callee.object.type === 'Identifier' &&
    ['jest', 'vi', 'require'].includes(callee.object.name)
  );
}

const lineOf = (text: string, offset: number): number => text.slice(0, offset).split('\n').length;
