import fc from 'fast-check';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { unifiedDiff } from './unified-diff.js';

const folder = mkdtempSync(join(tmpdir(), 'nx-realtime-diff-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** What git makes of a text by a diff. */
function applied(before: string, diff: string): string {
  writeFileSync(join(folder, 'a.ts'), before);
  if (diff !== '')
    execFileSync('git', ['apply', '--unidiff-zero', '--whitespace=nowarn', '-'], {
      cwd: folder,
      input: diff,
    });
  return readFileSync(join(folder, 'a.ts'), 'utf-8');
}

const lines = fc.array(fc.constantFrom('a', 'b', '', ' c', '-d', '+e'), {
  minLength: 1,
  maxLength: 30,
});
const text = fc
  .tuple(lines, fc.boolean())
  .map(([list, ended]) => list.join('\n') + (ended ? '\n' : ''));

it('is what git applies', () => {
  fc.assert(
    fc.property(text, text, (before, after) => {
      fc.pre(before !== '' && after !== '');
      expect(applied(before, unifiedDiff('a.ts', before, after))).toBe(after);
    }),
    { numRuns: 150 },
  );
});

it('names a file that is created, and says nothing where nothing differs', () => {
  expect(unifiedDiff('a.ts', null, 'x\n')).toBe('--- /dev/null\n+++ b/a.ts\n@@ -0,0 +1 @@\n+x\n');
  expect(unifiedDiff('a.ts', 'x\n', 'x\n')).toBe('');
});
