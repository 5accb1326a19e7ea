import type { Pair, YAMLMap } from 'yaml';
import { loadYaml } from '../../host/index.js';
import { already, done, eolOf, unable } from './edit.js';
import type { Edit } from './edit.js';

/**
 * Adds to a YAML file the keys of `defaults` that it lacks, at any depth. What is there stays as it
 * is written: what is missing is inserted as text.
 */
export function ensureYaml(text: string, defaults: string): Edit {
  if (text.trim() === '') return done(defaults);
  if (text === defaults) return already;
  const { isMap, parseDocument } = loadYaml();
  const document = parseDocument(text);
  const wanted = parseDocument(defaults).contents;
  if (document.errors.length > 0 || !isMap(document.contents) || !isMap(wanted)) {
    return unable(defaults, 'it is not a YAML mapping');
  }
  const insertions = missingIn(document.contents, wanted);
  if (insertions.length === 0) return already;
  if (insertions.some(({ map }) => map.flow || map.items.length === 0)) {
    return unable(defaults, 'it has mappings in braces');
  }
  let result = text;
  for (const { map, pairs } of insertions.reverse()) result = insert(result, map, pairs);
  const isWhole =
    parseDocument(result).errors.length === 0 && ensureYaml(result, defaults) === already;
  return isWhole ? done(result) : unable(defaults, 'its shape was not recognised');
}

interface Insertion {
  readonly map: YAMLMap;
  readonly pairs: readonly Pair[];
}

/** Missing entries of each mapping, ordered by where the mappings end. */
function missingIn(held: YAMLMap, wanted: YAMLMap): Insertion[] {
  const { isMap } = loadYaml();
  const pairs: Pair[] = [];
  const below: Insertion[] = [];
  for (const pair of wanted.items) {
    const value = held.get(pair.key, true) as unknown;
    if (!held.has(pair.key)) pairs.push(pair);
    else if (isMap(value) && isMap(pair.value)) below.push(...missingIn(value, pair.value));
  }
  const own = pairs.length > 0 ? [{ map: held, pairs }] : [];
  return [...below.sort((a, b) => endOf(a.map) - endOf(b.map)), ...own];
}

function insert(text: string, map: YAMLMap, pairs: readonly Pair[]): string {
  const { Document, isScalar } = loadYaml();
  const eol = eolOf(text);
  const first = map.items[0]?.key;
  const start = isScalar(first) ? (first.range?.[0] ?? 0) : 0;
  const column = start - (text.lastIndexOf('\n', start - 1) + 1);
  const block = new Document(null);
  const content = block.createNode({}) as YAMLMap;
  content.items.push(...pairs);
  block.contents = content;
  const indented = block
    .toString({ lineWidth: 0 })
    .trimEnd()
    .split('\n')
    .map((line) => (line === '' ? '' : `${' '.repeat(column)}${line}`));
  const at = lineEnd(text, endOf(map));
  return `${text.slice(0, at)}${eol}${indented.join(eol)}${text.slice(at)}`;
}

/** End of a mapping's text, without the comments and blank lines after it. */
function endOf(map: YAMLMap): number {
  const { isMap, isScalar } = loadYaml();
  const { value, key } = map.items.at(-1) ?? {};
  if (isMap(value) && value.items.length > 0 && !value.flow) return endOf(value);
  const range = (value as { range?: [number, number, number] } | null | undefined)?.range;
  return range?.[1] ?? (isScalar(key) ? (key.range?.[1] ?? 0) : 0);
}

/** The end of the line that an offset is in; of the line before where it is the first of its line. */
function lineEnd(text: string, offset: number): number {
  const from = text.charAt(offset - 1) === '\n' ? offset - 1 : offset;
  const end = text.indexOf('\n', from);
  const at = end < 0 ? text.length : end;
  return text.charAt(at - 1) === '\r' ? at - 1 : at;
}
