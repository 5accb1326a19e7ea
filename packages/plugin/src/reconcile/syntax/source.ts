import type { Comment, Node, Program } from 'oxc-parser';
import { loadParser } from '../../host/index.js';

/** A text that parses. */
export interface Source {
  readonly text: string;
  readonly program: Program;
  readonly comments: readonly Comment[];
}

/** A node and the text that it is of. */
export interface Part<T extends Node = Node> {
  readonly source: Source;
  readonly node: T;
}

/** Null for what is not TypeScript or JavaScript, or does not parse. */
export function parseSource(path: string, text: string): Source | null {
  const parser = /\.[cm]?[jt]sx?$/.test(path) ? loadParser() : null;
  if (!parser) return null;
  const { program, comments, errors } = parser.parseSync(path, text);
  return errors.length > 0 ? null : { text, program, comments };
}

export const textOf = ({ source, node }: Part): string =>
  source.text.slice(startOf(node), node.end);

/** Start of a node, with the decorators that stand before an `export`. */
export function startOf(node: Node): number {
  return Math.min(node.start, ...declarationOf(node).map(({ start }) => start));
}

/** Parts of an export: its decorators where they stand before it, and the declaration. */
function declarationOf(node: Node): Node[] {
  if (node.type !== 'ExportNamedDeclaration' && node.type !== 'ExportDefaultDeclaration') return [];
  const { declaration } = node;
  if (!declaration) return [];
  const decorators = 'decorators' in declaration ? (declaration.decorators ?? []) : [];
  return [
    ...decorators.filter(({ end }) => end <= node.start && end <= declaration.start),
    declaration,
  ];
}

/** In the order of the text; a node that stands where another does, as in a shorthand, is left out. */
export function childrenOf(node: Node): Node[] {
  const declared = declarationOf(node);
  if (declared.length > 0) return declared;
  const children = Object.entries(node)
    .filter(([key]) => key !== 'parent')
    .flatMap(([, value]: [string, unknown]) =>
      Array.isArray(value) ? (value as unknown[]) : [value],
    )
    .filter(isNode)
    .filter(({ start }) => start >= node.start)
    .sort((a, b) => a.start - b.start || b.end - a.end);
  let end = -1;
  return children.filter((child) => {
    if (child.start < end) return false;
    end = child.end;
    return true;
  });
}

/** True if two texts are the same code with the same comments, however they are laid out. */
export function isSameCode(a: Source, b: Source): boolean {
  return (
    a.text === b.text || isSamePart({ source: a, node: a.program }, { source: b, node: b.program })
  );
}

/** True if two nodes are the same code with the same comments, however they are laid out. */
export function isSamePart(a: Part, b: Part): boolean {
  if (textOf(a) === textOf(b)) return true;
  return isSameNode(a.node, b.node) && isSameList(commentsIn(a), commentsIn(b));
}

function commentsIn({ source, node }: Part): string[] {
  return source.comments
    .filter(({ start, end }) => start >= startOf(node) && end <= node.end)
    .map(({ value }) => value.replace(/\s*\n\s*\*?\s*/g, ' ').trim());
}

const isSameList = (a: readonly string[], b: readonly string[]): boolean =>
  a.length === b.length && a.every((item, index) => item === b[index]);

const LAYOUT = new Set(['start', 'end', 'raw', 'range', 'loc', 'parent']);

function isSameNode(a: unknown, b: unknown): boolean {
  const [left, right] = [unwrapped(a), unwrapped(b)];
  if (Array.isArray(left) && Array.isArray(right)) {
    return (
      left.length === right.length && left.every((item, index) => isSameNode(item, right[index]))
    );
  }
  if (!isObject(left) || !isObject(right)) return left === right;
  const keys = new Set([...Object.keys(left), ...Object.keys(right)]);
  return [...keys].every((key) => LAYOUT.has(key) || isSameNode(left[key], right[key]));
}

/** Parentheses around an expression are layout, and so is white space around the text of JSX. */
function unwrapped(value: unknown): unknown {
  if (!isObject(value)) return value;
  if (value['type'] === 'ParenthesizedExpression') return unwrapped(value['expression']);
  if (value['type'] === 'JSXText') return String(value['value']).replace(/\s+/g, ' ');
  return value;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !(value instanceof RegExp);
}

function isNode(value: unknown): value is Node {
  return isObject(value) && 'type' in value && 'start' in value;
}
