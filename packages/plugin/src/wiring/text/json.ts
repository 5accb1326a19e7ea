import { applyEdits, findNodeAtLocation, getNodeValue, modify, parseTree } from 'jsonc-parser';
import type { JSONPath, ParseError } from 'jsonc-parser';
import { already, done, eolOf, unable } from './edit.js';
import type { Edit } from './edit.js';

/** Sets a member that is missing; a member that is there stays, whatever it holds. */
export function setJson(text: string, path: JSONPath, value: unknown): Edit {
  const current = read(text, path);
  if (current === null) return unable(snippet(path, value));
  return current.value === undefined ? done(write(text, path, value, false)) : already;
}

/** Appends to a list what it does not hold yet; creates the list where there is none. */
export function appendJson(text: string, path: JSONPath, item: unknown): Edit {
  const current = read(text, path);
  const list = current?.value ?? [];
  if (current === null || !Array.isArray(list)) return unable(snippet(path, [item]));
  if (list.some((held) => JSON.stringify(held) === JSON.stringify(item))) return already;
  return done(
    current.value === undefined
      ? write(text, path, [item], false)
      : write(text, [...path, list.length], item, true),
  );
}

function read(text: string, path: JSONPath): { value: unknown } | null {
  const errors: ParseError[] = [];
  const tree = parseTree(text, errors, { allowTrailingComma: true });
  if (!tree || errors.length > 0) return null;
  const node = findNodeAtLocation(tree, path);
  return { value: node && getNodeValue(node) };
}

function write(text: string, path: JSONPath, value: unknown, isArrayInsertion: boolean): string {
  const indent = /^([ \t]+)\S/m.exec(text)?.[1] ?? '  ';
  const formattingOptions = {
    insertSpaces: !indent.startsWith('\t'),
    tabSize: indent.length,
    eol: eolOf(text),
  };
  return applyEdits(text, modify(text, path, value, { isArrayInsertion, formattingOptions }));
}

const snippet = (path: JSONPath, value: unknown): string =>
  `${path.join(' > ')}: ${JSON.stringify(value)}`;
