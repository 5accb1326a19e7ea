import MagicString from 'magic-string';
import type { CallExpression, Class, Comment, Expression, Node, Program } from 'oxc-parser';
import { loadParser } from '../../host/index.js';
import { eolOf } from './edit.js';

/** A TypeScript file that parses, ready to be edited. */
export interface Source {
  readonly text: string;
  readonly program: Program;
  readonly comments: readonly Comment[];
  readonly edits: MagicString;
  readonly eol: string;
}

/** A node with its ancestors, nearest last. */
export interface Found<T extends Node> {
  readonly node: T;
  readonly ancestors: readonly Node[];
}

/** Parses TypeScript or JavaScript; a string says why it could not be. */
export function parse(text: string, filename: 'file.ts' | 'file.tsx'): Source | string {
  const parser = loadParser();
  if (!parser) return 'the parser could not be loaded on this platform';
  const { program, comments, errors } = parser.parseSync(filename, text);
  const [error] = errors;
  if (error) return `it does not parse: ${error.message}`;
  return { text, program, comments, edits: new MagicString(text), eol: eolOf(text) };
}

/** The syntax that `parse` expects of a file: `<T>value` is no JSX in TypeScript, and `.js` may hold JSX. */
export const kindOf = (path: string): 'file.ts' | 'file.tsx' =>
  /\.[jt]sx$|\.js$/.test(path) ? 'file.tsx' : 'file.ts';

export const isCall = (node: Node): node is CallExpression => node.type === 'CallExpression';

export const isClass = (node: Node): node is Class =>
  node.type === 'ClassDeclaration' || node.type === 'ClassExpression';

/** The name of a property or a member, where it is not computed from something else. */
export function keyOf(node: Node): string | null {
  if (node.type === 'Identifier') return node.name;
  return node.type === 'Literal' && typeof node.value === 'string' ? node.value : null;
}

/** The nodes at and below `root` that `select` accepts. */
export function findAll<T extends Node>(
  root: Node,
  select: (node: Node) => node is T,
  ancestors: readonly Node[] = [],
): Found<T>[] {
  const found = select(root) ? [{ node: root, ancestors }] : [];
  const below = [...ancestors, root];
  return [...found, ...childrenOf(root).flatMap((child) => findAll(child, select, below))];
}

/** True if a name is used anywhere at or below a node. */
export function mentions(root: Node, name: string): boolean {
  const named = (node: Node): node is Node =>
    (node.type === 'Identifier' || node.type === 'JSXIdentifier') && node.name === name;
  return findAll(root, named).length > 0;
}

/** An expression without parentheses and type assertions around it. */
export function unwrap(node: Expression): Expression {
  return isWrapper(node) ? unwrap(node.expression) : node;
}

/** Parentheses, `as`, `satisfies`, `!` and `<T>`. */
export function isWrapper(node: Node): node is Node & { expression: Expression } {
  return (
    node.type === 'ParenthesizedExpression' ||
    node.type === 'TSAsExpression' ||
    node.type === 'TSSatisfiesExpression' ||
    node.type === 'TSNonNullExpression' ||
    node.type === 'TSTypeAssertion'
  );
}

function childrenOf(node: Node): Node[] {
  return Object.values(node)
    .flatMap((value: unknown) => (Array.isArray(value) ? (value as unknown[]) : [value]))
    .filter(isNode);
}

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && 'type' in value && 'start' in value;
}
