/** Rate of a token bucket. */
export interface Rate {
  readonly perSecond: number;
  /** Number that may come at once. */
  readonly burst: number;
}

/** A token bucket: it is refilled when it is looked at, not by a timer. */
export class TokenBucket {
  /** Time on the monotonic clock: a change of the time of day opens nothing. */
  private fullAt = 0;

  constructor(private readonly rate: Rate) {}

  /** Takes tokens. Returns 0, or the milliseconds until there are enough. */
  take(tokens = 1): number {
    const now = performance.now();
    const interval = 1_000 / this.rate.perSecond;
    const fullAt = Math.max(this.fullAt, now) + tokens * interval;
    const wait = fullAt - now - this.rate.burst * interval;
    if (wait >= 1) {
      return Math.ceil(wait);
    }
    this.fullAt = fullAt;
    return 0;
  }

  isFull(): boolean {
    return this.fullAt <= performance.now();
  }
}

/** A bucket for each key, for no more than `maxKeys` keys. */
export class RateLimiter {
  private readonly buckets = new Map<string, TokenBucket>();

  constructor(
    private readonly rate: Rate,
    private readonly maxKeys: number,
  ) {}

  get size(): number {
    return this.buckets.size;
  }

  /** Takes a token of a key. Returns 0, or the milliseconds to wait. */
  take(key: string): number {
    const bucket = this.buckets.get(key) ?? new TokenBucket(this.rate);
    // Put last: the first key is the one that was used longest ago.
    this.buckets.delete(key);
    this.buckets.set(key, bucket);
    for (const oldest of this.buckets.keys()) {
      if (this.buckets.size <= this.maxKeys) {
        break;
      }
      this.buckets.delete(oldest);
    }
    return bucket.take();
  }

  /** Forgets the keys of full buckets, which know nothing. */
  prune(): void {
    for (const [key, bucket] of this.buckets) {
      if (bucket.isFull()) {
        this.buckets.delete(key);
      }
    }
  }
}
