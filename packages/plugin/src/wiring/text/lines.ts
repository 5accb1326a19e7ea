import { parseEnv } from 'node:util';
import { already, done, eolOf } from './edit.js';
import type { Edit } from './edit.js';

export interface EnvEntry {
  readonly key: string;
  readonly value: string;
  readonly comment?: string;
}

/** Variables of an env file by name; a byte order mark and CRLF are none of them. */
export function readEnv(text: string): Record<string, string | undefined> {
  return parseEnv(text.replace('\uFEFF', '').replaceAll('\r\n', '\n'));
}

/** Adds to an env file the keys that it lacks; a key that is there keeps its value. */
export function ensureEnv(text: string, entries: readonly EnvEntry[]): Edit {
  const held = readEnv(text);
  const missing = entries.filter(({ key }) => !Object.hasOwn(held, key));
  if (missing.length === 0) return already;
  const lines = missing.flatMap(({ key, value, comment }) => [
    ...(comment === undefined ? [] : [`# ${comment}`]),
    `${key}=${quoted(value)}`,
  ]);
  return done(insertLines(text, text.length, lines));
}

/** Removes entries that are as {@link ensureEnv} writes them; other values are their owner's. */
export function dropEnv(text: string, entries: readonly EnvEntry[]): Edit {
  const lines = text.split('\n');
  const isLine = (index: number, line: string): boolean => lines[index]?.trimEnd() === line;
  const dropped = new Set<number>();
  for (const { key, value, comment } of entries) {
    const at = lines.findIndex((line) => line.trimEnd() === `${key}=${quoted(value)}`);
    if (at < 0) continue;
    dropped.add(at);
    if (comment !== undefined && isLine(at - 1, `# ${comment}`)) dropped.add(at - 1);
  }
  if (dropped.size === 0) return already;
  return done(joined(lines.filter((_line, index) => !dropped.has(index))));
}

/** Removes what {@link ensureLines} added: these lines below their heading, and the gap above it. */
export function dropLines(text: string, lines: readonly string[], heading: string): Edit {
  const held = text.split('\n');
  const start = held.findIndex((line) => line.trim() === `# ${heading}`);
  if (start < 0) return already;
  let end = start + 1;
  while (lines.includes(held[end]?.trim() ?? '')) end += 1;
  const gap = start > 0 && held[start - 1]?.trim() === '' ? 1 : 0;
  return done(joined([...held.slice(0, start - gap), ...held.slice(end)]));
}

/** Lines that were split at `\n`; one that has become the last may be left with half of a CRLF. */
const joined = (lines: readonly string[]): string => lines.join('\n').replace(/\r$/, '');

/** Adds to an ignore or attributes file the lines that it lacks, under a comment. */
export function ensureLines(text: string, lines: readonly string[], heading: string): Edit {
  const held = text
    .replace('\uFEFF', '')
    .split(/\r?\n/)
    .map((line) => line.trim());
  const missing = lines.filter((line) => !held.includes(line));
  if (missing.length === 0) return already;
  const title = `# ${heading}`;
  const start = held.indexOf(title);
  if (start < 0) {
    const gap = text.trim() === '' ? [] : [''];
    return done(insertLines(text, text.length, [...gap, title, ...missing]));
  }
  const end = held.indexOf('', start);
  const block = text
    .split('\n')
    .slice(0, end < 0 ? held.length : end)
    .join('\n');
  const at = end < 0 ? text.length : block.length + 1;
  return done(insertLines(text, at, missing));
}

/** The value as an env file reads it back: in quotes where there is white space, a quote or a `#`. */
function quoted(value: string): string {
  if (!/[\s#'"`\\]/.test(value)) return value;
  const quote = ["'", '"', '`'].find((mark) => !value.includes(mark)) ?? '"';
  return `${quote}${value}${quote}`;
}

/** A file whose last line has no end keeps it so: what is dropped again leaves it as it was. */
function insertLines(text: string, at: number, lines: readonly string[]): string {
  const eol = eolOf(text);
  const before = text.slice(0, at);
  const inserted = lines.join(eol);
  if (before !== '' && !before.endsWith('\n')) return `${before}${eol}${inserted}`;
  return `${before}${inserted}${eol}${text.slice(at)}`;
}
