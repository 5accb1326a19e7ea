import { diffIndices } from 'node-diff3';

const CONTEXT = 3;
const NO_NEWLINE = '\\ No newline at end of file';

/**
 * A unified diff, as git prints it.
 *
 * @param before null for a file that is not there
 * @param from the path that the file had, where it is another
 * @returns the empty string where nothing differs
 */
export function unifiedDiff(
  path: string,
  before: string | null,
  after: string | null,
  from = path,
): string {
  const [old, now] = [linesOf(before), linesOf(after)];
  const hunks = group(
    diffIndices(old, now).map(({ buffer1: [a, removed], buffer2: [b, added] }) => ({
      a,
      b,
      removed,
      added,
    })),
  );
  if (hunks.length === 0) return '';
  const head = [
    `--- ${before === null ? '/dev/null' : `a/${from}`}`,
    `+++ ${after === null ? '/dev/null' : `b/${path}`}`,
  ];
  return [...head, ...hunks.flatMap((hunk) => print(hunk, old, now)), ''].join('\n');
}

/** From line `a` of the old text and line `b` of the new one. */
interface Change {
  readonly a: number;
  readonly b: number;
  readonly removed: number;
  readonly added: number;
}

/** A line that has no end is not the same as one that has. */
function linesOf(text: string | null): string[] {
  if (text === null || text === '') return [];
  const lines = text.split('\n');
  const last = lines.pop();
  return last === '' || last === undefined ? lines : [...lines, `${last}\n${NO_NEWLINE}`];
}

/** Changes whose contexts touch are printed as one. */
function group(changes: readonly Change[]): Change[][] {
  const hunks: Change[][] = [];
  for (const change of changes) {
    const last = hunks.at(-1)?.at(-1);
    if (last && change.a - (last.a + last.removed) <= 2 * CONTEXT) hunks.at(-1)?.push(change);
    else hunks.push([change]);
  }
  return hunks;
}

function print(hunk: readonly Change[], old: readonly string[], now: readonly string[]): string[] {
  const [first, last] = [hunk[0], hunk.at(-1)];
  if (!first || !last) return [];
  const from = Math.max(0, first.a - CONTEXT);
  const to = Math.min(old.length, last.a + last.removed + CONTEXT);
  const lines: string[] = [];
  let at = from;
  for (const { a, b, removed, added } of hunk) {
    lines.push(...old.slice(at, a).map((line) => ` ${line}`));
    lines.push(...old.slice(a, a + removed).map((line) => `-${line}`));
    lines.push(...now.slice(b, b + added).map((line) => `+${line}`));
    at = a + removed;
  }
  lines.push(...old.slice(at, to).map((line) => ` ${line}`));
  const grown = hunk.reduce((sum, { removed, added }) => sum + added - removed, 0);
  const start = first.b - (first.a - from);
  return [`@@ -${range(from, to - from)} +${range(start, to - from + grown)} @@`, ...lines];
}

/** An empty range is named by the line before it. */
function range(start: number, length: number): string {
  const line = length === 0 ? start : start + 1;
  return length === 1 ? `${line}` : `${line},${length}`;
}
