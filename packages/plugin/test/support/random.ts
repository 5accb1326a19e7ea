const HARD_TEXT = [
  '',
  '\u0000',
  '\ud800',
  '__proto__',
  'constructor',
  'toString',
  'null',
  '*',
  '/',
  '/notifications',
  'realtime.refresh',
  'notification.markRead',
  'notification.created',
  'error',
  'disconnect',
  't:t1',
  '😀',
  '%00',
  '../../etc/passwd',
  "' or 1=1 --",
  '{"ok":true}',
  'x'.repeat(5_000),
];
const HARD_VALUES = [null, true, false, 0, -0, -1, 1e308, 2 ** 53, 1.5, [], {}];

/** Repeatable: the same seed gives the same attacks (mulberry32). */
export class Random {
  constructor(private state: number) {}

  /** At least 0, below 1. */
  next(): number {
    this.state = (this.state + 0x6d2b79f5) | 0;
    let t = Math.imul(this.state ^ (this.state >>> 15), 1 | this.state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  }

  /** From 0 to max, both possible. */
  int(max: number): number {
    return Math.floor(this.next() * (max + 1));
  }

  chance(probability: number): boolean {
    return this.next() < probability;
  }

  pick<T>(items: readonly T[]): T {
    return items[this.int(items.length - 1)] as T;
  }

  list<T>(max: number, make: () => T): T[] {
    return Array.from({ length: this.int(max) }, make);
  }

  bytes(max: number): Buffer {
    return Buffer.from(this.list(max, () => this.int(255)));
  }

  text(): string {
    return this.chance(0.6)
      ? this.pick(HARD_TEXT)
      : String.fromCharCode(...this.list(20, () => this.int(this.chance(0.5) ? 127 : 0xffff)));
  }

  json(depth = 4): unknown {
    const kind = this.int(depth > 0 ? 4 : 2);
    if (kind === 0) return this.pick(HARD_VALUES);
    if (kind <= 2) return this.text();
    if (kind === 3) return this.list(5, () => this.json(depth - 1));
    return Object.fromEntries(this.list(5, () => [this.text(), this.json(depth - 1)]));
  }

  /** The text with some of its characters removed, doubled, replaced or cut off. */
  mutate(text: string): string {
    let result = text;
    for (let i = this.int(4); i > 0; i--) {
      const at = this.int(result.length);
      result = this.pick([
        () => result.slice(0, at) + result.slice(at + 1 + this.int(3)),
        () => result.slice(0, at) + String.fromCharCode(this.int(127)) + result.slice(at),
        () =>
          result.slice(0, at) +
          this.pick(['[', ']', '{', '}', '"', ',', '-', '/', '?', '9']) +
          result.slice(at + 1),
        () => result.slice(0, at) + result.slice(at).repeat(2),
        () => result.slice(0, at),
      ])();
    }
    return result;
  }
}
