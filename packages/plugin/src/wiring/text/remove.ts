import type { ImportDeclaration, JSXElement, JSXFragment, Node } from 'oxc-parser';
import { findAll, kindOf, parse } from './ast.js';
import type { Found, Source } from './ast.js';
import { already, done, unable } from './edit.js';
import type { Edit } from './edit.js';
import { isFirstOfLine } from './indent.js';

/** Prettier's default line width. */
const WIDTH = 80;

/**
 * Takes what wiring has added out of a file again: imports of modules that are no more, and what is
 * named by them where it stands as wiring writes it, as an element of a list, a call awaited on a
 * line of its own, or an element without content.
 *
 * @param path of the file: TypeScript reads `<T>value` otherwise where there is JSX
 * @param isGone whether a module, by the path that it is imported from, is no more
 */
export function unwire(path: string, text: string, isGone: (from: string) => boolean): Edit {
  const source = parse(text, kindOf(path));
  if (typeof source === 'string') return unable('', source);
  const imports = source.program.body.filter(
    (statement): statement is ImportDeclaration =>
      statement.type === 'ImportDeclaration' && isGone(statement.source.value),
  );
  if (imports.length === 0) return already;
  for (const statement of imports) {
    const names = new Set(statement.specifiers.map(({ local }) => local.name));
    const uses = findAll(source.program, (node): node is NamedNode => isNamed(node, names)).filter(
      ({ ancestors }) => !ancestors.includes(statement),
    );
    for (const use of uses) {
      const reason = remove(source, use);
      if (reason !== undefined) {
        return unable(text.slice(statement.start, statement.end), reason);
      }
    }
    removeLine(source, statement.start, statement.end);
  }
  return done(source.edits.toString());
}

type NamedNode = Extract<Node, { type: 'Identifier' | 'JSXIdentifier' }>;

function isNamed(node: Node, names: ReadonlySet<string>): node is NamedNode {
  return (
    (node.type === 'Identifier' || node.type === 'JSXIdentifier') && names.has(String(node.name))
  );
}

/** @returns why it could not be removed, or nothing */
function remove(source: Source, { node, ancestors }: Found<NamedNode>): string | undefined {
  const parent = ancestors.at(-1);
  if (parent?.type === 'ArrayExpression') {
    removeItem(
      source,
      parent.elements.filter((item) => item !== null),
      node,
    );
    return undefined;
  }
  if (parent?.type === 'CallExpression' && parent.callee === node) {
    const statement = ancestors.findLast(({ type }) => type === 'ExpressionStatement');
    const outside = ancestors.slice(statement ? ancestors.indexOf(statement) + 1 : 0, -1);
    if (statement && outside.every(({ type }) => type === 'AwaitExpression')) {
      removeLine(source, statement.start, statement.end);
      return undefined;
    }
  }
  if (parent?.type === 'JSXOpeningElement') {
    if (!parent.selfClosing) return `<${String(node.name)}> has content`;
    const element = ancestors.at(-2) as JSXElement;
    const around = ancestors.at(-3);
    if (around?.type === 'JSXElement' || around?.type === 'JSXFragment') {
      removeChild(source, around, element, ancestors.slice(0, -3));
      return undefined;
    }
  }
  return `${String(node.name)} is used in another way than it was wired`;
}

export function removeItem({ text, edits }: Source, items: readonly Node[], item: Node): void {
  const index = items.indexOf(item);
  const [before, after] = [items[index - 1], items[index + 1]];
  if (after) {
    edits.remove(item.start, after.start);
  } else if (before) {
    edits.remove(before.end, item.end);
  } else {
    const open = text.lastIndexOf('[', item.start) + 1;
    const isBare = text.slice(open, item.start).trim() === '';
    const close = text.indexOf(']', item.end);
    const tail = text.slice(item.end, close).trim();
    if (isBare && (tail === '' || tail === ',')) edits.remove(open, close);
    else edits.remove(item.start, item.end + (tail.startsWith(',') ? 1 : 0));
  }
}

function removeChild(
  source: Source,
  parent: JSXElement | JSXFragment,
  element: JSXElement,
  ancestors: readonly Node[],
): void {
  const { text, edits } = source;
  const rest = parent.children.filter(
    (child) => child !== element && !(child.type === 'JSXText' && child.value.trim() === ''),
  );
  const [only] = rest;
  const line = only && text.slice(only.start, only.end);
  if (rest.length === 1 && only && line && !line.includes('\n')) {
    if (parent.type === 'JSXFragment' && only.type === 'JSXElement') {
      const paren = ancestors.at(-1);
      const outer = paren?.type === 'ParenthesizedExpression' ? paren : parent;
      edits.update(outer.start, outer.end, line);
      return;
    }
    if (parent.type === 'JSXElement' && parent.closingElement && only.type !== 'JSXText') {
      const { openingElement, closingElement } = parent;
      const start = text.lastIndexOf('\n', parent.start) + 1;
      const tail = text.slice(closingElement.start).split('\n')[0] ?? '';
      const width = openingElement.end - start + line.length + tail.length;
      if (width <= WIDTH) {
        edits.update(openingElement.end, closingElement.start, line);
        return;
      }
    }
  }
  removeLine(source, element.start, element.end);
}

/** With its whole lines where nothing else is on them. */
function removeLine({ text, edits }: Source, start: number, end: number): void {
  const lineEnd = text.indexOf('\n', end);
  const rest = text.slice(end, lineEnd < 0 ? text.length : lineEnd);
  const from = text.lastIndexOf('\n', start - 1) + 1;
  if (isFirstOfLine(text, start) && rest.trim() === '') {
    edits.remove(from, lineEnd < 0 ? text.length : lineEnd + 1);
  } else {
    edits.remove(start, end + (/^ *(?=\S)/.exec(rest)?.[0].length ?? 0));
  }
}

/**
 * Takes a class out of the lists of a file, as the providers of a module, and its import where
 * nothing else uses it.
 *
 * @param name as the file calls it
 */
export function dropFromLists(text: string, name: string): Edit {
  let changed = text;
  for (;;) {
    const source = parse(changed, 'file.ts');
    if (typeof source === 'string') return unable('', source);
    const uses = findAll(source.program, (node): node is NamedNode =>
      isNamed(node, new Set([name])),
    );
    const item = uses.find(({ ancestors }) => ancestors.at(-1)?.type === 'ArrayExpression');
    if (item) {
      const reason = remove(source, item);
      if (reason !== undefined) return unable('', reason);
    } else if (changed === text) {
      return already;
    } else {
      if (uses.every(({ ancestors }) => isImporting(ancestors))) dropImport(source, name);
      return done(source.edits.toString());
    }
    changed = source.edits.toString();
  }
}

const isImporting = (ancestors: readonly Node[]): boolean =>
  ancestors.some(({ type }) => type === 'ImportDeclaration');

function dropImport(source: Source, name: string): void {
  for (const statement of source.program.body) {
    if (statement.type !== 'ImportDeclaration') continue;
    const index = statement.specifiers.findIndex(({ local }) => local.name === name);
    const specifier = statement.specifiers[index];
    if (!specifier) continue;
    const [before, after] = [statement.specifiers[index - 1], statement.specifiers[index + 1]];
    if (!before && !after) removeLine(source, statement.start, statement.end);
    else if (specifier.type !== 'ImportSpecifier') return;
    else if (after) source.edits.remove(specifier.start, after.start);
    else if (before?.type === 'ImportSpecifier') source.edits.remove(before.end, specifier.end);
  }
}
