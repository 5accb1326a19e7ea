import { parseEnv } from 'node:util';
import { already, done, eolOf } from './edit.js';
import type { Edit } from './edit.js';

export interface EnvEntry {
  readonly key: string;
  readonly value: string;
  readonly comment?: string;
}

/** Adds to an env file the keys that it lacks; a key that is there keeps its value. */
export function ensureEnv(text: string, entries: readonly EnvEntry[]): Edit {
  const held = parseEnv(text.replace('\uFEFF', '').replaceAll('\r\n', '\n'));
  const missing = entries.filter(({ key }) => !Object.hasOwn(held, key));
  if (missing.length === 0) return already;
  const lines = missing.flatMap(({ key, value, comment }) => [
    ...(comment === undefined ? [] : [`# ${comment}`]),
    `${key}=${quoted(value)}`,
  ]);
  return done(insertLines(text, text.length, lines));
}

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

/** As an env file reads it back: in quotes where there is white space, a quote or a `#`. */
function quoted(value: string): string {
  if (!/[\s#'"`\\]/.test(value)) return value;
  const quote = ["'", '"', '`'].find((mark) => !value.includes(mark)) ?? '"';
  return `${quote}${value}${quote}`;
}

function insertLines(text: string, at: number, lines: readonly string[]): string {
  const eol = eolOf(text);
  const before = text.slice(0, at);
  const start = before === '' || before.endsWith('\n') ? before : `${before}${eol}`;
  return `${start}${lines.join(eol)}${eol}${text.slice(at)}`;
}
