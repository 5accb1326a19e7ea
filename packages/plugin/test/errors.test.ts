import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';

const SOURCES = join(import.meta.dirname, '../src');
const DOCS = join(import.meta.dirname, '../../../docs/errors.md');

/** The codes that the code uses in a string, not those that it speaks of. */
function usedCodes(): Set<string> {
  const files = readdirSync(SOURCES, { recursive: true, encoding: 'utf-8' }).filter(
    (file) => file.endsWith('.ts') && !file.endsWith('.test.ts'),
  );
  const texts = files.map((file) => readFileSync(join(SOURCES, file), 'utf-8'));
  return new Set(texts.flatMap((text) => text.match(/(?<=['`])RT\d{3}(?=['\s])/g) ?? []));
}

it('documents every error code, in one line each', () => {
  const rows = readFileSync(DOCS, 'utf-8').match(/^\| RT.*$/gm) ?? [];
  const codes = rows.map((row) => row.slice(2, 7));
  expect(codes).toEqual([...usedCodes()].sort());
  for (const row of rows) expect(row).toMatch(/^\| RT\d{3} \| [^|]+\. +\|$/);
});
