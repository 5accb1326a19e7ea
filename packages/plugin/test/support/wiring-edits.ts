import { parseSync } from 'oxc-parser';
import { expect } from 'vitest';
import type { Edit } from '../../src/wiring/text/index.js';

/** The text after an edit that must be done: it parses, and a second time there is nothing to do. */
export function doneTwice(
  text: string,
  edit: (text: string) => Edit,
  language: 'ts' | 'tsx' | null = 'ts',
): string {
  const first = edit(text);
  expect(first).toMatchObject({ kind: 'done' });
  const result = first.kind === 'done' ? first.text : '';
  if (language) expect(parseSync(`file.${language}`, result).errors).toEqual([]);
  expect(edit(result)).toEqual({ kind: 'already' });
  return result;
}

/** As a host writes it on Windows. */
export const crlf = (text: string): string => text.replaceAll('\n', '\r\n');
