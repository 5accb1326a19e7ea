import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hasMarkers, merge3 } from './merge.js';

/** Few different lines, so that texts share, repeat and move them. */
const line = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom('a', 'b', 'c', '  }', '', 'constructor', '__proto__') },
  {
    weight: 1,
    arbitrary: fc.string({ maxLength: 6 }).map((text) => text.replace(/[\r\n\uFEFF]/g, '')),
  },
);
const block = fc.array(line, { maxLength: 14 });
const asText = (lines: readonly string[]): string => lines.map((one) => `${one}\n`).join('');
const text = block.map(asText);

interface Change {
  readonly at: number;
  readonly remove: number;
  readonly insert: readonly string[];
}

const change = fc.record({
  at: fc.nat({ max: 14 }),
  remove: fc.nat({ max: 3 }),
  insert: fc.array(line, { maxLength: 3 }),
});

function edit(lines: readonly string[], changes: readonly Change[]): string {
  const edited = [...lines];
  for (const { at, remove, insert } of changes) edited.splice(at, remove, ...insert);
  return asText(edited);
}

const edited = fc
  .tuple(block, fc.array(change, { maxLength: 3 }), fc.array(change, { maxLength: 3 }))
  .map(([lines, ours, theirs]) => ({
    base: asText(lines),
    yours: edit(lines, ours),
    next: edit(lines, theirs),
  }));

const count = (lines: string): Map<string, number> => {
  const counts = new Map<string, number>();
  for (const one of lines.split('\n')) counts.set(one, (counts.get(one) ?? 0) + 1);
  return counts;
};

describe('merge3, for any texts', () => {
  it('takes the one side that changed', () => {
    fc.assert(
      fc.property(text, text, (base, other) => {
        expect(merge3(base, other, base)).toEqual({ text: other, conflicts: 0 });
        expect(merge3(base, base, other)).toEqual({ text: other, conflicts: 0 });
        expect(merge3(base, other, other)).toEqual({ text: other, conflicts: 0 });
      }),
    );
  });

  it('leaves yours alone when nothing is new, whatever its line ends', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom('a', '\r', '\n', '\r\n') }),
        text,
        (yours, base) => {
          expect(merge3(base, yours, base).text).toBe(yours);
        },
      ),
    );
  });

  it('never drops a line that only yours has', () => {
    fc.assert(
      fc.property(edited, ({ base, yours, next }) => {
        const before = count(base);
        const after = count(merge3(base, yours, next).text);
        for (const [one, times] of count(yours)) {
          const added = times - (before.get(one) ?? 0);
          if (added > 0) expect(after.get(one) ?? 0).toBeGreaterThanOrEqual(added);
        }
      }),
      { numRuns: 2000 },
    );
  });

  it('never drops a line that only next has', () => {
    fc.assert(
      fc.property(edited, ({ base, yours, next }) => {
        const before = count(base);
        const after = count(merge3(base, yours, next).text);
        for (const [one, times] of count(next)) {
          const added = times - (before.get(one) ?? 0);
          if (added > 0) expect(after.get(one) ?? 0).toBeGreaterThanOrEqual(added);
        }
      }),
      { numRuns: 2000 },
    );
  });

  it('is done after once: the base advances, and the result stands', () => {
    fc.assert(
      fc.property(edited, ({ base, yours, next }) => {
        const { text: merged } = merge3(base, yours, next);
        expect(merge3(next, merged, next)).toEqual({ text: merged, conflicts: 0 });
      }),
    );
  });

  it('gives the same with the sides exchanged, where there is no conflict', () => {
    fc.assert(
      fc.property(edited, ({ base, yours, next }) => {
        const there = merge3(base, yours, next);
        const back = merge3(base, next, yours);
        expect(back.conflicts).toBe(there.conflicts);
        if (there.conflicts === 0) expect(back.text).toBe(there.text);
      }),
      { numRuns: 2000 },
    );
  });

  it('merges edits of different lines without a conflict', () => {
    const places = fc.uniqueArray(fc.nat({ max: 19 }), { minLength: 2, maxLength: 20 });
    fc.assert(
      fc.property(places, fc.nat({ max: 19 }), (indices, split) => {
        const base = Array.from({ length: 20 }, (_, index) => `line ${index}`);
        const own = indices.slice(0, split);
        const theirs = indices.slice(split);
        const change = (of: readonly number[], by: string): string[] =>
          base.map((one, index) => (of.includes(index) ? `${one} ${by}` : one));
        const both = base.map((one, index) =>
          own.includes(index) ? `${one} yours` : theirs.includes(index) ? `${one} next` : one,
        );
        const merged = merge3(
          asText(base),
          asText(change(own, 'yours')),
          asText(change(theirs, 'next')),
        );
        expect(merged).toEqual({ text: asText(both), conflicts: 0 });
      }),
    );
  });

  it('holds markers exactly when it reports a conflict', () => {
    fc.assert(
      fc.property(edited, ({ base, yours, next }) => {
        const { text: merged, conflicts } = merge3(base, yours, next);
        expect(merged.match(/^<{7} yours$/gm)?.length ?? 0).toBe(conflicts);
        expect(merged.match(/^>{7} nx-realtime$/gm)?.length ?? 0).toBe(conflicts);
        expect(hasMarkers(merged)).toBe(conflicts > 0);
      }),
      { numRuns: 1000 },
    );
  });

  it('does not depend on the line ends of yours', () => {
    fc.assert(
      fc.property(edited, ({ base, yours, next }) => {
        fc.pre(yours.includes('\n'));
        const plain = merge3(base, yours, next);
        const windows = merge3(base, yours.replaceAll('\n', '\r\n'), next);
        expect(windows).toEqual({ ...plain, text: plain.text.replaceAll('\n', '\r\n') });
      }),
    );
  });
});

const BASE = `import { Injectable } from '@nestjs/common';
import type { NotificationMarkRead } from '@acme/realtime-contracts/notifications';

@Injectable()
export class NotificationsService {
  markRead(user: User, payload: NotificationMarkRead): unknown {
    return payload;
  }
}
`;

const NEXT = `import { Injectable } from '@nestjs/common';
import type {
  NotificationArchive,
  NotificationMarkRead,
} from '@acme/realtime-contracts/notifications';

@Injectable()
export class NotificationsService {
  markRead(user: User, payload: NotificationMarkRead): unknown {
    return payload;
  }

  archive(user: User, payload: NotificationArchive): unknown {
    return payload;
  }
}
`;

const replace = (within: string, from: string, to: string): string => {
  expect(within).toContain(from);
  return within.replace(from, to);
};

describe('merge3, for edits of a service that gains an event', () => {
  const BODY = '    return payload;\n  }\n';
  const OWN_BODY = '    return this.repository.markRead(user.id, payload.notificationId);\n  }\n';

  it('keeps the body that the owner wrote', () => {
    const merged = merge3(BASE, replace(BASE, BODY, OWN_BODY), NEXT);
    expect(merged).toEqual({ text: replace(NEXT, BODY, OWN_BODY), conflicts: 0 });
  });

  it("keeps the owner's import below the one that grows", () => {
    const own = "import { Repository } from './repository';\n";
    const yours = replace(BASE, "notifications';\n", `notifications';\n${own}`);
    const merged = merge3(BASE, yours, NEXT);
    expect(merged).toEqual({
      text: replace(NEXT, "notifications';\n", `notifications';\n${own}`),
      conflicts: 0,
    });
  });

  it("keeps the owner's constructor and decorator", () => {
    const own = (from: string): string =>
      replace(
        replace(from, '@Injectable()\n', '@Audited()\n@Injectable()\n'),
        'NotificationsService {\n',
        'NotificationsService {\n  constructor(private readonly repository: Repository) {}\n\n',
      );
    expect(merge3(BASE, own(BASE), NEXT)).toEqual({ text: own(NEXT), conflicts: 0 });
  });

  it('keeps what the owner wrapped around a line that changes', () => {
    const base = 'start\nsend(event)\nend\n';
    const yours = 'start\nif (ready) {\nsend(event)\n}\nend\n';
    const next = 'start\nsend(event, meta)\nend\n';
    expect(merge3(base, yours, next)).toEqual({
      text: 'start\nif (ready) {\nsend(event, meta)\n}\nend\n',
      conflicts: 0,
    });
  });

  it('marks a line that both changed, with each side once', () => {
    const base = 'one\ntwo\nthree\n';
    expect(merge3(base, 'one\ntwo of yours\nthree\n', 'one\ntwo of next\nthree\n')).toEqual({
      text: 'one\n<<<<<<< yours\ntwo of yours\n=======\ntwo of next\n>>>>>>> nx-realtime\nthree\n',
      conflicts: 1,
    });
  });

  it('marks two methods that are added at the same place', () => {
    const yours = replace(BASE, `${BODY}}`, `${BODY}\n  own(): void {\n    return;\n  }\n}`);
    const { text: merged, conflicts } = merge3(BASE, yours, NEXT);
    expect(conflicts).toBe(1);
    expect(merged).toContain('  own(): void {\n    return;\n');
    expect(merged).toContain('  archive(user: User, payload: NotificationArchive): unknown {\n');
  });

  it('marks an edit within a method that is removed', () => {
    const yours = replace(
      NEXT,
      'NotificationArchive): unknown {\n',
      'NotificationArchive): unknown {\n    audit();\n',
    );
    const { text: merged, conflicts } = merge3(NEXT, yours, BASE);
    expect(conflicts).toBe(1);
    expect(merged).toContain('    audit();\n');
  });

  it('takes what both changed alike', () => {
    expect(merge3(BASE, NEXT, NEXT)).toEqual({ text: NEXT, conflicts: 0 });
  });

  it('keeps CRLF and a missing last newline', () => {
    const yours = replace(BASE, BODY, OWN_BODY).replaceAll('\n', '\r\n').replace(/\r\n$/, '');
    const expected = replace(NEXT, BODY, OWN_BODY).replaceAll('\n', '\r\n').replace(/\r\n$/, '');
    expect(merge3(BASE, yours, NEXT)).toEqual({ text: expected, conflicts: 0 });
  });

  it('keeps a byte order mark', () => {
    const merged = merge3(BASE, `\uFEFF${BASE}`, NEXT);
    expect(merged).toEqual({ text: `\uFEFF${NEXT}`, conflicts: 0 });
  });

  it('joins conflicts that only a few equal lines part, and leaves longer ones outside', () => {
    const rows = (mark: string): string =>
      asText(['head', `1${mark}`, 'x', `2${mark}`, 'e1', 'e2', 'e3', 'e4', `3${mark}`, 'tail']);
    const { text: merged, conflicts } = merge3('', rows('y'), rows('n'));
    expect(conflicts).toBe(2);
    expect(merged.startsWith('head\n<<<<<<< yours\n1y\nx\n2y\n=======\n1n\nx\n2n\n')).toBe(true);
    expect(merged.endsWith('>>>>>>> nx-realtime\ntail\n')).toBe(true);
  });
});

describe('hasMarkers', () => {
  it.each([
    ['<<<<<<< yours', true],
    ['>>>>>>> nx-realtime', true],
    ['||||||| base', true],
    ['=======', true],
    ['========', false],
    ['// =======', false],
    ['<<<<<<<', false],
  ])('%s alone: %s', (line, isMarker) => {
    expect(hasMarkers(`one\n${line}\ntwo\n`)).toBe(isMarker);
    expect(hasMarkers(`one\r\n${line}\r\n`)).toBe(isMarker);
  });
});
