import { createScanner, findNodeAtLocation, getNodeValue, parseTree } from 'jsonc-parser';
import type { JSONPath, Node, ParseError } from 'jsonc-parser';
import { isDeepStrictEqual } from 'node:util';
import { indentAt, isFirstOfLine } from './indent.js';
import { already, done, eolOf, unable } from './edit.js';
import type { Edit } from './edit.js';

/** `SyntaxKind` of jsonc-parser, a const enum. */
const COMMA = 5;
const COMMENTS = [12, 13];
const END = [2, 4, 17];

/** Keeps in one line what fits in one, as Prettier does. */
const LINE_WIDTH = 80;

/** Sets a member that is missing; a member that is there stays, whatever it holds. */
export function setJson(text: string, path: JSONPath, value: unknown): Edit {
  const root = parse(text);
  if (typeof root === 'string') return unable(snippet(path, value), root);
  if (findNodeAtLocation(root, path)) return already;
  let depth = path.length - 1;
  while (!findNodeAtLocation(root, path.slice(0, depth))) depth -= 1;
  const parent = findNodeAtLocation(root, path.slice(0, depth));
  if (parent?.type !== 'object') {
    return unable(snippet(path, value), `${path.slice(0, depth).join('.')} is not an object`);
  }
  const nested = path
    .slice(depth + 1)
    .reduceRight<unknown>((inner, key) => ({ [key]: inner }), value);
  const current = text.trim() === '' ? '{}\n' : text;
  return done(append(current, parent, nested, `${JSON.stringify(path[depth])}: `));
}

/** Appends to a list what it does not hold yet; creates the list where there is none. */
export function appendJson(text: string, path: JSONPath, item: unknown): Edit {
  const root = parse(text);
  if (typeof root === 'string') return unable(snippet(path, [item]), root);
  const list = findNodeAtLocation(root, path);
  if (!list) return setJson(text, path, [item]);
  if (list.type !== 'array') {
    return unable(snippet(path, [item]), `${path.join('.')} is not a list`);
  }
  const held = JSON.parse(JSON.stringify(getNodeValue(list))) as unknown[];
  if (held.some((other) => isDeepStrictEqual(other, item))) return already;
  return done(append(text, list, item, ''));
}

/** Removes a member that holds this value; any other value is its owner's. */
export function dropJson(text: string, path: JSONPath, value: unknown): Edit {
  const root = parse(text);
  if (typeof root === 'string') return already;
  const node = findNodeAtLocation(root, path);
  const held: unknown = node && JSON.parse(JSON.stringify(getNodeValue(node)));
  return node?.parent && isDeepStrictEqual(held, value)
    ? done(without(text, node.parent))
    : already;
}

/** Removes an item from a list; a list that this empties goes too, unless it is to stay. */
export function dropItem(text: string, path: JSONPath, item: unknown, keepEmpty: boolean): Edit {
  const root = parse(text);
  const list = typeof root === 'string' ? undefined : findNodeAtLocation(root, path);
  const held = (list?.type === 'array' && list.children) || [];
  const node = held.find((child) =>
    isDeepStrictEqual(JSON.parse(JSON.stringify(getNodeValue(child))), item),
  );
  if (!node || !list) return already;
  if (held.length > 1 || keepEmpty) return done(without(text, node));
  return list.parent ? done(without(text, list.parent)) : already;
}

/** The text without one member or item, its comma and its line. */
function without(text: string, node: Node): string {
  const siblings = node.parent?.children ?? [];
  const index = siblings.indexOf(node);
  const endOf = ({ offset, length }: Node): number => offset + length;
  const [before, after] = [siblings[index - 1], siblings[index + 1]];
  if (before) return text.slice(0, endOf(before)) + text.slice(endOf(node));
  if (after) return text.slice(0, node.offset) + text.slice(after.offset);
  const { offset, length } = node.parent ?? node;
  return text.slice(0, offset + 1) + text.slice(offset + length - 1);
}

function parse(text: string): Node | string {
  const errors: ParseError[] = [];
  // A space in place of a byte order mark keeps the offsets.
  const source = text.replace('\uFEFF', ' ');
  const root = parseTree(source.trim() === '' ? '{}' : source, errors, {
    allowTrailingComma: true,
  });
  return root?.type === 'object' && errors.length === 0 ? root : 'it is not a JSON object';
}

/** Inserts text alone, so that everything else stays as its owner wrote it. */
function append(text: string, parent: Node, value: unknown, key: string): string {
  const { offset, length, children = [] } = parent;
  const close = offset + length - 1;
  const last = children.at(-1);
  const from = last ? last.offset + last.length : offset + 1;
  const { comma, end, isBare } = tailOf(text, from, close);
  const eol = eolOf(text);
  const unit = /^([ \t]+)\S/m.exec(text)?.[1] ?? '  ';
  const outer = indentAt(text, offset);
  const inner =
    last && isFirstOfLine(text, last.offset) ? indentAt(text, last.offset) : outer + unit;
  const block = key + print(value, inner, unit, eol, key.length);
  if (!last && isBare) {
    const inLine = parent.type === 'array' && !block.includes('\n');
    const content = inLine ? block : `${eol}${inner}${block}${eol}${outer}`;
    return `${text.slice(0, offset + 1)}${content}${text.slice(close)}`;
  }
  if (last && !text.slice(end, close).includes('\n')) {
    return `${text.slice(0, from)}, ${key}${printInLine(value)}${text.slice(from)}`;
  }
  const separated = last && comma < 0 ? ',' : '';
  const item = `${eol}${inner}${block}${comma < 0 ? '' : ','}`;
  return text.slice(0, from) + separated + text.slice(from, end) + item + text.slice(end);
}

/** Text between the last child and the bracket: perhaps a comma and comments. */
function tailOf(
  text: string,
  from: number,
  close: number,
): { comma: number; end: number; isBare: boolean } {
  const scanner = createScanner(text, false);
  scanner.setPosition(from);
  let comma = -1;
  let end = from;
  for (let kind: number = scanner.scan(); !END.includes(kind); kind = scanner.scan()) {
    if (scanner.getTokenOffset() >= close) break;
    if (kind === COMMA) comma = scanner.getTokenOffset();
    if (kind === COMMA || COMMENTS.includes(kind)) {
      end = scanner.getTokenOffset() + scanner.getTokenLength();
    }
  }
  return { comma, end, isBare: end === from };
}

function print(value: unknown, indent: string, unit: string, eol: string, before: number): string {
  const isFlat = Array.isArray(value) && value.every((item) => typeof item !== 'object');
  const inLine = isFlat ? `[${value.map((item) => JSON.stringify(item)).join(', ')}]` : null;
  if (inLine !== null && indent.length + before + inLine.length < LINE_WIDTH) return inLine;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const inner = indent + unit;
  const items = Array.isArray(value)
    ? value.map((item) => print(item, inner, unit, eol, 0))
    : Object.entries(value).map(([key, item]) => {
        const name = `${JSON.stringify(key)}: `;
        return name + print(item, inner, unit, eol, name.length);
      });
  const [open, shut] = Array.isArray(value) ? '[]' : '{}';
  if (items.length === 0) return `${open}${shut}`;
  return `${open}${eol}${inner}${items.join(`,${eol}${inner}`)}${eol}${indent}${shut}`;
}

function printInLine(value: unknown): string {
  return JSON.stringify(value, null, 1).replace(/\n\s*/g, ' ');
}

const snippet = (path: JSONPath, value: unknown): string =>
  `${path.join(' > ')}: ${JSON.stringify(value)}`;
