import { diffComm, diffIndices } from 'node-diff3';
import { inStyleOf, sameLines, splitLines } from './lines.js';

export interface Merge {
  readonly text: string;
  /** Places where both sides changed the same lines; each is between markers in the text. */
  readonly conflicts: number;
}

const YOURS = '<<<<<<< yours';
const BETWEEN = '=======';
const NEXT = '>>>>>>> nx-realtime';

/** Fewer equal lines than this between two conflicts join them into one, as git does. */
const MIN_COMMON = 4;

/**
 * Three-way merge by lines. A change of one side is taken; where both changed the same lines, or
 * both inserted at the same place, both are kept between git's markers. Changes that only touch
 * each other are no conflict: their order is unambiguous.
 *
 * @param yours its line ends, last newline and byte order mark are those of the result
 */
export function merge3(base: string, yours: string, next: string): Merge {
  if (sameLines(base, next)) return { text: yours, conflicts: 0 };
  if (sameLines(base, yours)) return { text: inStyleOf(yours, next), conflicts: 0 };
  const lines = splitLines(base);
  const merged: string[] = [];
  let conflicts = 0;
  let at = 0;
  for (const region of regions(lines, splitLines(yours), splitLines(next))) {
    merged.push(...lines.slice(at, region.start));
    const sides = resolve(region, lines);
    conflicts += sides.filter((side) => !equal(side.yours, side.next)).length;
    merged.push(...sides.flatMap(mark));
    at = region.end;
  }
  merged.push(...lines.slice(at));
  return { text: inStyleOf(yours, merged.map((line) => `${line}\n`).join('')), conflicts };
}

/**
 * Finds a conflict marker, ours or git's: also one that was forgotten when the others were taken out.
 *
 * @returns the line of the first, from 1; 0 where there is none
 */
export function markerLine(text: string): number {
  const at = text.search(/^(?:(?:<{7}|>{7}|\|{7}) |={7}\r?$)/m);
  return at < 0 ? 0 : text.slice(0, at).split('\n').length;
}

/** True if a text still holds a conflict marker. */
export const hasMarkers = (text: string): boolean => markerLine(text) > 0;

/** Lines `start` to `end` of the base, and what one side put there. */
interface Hunk {
  readonly side: 'yours' | 'next';
  readonly start: number;
  readonly end: number;
  readonly lines: readonly string[];
}

interface Region {
  readonly start: number;
  readonly end: number;
  readonly hunks: readonly Hunk[];
}

/** The two sides of one place; the same lines in both where there is no conflict. */
interface Sides {
  readonly yours: readonly string[];
  readonly next: readonly string[];
}

function regions(base: string[], yours: string[], next: string[]): Region[] {
  const hunks = [...hunksOf(base, yours, 'yours'), ...hunksOf(base, next, 'next')].sort(
    (a, b) => a.start - b.start || a.end - b.end,
  );
  const result: Region[] = [];
  for (const hunk of hunks) {
    const last = result.at(-1);
    if (last && overlap(last, hunk)) {
      const end = Math.max(last.end, hunk.end);
      result[result.length - 1] = { start: last.start, end, hunks: [...last.hunks, hunk] };
    } else {
      result.push({ start: hunk.start, end: hunk.end, hunks: [hunk] });
    }
  }
  return result;
}

function hunksOf(base: string[], changed: string[], side: Hunk['side']): Hunk[] {
  return diffIndices(base, changed).map(({ buffer1: [start, length], buffer2Content }) => ({
    side,
    start,
    end: start + length,
    lines: buffer2Content,
  }));
}

function overlap(region: Region, hunk: Hunk): boolean {
  const insertions = region.start === region.end && hunk.start === hunk.end;
  return insertions ? hunk.start === region.start : hunk.start < region.end;
}

function resolve(region: Region, base: readonly string[]): Sides[] {
  const [first] = region.hunks;
  if (first && region.hunks.length === 1) return [{ yours: first.lines, next: first.lines }];
  return narrow(sideOf(region, base, 'yours'), sideOf(region, base, 'next'));
}

/** The region's lines on one side. */
function sideOf(region: Region, base: readonly string[], side: Hunk['side']): string[] {
  const lines: string[] = [];
  let at = region.start;
  for (const hunk of region.hunks.filter((other) => other.side === side)) {
    lines.push(...base.slice(at, hunk.start), ...hunk.lines);
    at = hunk.end;
  }
  return [...lines, ...base.slice(at, region.end)];
}

/** Takes lines that both sides have out of a conflict, as git does. */
function narrow(yours: string[], next: string[]): Sides[] {
  const parts = diffComm(yours, next);
  const result: Sides[] = [];
  parts.forEach((part, index) => {
    const shared = 'common' in part ? part.common : undefined;
    const sides =
      'common' in part
        ? { yours: part.common, next: part.common }
        : { yours: part.buffer1, next: part.buffer2 };
    const isLast = index === parts.length - 1;
    const last = result.at(-1);
    const open = last !== undefined && !equal(last.yours, last.next);
    if (open && (!shared || (!isLast && shared.length < MIN_COMMON))) {
      result[result.length - 1] = {
        yours: [...last.yours, ...sides.yours],
        next: [...last.next, ...sides.next],
      };
    } else {
      result.push(sides);
    }
  });
  return result;
}

function mark({ yours, next }: Sides): readonly string[] {
  return equal(yours, next) ? yours : [YOURS, ...yours, BETWEEN, ...next, NEXT];
}

function equal(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((line, index) => line === b[index]);
}
