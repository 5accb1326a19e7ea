import type { ImportDeclaration, Node } from 'oxc-parser';
import type { Merge } from '../merge.js';
import { merge3 } from '../merge.js';
import { keysOf, listOf } from './lists.js';
import type { ListPart } from './lists.js';
import { childrenOf, isSamePart, parseSource, startOf, textOf } from './source.js';
import type { Part, Source } from './source.js';

/**
 * Three-way merge by syntax, for what lines cannot tell: imports, members of a class, elements of a
 * list and tests are taken by their names, wherever they stand. An item that one side removed and
 * the other changed is a conflict; so is what both changed and what no list resolves, in the lines
 * of its item.
 *
 * @returns null where a text does not parse, or what it came to is not sure to hold everything
 */
export function mergeSyntax(path: string, base: string, yours: string, next: string): Merge | null {
  const sources = [base, yours, next].map((text) => parseSource(path, text));
  const [b, y, n] = sources.map((source) => source && { source, node: source.program });
  if (!b || !y || !n) return null;
  const lists = [b, y, n].map(listOf) as [ListPart, ListPart, ListPart];
  let merged: Merge;
  try {
    merged = mergeLines(...lists);
  } catch (error) {
    if (error instanceof Undecided) return null;
    throw error;
  }
  if (!holdsAll(base, yours, next, merged.text)) return null;
  if (merged.conflicts > 0) return merged;
  const result = parseSource(path, merged.text);
  return result && isSound(result) ? merged : null;
}

/** True if every name is imported or declared once and every class has each member once, as code that compiles. */
export function isSound({ program, text }: Source): boolean {
  const names = program.body.flatMap((statement) => declaredNames(statement));
  if (new Set(names).size < names.length) return false;
  return program.body.every((statement) => {
    const declared = declarationOf(statement);
    if (declared?.type !== 'ClassDeclaration') return true;
    const members = declared.body.body.flatMap((member) =>
      (member.type === 'MethodDefinition' && member.value.body && member.kind === 'method') ||
      member.type === 'PropertyDefinition'
        ? [`${member.static} ${text.slice(member.key.start, member.key.end)}`]
        : [],
    );
    return new Set(members).size === members.length;
  });
}

type Statement = Source['program']['body'][number];

const declarationOf = (statement: Statement) =>
  statement.type === 'ExportNamedDeclaration' ? statement.declaration : statement;

/** Names of values that a statement imports or declares. Types and overloads may have the name of another. */
function declaredNames(statement: Statement): string[] {
  if (statement.type === 'ImportDeclaration') {
    return statement.specifiers.map(({ local }) => local.name);
  }
  const declared = declarationOf(statement);
  if (declared?.type === 'VariableDeclaration') {
    return declared.declarations.flatMap(({ id }) => (id.type === 'Identifier' ? [id.name] : []));
  }
  const isNamed =
    declared?.type === 'ClassDeclaration' ||
    (declared?.type === 'FunctionDeclaration' && declared.body !== null);
  return isNamed && declared.id ? [declared.id.name] : [];
}

/** Thrown where syntax does not decide: the lines of the item around it do, or mark a conflict. */
class Undecided extends Error {}

type Three = readonly [base: Part, yours: Part, next: Part];

/** One node that all three have; no conflict is inside of it. */
function mergeNode(base: Part, yours: Part, next: Part): string {
  if (isSamePart(yours, base)) return textOf(next);
  if (isSamePart(next, base) || isSamePart(yours, next)) return textOf(yours);
  const three: Three = [base, yours, next];
  if (three.some(({ node }) => node.type !== base.node.type)) throw new Undecided();
  const lists = three.map(listOf);
  const [b, y, n] = lists;
  if (b && y && n) {
    if (b.style === 'commas') return mergeCommas(b, y, n);
    const { text, conflicts } = mergeLines(b, y, n);
    if (conflicts > 0) throw new Conflicted(text, conflicts);
    return text;
  }
  return hasSameChildren(three) ? mergeChildren(three) : mergeBody(three);
}

/** A class or a function of which one side alone has changed the head. */
function mergeBody(three: Three): string {
  const bodies = three.map(({ source, node }) => {
    const body =
      'declaration' in node ? node.declaration : 'body' in node ? (node.body as unknown) : null;
    if (typeof body !== 'object' || body === null || !('type' in body)) throw new Undecided();
    return { source, node: body as Node };
  }) as unknown as Three;
  const heads = three.map(({ source, node }, side) =>
    source.text.slice(startOf(node), bodies[side]!.node.start),
  ) as [string, string, string];
  const head = mergeGap(...heads);
  try {
    return head + mergeNode(...bodies);
  } catch (error) {
    if (!(error instanceof Conflicted)) throw error;
    throw new Conflicted(head + error.text, error.conflicts);
  }
}

function hasSameChildren(three: Three): boolean {
  const [count, ...others] = three.map(({ node }) => childrenOf(node).length);
  return count !== 0 && others.every((other) => other === count);
}

/** A node whose merged text holds conflict markers on lines of their own. */
class Conflicted extends Error {
  constructor(
    readonly text: string,
    readonly conflicts: number,
  ) {
    super();
  }
}

/** The same children in all three, one by one, and the text between them. */
function mergeChildren(three: Three): string {
  const children = three.map(({ node }) => childrenOf(node)) as [Node[], Node[], Node[]];
  const count = children[0].length;
  let text = '';
  let conflicts = 0;
  for (let index = 0; index <= count; index += 1) {
    const gaps = three.map(({ source, node }, side) => {
      const from = children[side]![index - 1]?.end ?? startOf(node);
      return source.text.slice(from, children[side]![index]?.start ?? node.end);
    }) as [string, string, string];
    text += mergeGap(...gaps);
    if (index === count) break;
    const parts = three.map(({ source }, side) => ({ source, node: children[side]![index]! }));
    try {
      text += mergeNode(...(parts as unknown as Three));
    } catch (error) {
      if (!(error instanceof Conflicted)) throw error;
      text += error.text;
      conflicts += error.conflicts;
    }
  }
  if (conflicts > 0) throw new Conflicted(text, conflicts);
  return text;
}

function mergeGap(base: string, yours: string, next: string): string {
  const same = (a: string, b: string): boolean => a.replace(/\s+/g, '') === b.replace(/\s+/g, '');
  if (same(yours, base)) return same(next, base) ? yours : next;
  if (same(next, base) || same(yours, next)) return yours;
  throw new Undecided();
}

/** An item of a list on lines of its own: with the comments above it, without blank lines. */
interface Item {
  readonly key: string;
  readonly part: Part;
  readonly text: string;
  /** The comments above it. */
  readonly lead: string;
  /** Text after it on its last line. */
  readonly trail: string;
  /** True if a blank line is above it. */
  readonly gap: boolean;
}

interface Lines {
  readonly head: string;
  readonly items: readonly Item[];
  readonly tail: string;
}

function linesOf(list: ListPart): Lines {
  const { part, items, open, close } = list;
  const { text } = part.source;
  const keys = keysOf(list);
  const lineEnd = (offset: number): number => {
    const end = text.indexOf('\n', offset);
    return end < 0 ? text.length : end + 1;
  };
  const isProgram = part.node.type === 'Program';
  let at = isProgram ? 0 : lineEnd(open);
  const head = text.slice(part.node.type === 'Program' ? 0 : part.node.start, at);
  if (!isProgram && (at > close || text.slice(open, at).trim() !== '')) throw new Undecided();
  const found = items.map((node, index): Item => {
    const start = startOf(node);
    const end = lineEnd(node.end);
    const following = startOf(items[index + 1] ?? node);
    const isLast = index === items.length - 1;
    const limit = isLast ? (isProgram ? text.length : close) : following;
    if (at > start || end > limit) throw new Undecided();
    const region = text.slice(at, end);
    const content = region.replace(/^(?:[ \t]*\n)+/, '');
    const item = {
      key: keys[index]!,
      part: { source: part.source, node },
      text: content.endsWith('\n') ? content : `${content}\n`,
      lead: text.slice(end - content.length, start),
      trail: text.slice(node.end, end).trimEnd(),
      gap: content.length < region.length,
    };
    at = end;
    return item;
  });
  return { head, items: found, tail: text.slice(at, isProgram ? text.length : part.node.end) };
}

function mergeLines(base: ListPart, yours: ListPart, next: ListPart): Merge {
  const [b, y, n] = [base, yours, next].map(linesOf) as [Lines, Lines, Lines];
  refuseUnnamed(b, y, n);
  const [inBase, inYours, inNext] = [b, y, n].map(
    ({ items }) => new Map(items.map((item) => [item.key, item])),
  ) as [Map<string, Item>, Map<string, Item>, Map<string, Item>];
  let conflicts = 0;
  const merged = new Map<string, { text: string; gap: boolean }>();
  for (const key of orderOf(y.items, n.items)) {
    const [own, ours, old] = [inYours.get(key), inNext.get(key), inBase.get(key)];
    const result = mergeItem(old, own, ours);
    if (result === null) continue;
    conflicts += result.conflicts;
    merged.set(key, { text: result.text, gap: (own ?? ours)?.gap ?? false });
  }
  const body = [...merged.values()].map(({ text, gap }, index) =>
    gap && index > 0 ? `\n${text}` : text,
  );
  const first = [...merged.values()][0];
  const lead = first?.gap && y.items[0]?.gap ? '\n' : '';
  const text = mergeGap(b.head, y.head, n.head) + lead + body.join('') + mergeTail(b, y, n);
  return { text, conflicts };
}

function mergeTail(b: Lines, y: Lines, n: Lines): string {
  return mergeGap(b.tail, y.tail, n.tail);
}

/** Nodes that only their place tells apart must be there as often in all three. */
function refuseUnnamed(...versions: readonly Lines[]): void {
  const counts = versions.map(({ items }) =>
    items
      .filter(({ key }) => key.startsWith('~'))
      .map(({ key }) => key)
      .sort()
      .join(),
  );
  if (new Set(counts).size > 1) throw new Undecided();
}

/** The keys of yours in their order, each that only next has after the one it follows there. */
function orderOf(
  yours: readonly { readonly key: string }[],
  next: readonly { readonly key: string }[],
): string[] {
  const order = yours.map(({ key }) => key);
  let previous: string | undefined;
  for (const [index, { key }] of next.entries()) {
    if (!order.includes(key)) {
      const following = next.slice(index + 1).find((other) => order.includes(other.key));
      const at =
        previous !== undefined
          ? order.indexOf(previous) + 1
          : following
            ? order.indexOf(following.key)
            : order.length;
      order.splice(at, 0, key);
    }
    previous = key;
  }
  return order;
}

/** Null for an item that is no more. */
function mergeItem(
  base: Item | undefined,
  yours: Item | undefined,
  next: Item | undefined,
): Merge | null {
  const plain = (text: string): Merge => ({ text, conflicts: 0 });
  if (base && yours && next) return mergeThree(base, yours, next);
  if (base && yours) {
    if (isSameItem(yours, base)) return null;
    return importWithout(yours, base) ?? marked(yours.text, '');
  }
  if (base && next) {
    if (isSameItem(next, base)) return null;
    return importWithout(next, base) ?? marked('', next.text);
  }
  if (yours && next) {
    if (isSameItem(yours, next)) return plain(yours.text);
    return importOf(yours, next) ?? marked(yours.text, next.text);
  }
  const added = yours ?? next;
  return added ? plain(added.text) : null;
}

const isSameItem = (a: Item, b: Item): boolean =>
  a.text === b.text ||
  (a.lead.trim() === b.lead.trim() && a.trail === b.trail && isSamePart(a.part, b.part));

const marked = (yours: string, next: string): Merge => ({
  text: `<<<<<<< yours\n${yours}=======\n${next}>>>>>>> nx-realtime\n`,
  conflicts: 1,
});

function mergeThree(base: Item, yours: Item, next: Item): Merge {
  if (isSameItem(yours, base)) return { text: next.text, conflicts: 0 };
  if (isSameItem(next, base) || isSameItem(yours, next)) return { text: yours.text, conflicts: 0 };
  try {
    const lead = mergeGap(base.lead, yours.lead, next.lead);
    const trail = mergeGap(base.trail, yours.trail, next.trail);
    const text = mergeNode(base.part, yours.part, next.part);
    return { text: `${lead}${text}${trail}\n`, conflicts: 0 };
  } catch (error) {
    if (error instanceof Conflicted) {
      const lead = yours.lead.trim() === base.lead.trim() ? next.lead : yours.lead;
      return { text: `${lead}${error.text}${yours.trail}\n`, conflicts: error.conflicts };
    }
    if (!(error instanceof Undecided)) throw error;
    return merge3(base.text, yours.text, next.text);
  }
}

/** The names that an import has gained, where the other side removed it. */
function importWithout(changed: Item, base: Item): Merge | null {
  const [list, held] = [listOf(changed.part), listOf(base.part)];
  if (changed.part.node.type !== 'ImportDeclaration' || !list || !held) return null;
  const old = new Set(keysOf(held));
  const keys = keysOf(list);
  const kept = list.items.filter((_item, index) => !old.has(keys[index]!));
  if (kept.length === 0) return null;
  return {
    text: printImport(
      changed,
      list,
      kept.map((node) => textOf({ ...changed.part, node })),
    ),
    conflicts: 0,
  };
}

/** The names of two imports of one module that both sides added. */
function importOf(yours: Item, next: Item): Merge | null {
  const [y, n] = [listOf(yours.part), listOf(next.part)];
  const nodes = [yours.part.node, next.part.node] as ImportDeclaration[];
  if (!y || !n || nodes.some(({ type }) => type !== 'ImportDeclaration')) return null;
  if (nodes[0]?.importKind !== nodes[1]?.importKind) return null;
  const [own, ours] = [keysOf(y), keysOf(n)];
  const names = [
    ...y.items.map((node) => textOf({ ...yours.part, node })),
    ...n.items
      .filter((_item, index) => !own.includes(ours[index]!))
      .map((node) => textOf({ ...next.part, node })),
  ];
  return { text: printImport(yours, y, names), conflicts: 0 };
}

function printImport(item: Item, { open, close }: ListPart, names: readonly string[]): string {
  const { source, node } = item.part;
  const head = source.text.slice(node.start, open);
  const tail = source.text.slice(close, node.end);
  const inLine = `${head} ${names.join(', ')} ${tail}`;
  const text =
    inLine.length <= WIDTH
      ? inLine
      : `${head}\n${names.map((name) => `  ${name},\n`).join('')}${tail}`;
  return `${item.lead}${text}${item.trail}\n`;
}

const WIDTH = 80;

/** An item between commas, with its comments. */
interface Element {
  readonly key: string;
  readonly part: Part;
  readonly lead: string;
  readonly trail: string;
}

interface Commas {
  readonly elements: readonly Element[];
  readonly isBroken: boolean;
  readonly indent: string;
  readonly closeIndent: string;
  readonly hasLastComma: boolean;
  /** Comments after the last item. */
  readonly rest: string;
}

function commasOf(list: ListPart): Commas {
  const { part, items, open, close } = list;
  const { text, comments } = part.source;
  const keys = keysOf(list);
  const inside = comments.filter(({ start, end }) => start >= open && end <= close);
  let from = open;
  const elements = items.map((node, index): Element => {
    const until = items[index + 1]?.start ?? close;
    const comma = commaAfter(text, inside, node.end, until);
    const after = comma < 0 ? node.end : comma + 1;
    const lineEnd = text.indexOf('\n', after);
    const trailing = inside.filter(
      ({ start }) => start >= node.end && start < until && (lineEnd < 0 || start < lineEnd),
    );
    const lead = inside.filter(({ start, end }) => start >= from && end <= node.start);
    const print = (list: typeof inside): string =>
      list.map(({ start, end }) => text.slice(start, end)).join('\n');
    from = Math.max(after, ...trailing.map(({ end }) => end));
    return {
      key: keys[index]!,
      part: { source: part.source, node },
      lead: print(lead),
      trail: print(trailing),
    };
  });
  const rest = inside
    .filter(({ start }) => start >= from)
    .map(({ start, end }) => text.slice(start, end));
  const [first] = items;
  const last = items.at(-1);
  const isBroken = first !== undefined && text.slice(open, first.start).includes('\n');
  return {
    elements,
    isBroken,
    indent: first ? indentAt(text, first.start) : '',
    closeIndent: indentAt(text, close),
    hasLastComma: last !== undefined && commaAfter(text, inside, last.end, close) >= 0,
    rest: rest.join('\n'),
  };
}

function commaAfter(
  text: string,
  comments: readonly { start: number; end: number }[],
  from: number,
  to: number,
): number {
  for (let at = text.indexOf(',', from); at >= 0 && at < to; at = text.indexOf(',', at + 1)) {
    if (!comments.some(({ start, end }) => start <= at && at < end)) return at;
  }
  return -1;
}

function indentAt(text: string, offset: number): string {
  const start = text.lastIndexOf('\n', offset - 1) + 1;
  return /^[ \t]*/.exec(text.slice(start))?.[0] ?? '';
}

function mergeCommas(base: ListPart, yours: ListPart, next: ListPart): string {
  const versions = [base, yours, next].map(commasOf) as [Commas, Commas, Commas];
  const [b, y, n] = versions;
  const [inBase, inYours, inNext] = versions.map(
    ({ elements }) => new Map(elements.map((element) => [element.key, element])),
  ) as [Map<string, Element>, Map<string, Element>, Map<string, Element>];
  // Without a name, what both changed would stand there twice.
  const isNameless = [...inBase.keys()].some((key) => !inYours.has(key) && !inNext.has(key));
  const bothAdd = [y, n].every(({ elements }) => elements.some(({ key }) => !inBase.has(key)));
  if (isNameless && bothAdd && base.part.node.type === 'ArrayExpression') throw new Undecided();
  const merged = orderOf(y.elements, n.elements).flatMap((key) => {
    try {
      return mergeElement(inBase.get(key), inYours.get(key), inNext.get(key));
    } catch (error) {
      throw error instanceof Conflicted ? new Undecided() : error;
    }
  });
  const rest = mergeGap(b.rest, y.rest, n.rest);
  const outside = (list: ListPart): [string, string] => [
    list.part.source.text.slice(list.part.node.start, list.open),
    list.part.source.text.slice(list.close, list.part.node.end),
  ];
  const [heads, tails] = [0, 1].map((side) =>
    [base, yours, next].map((list) => outside(list)[side]!),
  ) as [[string, string, string], [string, string, string]];
  const head = mergeGap(...heads);
  const tail = mergeGap(...tails);
  const isBraced = base.part.node.type !== 'ArrayExpression';
  const space = isBraced && merged.length > 0 ? ' ' : '';
  const hasComments = rest !== '' || merged.some(({ lead, trail }) => lead !== '' || trail !== '');
  const line = head + space + merged.map(({ text }) => text).join(', ') + space + tail;
  const start = yours.part.node.start;
  const before = start - (yours.part.source.text.lastIndexOf('\n', start - 1) + 1);
  const isLong = before + line.length > WIDTH || line.includes('\n');
  if (!y.isBroken && !n.isBroken && !hasComments && !isLong) return line;
  const closeIndent = indentAt(yours.part.source.text, start);
  const shape = y.isBroken ? y : n.isBroken ? n : null;
  const indent = shape?.indent ?? `${closeIndent}  `;
  const lastComma = y.isBroken ? y.hasLastComma : !n.isBroken || n.hasLastComma;
  const rows = merged.map(({ text, lead, trail }, index) => {
    const comma = index < merged.length - 1 || lastComma ? ',' : '';
    const above = lead === '' ? '' : `${indent}${lead.split('\n').join(`\n${indent}`)}\n`;
    return `${above}${indent}${text}${comma}${trail === '' ? '' : ` ${trail}`}\n`;
  });
  const below = rest === '' ? '' : `${indent}${rest.split('\n').join(`\n${indent}`)}\n`;
  return `${head}\n${rows.join('')}${below}${shape?.closeIndent ?? closeIndent}${tail}`;
}

interface Printed {
  readonly text: string;
  readonly lead: string;
  readonly trail: string;
}

/** None for an element that is no more. */
function mergeElement(
  base: Element | undefined,
  yours: Element | undefined,
  next: Element | undefined,
): Printed[] {
  const print = ({ part, lead, trail }: Element): Printed => ({ text: textOf(part), lead, trail });
  const same = (a: Element, b: Element): boolean =>
    a.lead === b.lead && a.trail === b.trail && isSamePart(a.part, b.part);
  if (base && yours && next) {
    if (same(yours, base)) return [print(next)];
    if (same(next, base) || same(yours, next)) return [print(yours)];
    return [
      {
        text: mergeNode(base.part, yours.part, next.part),
        lead: mergeGap(base.lead, yours.lead, next.lead),
        trail: mergeGap(base.trail, yours.trail, next.trail),
      },
    ];
  }
  if (base && (yours ?? next)) {
    if (same((yours ?? next)!, base)) return [];
    throw new Undecided();
  }
  if (yours && next && !same(yours, next)) throw new Undecided();
  const added = yours ?? next;
  return added ? [print(added)] : [];
}

/** True if the result holds every line that one side added, or at least each of its words. */
function holdsAll(base: string, yours: string, next: string, result: string): boolean {
  const lines = (text: string): Set<string> => new Set(text.split('\n').map((line) => line.trim()));
  const words = (text: string): string[] => text.match(/[\w$]+/g) ?? [];
  const [before, after, known] = [lines(base), lines(result), new Set(words(result))];
  return [...lines(yours), ...lines(next)]
    .filter((line) => !before.has(line) && !after.has(line))
    .every((line) => words(line).every((word) => known.has(word)));
}
