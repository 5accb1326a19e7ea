import type { Node } from 'oxc-parser';
import type { Source } from './ast.js';
import { indentAt, indentUnit, isFirstOfLine } from './indent.js';

/** A list in brackets: where its first item could begin, and its closing bracket. */
export interface List {
  readonly open: number;
  readonly close: number;
  readonly items: readonly Node[];
}

/** Appends an item in the list's own style: lines, indentation, comments and trailing comma. */
export function appendItem(source: Source, list: List, item: string): void {
  const { text, edits, eol } = source;
  const { close, items } = list;
  const last = items.at(-1);
  const from = last?.end ?? list.open;
  const comments = source.comments.filter(({ start, end }) => start >= from && end <= close);
  const comma = commaAfter(source, from, close);
  const end = Math.max(from, comma + 1, comments.at(-1)?.end ?? 0);
  const closesOnOwnLine = text.slice(end, close).includes('\n');
  if (!last && comments.length === 0) {
    edits.update(list.open - 1, close, `${text.charAt(list.open - 1)}${item}`);
  } else if (last && !closesOnOwnLine) {
    edits.appendLeft(last.end, `, ${item}`);
  } else if (!closesOnOwnLine) {
    edits.appendLeft(end, ` ${item}`);
  } else {
    if (last && comma < 0) edits.appendLeft(last.end, ',');
    edits.appendLeft(
      end,
      `${eol}${itemIndent(text, list, comments[0])}${item}${comma < 0 ? '' : ','}`,
    );
  }
}

function itemIndent(
  text: string,
  { open, items }: List,
  comment: { start: number } | undefined,
): string {
  const ownLine = [...items].reverse().find(({ start }) => isFirstOfLine(text, start));
  if (ownLine) return indentAt(text, ownLine.start);
  if (items.length === 0 && comment && isFirstOfLine(text, comment.start)) {
    return indentAt(text, comment.start);
  }
  return indentAt(text, open - 1) + indentUnit(text);
}

/** The offset of the comma between two offsets, outside of comments; -1 without one. */
function commaAfter({ text, comments }: Source, from: number, to: number): number {
  for (let at = text.indexOf(',', from); at >= 0 && at < to; at = text.indexOf(',', at + 1)) {
    if (!comments.some(({ start, end }) => start <= at && at < end)) return at;
  }
  return -1;
}
