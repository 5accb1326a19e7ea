import { AsyncLocalStorage } from 'node:async_hooks';

/** Broadcasts of a broker event so far, over all attempts at it. */
export class Emission {
  /**
   * Settled when Redis has what was sent: then the event may be acknowledged.
   */
  readonly taken: Promise<void>[] = [];
  sent = 0;
  private appended = 0;

  constructor(
    private readonly key: string,
    /**
     * True where another replica sends them: those from here would be
     * overtaken.
     */
    readonly isReleased: () => boolean,
  ) {}

  /**
   * Key of the next broadcast: the same for the same event on every replica.
   */
  nextKey(): string {
    return `${this.key} ${this.appended++}`;
  }
}

/** One attempt at a broker event. */
export interface Attempt {
  readonly emission: Emission;
  sent: number;
  /** Error that the handler threw, before filters made something else of it. */
  failure?: unknown;
}

const attempts = new AsyncLocalStorage<Attempt>();

/** Runs one attempt at an event: what it sends counts for the event. */
export function runAttempt<T>(attempt: Attempt, work: () => T): T {
  return attempts.run(attempt, work);
}

/** Keeps what a handler threw: `EventPolicy.isInvalid` is asked about it. */
export function noteFailure(error: unknown): void {
  const attempt = attempts.getStore();
  if (attempt) {
    attempt.failure = error;
  }
}

/** The broker event on whose behalf this code runs. */
export function brokerEvent(): Emission | undefined {
  return attempts.getStore()?.emission;
}

/** False for what an earlier attempt at the same broker event has sent. */
export function isFirstSent(): boolean {
  const attempt = attempts.getStore();
  if (!attempt) {
    return true;
  }
  attempt.sent += 1;
  const { emission, sent } = attempt;
  const isFirst = sent > emission.sent;
  emission.sent = Math.max(sent, emission.sent);
  return isFirst;
}
