import fc from 'fast-check';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { unifiedDiff } from './unified-diff.js';

const folder = mkdtempSync(join(tmpdir(), 'nx-realtime-diff-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Applies diffs by git, all of them in one call: a process for each takes longer than all else. */
function applied(pairs: readonly (readonly [before: string, after: string])[]): string[] {
  const names = pairs.map((_, index) => `${index}.ts`);
  const diffs = pairs.map(([before, after], index) => {
    writeFileSync(join(folder, names[index]!), before);
    return unifiedDiff(names[index]!, before, after);
  });
  const input = diffs.join('');
  if (input !== '')
    execFileSync('git', ['apply', '--unidiff-zero', '--whitespace=nowarn', '-'], {
      cwd: folder,
      input,
    });
  return names.map((name) => readFileSync(join(folder, name), 'utf-8'));
}

const lines = fc.array(fc.constantFrom('a', 'b', '', ' c', '-d', '+e'), {
  minLength: 1,
  maxLength: 30,
});
const text = fc
  .tuple(lines, fc.boolean())
  .map(([list, ended]) => list.join('\n') + (ended ? '\n' : ''))
  .filter((content) => content !== '');

it('is what git applies', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(text, text), { maxLength: 100, size: 'max' }), (pairs) => {
      expect(applied(pairs)).toEqual(pairs.map(([, after]) => after));
    }),
    { numRuns: 6 },
  );
});

it('names a file that is created, and says nothing where nothing differs', () => {
  expect(unifiedDiff('a.ts', null, 'x\n')).toBe('--- /dev/null\n+++ b/a.ts\n@@ -0,0 +1 @@\n+x\n');
  expect(unifiedDiff('a.ts', 'x\n', 'x\n')).toBe('');
});
