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
  const held = parseEnv(text);
  const missing = entries.filter(({ key }) => !Object.hasOwn(held, key));
  if (missing.length === 0) return already;
  const lines = missing.flatMap(({ key, value, comment }) => [
    ...(comment === undefined ? [] : [`# ${comment}`]),
    `${key}=${value}`,
  ]);
  return done(append(text, lines));
}

/** Adds to an ignore or attributes file the lines that it lacks, under a comment. */
export function ensureLines(text: string, lines: readonly string[], heading: string): Edit {
  const held = new Set(text.split(/\r?\n/).map((line) => line.trim()));
  const missing = lines.filter((line) => !held.has(line));
  if (missing.length === 0) return already;
  return done(append(text, [...(text.trim() === '' ? [] : ['']), `# ${heading}`, ...missing]));
}

function append(text: string, lines: readonly string[]): string {
  const eol = eolOf(text);
  const start = text === '' || text.endsWith('\n') ? text : `${text}${eol}`;
  return `${start}${lines.join(eol)}${eol}`;
}
