import type { Faults } from './faults';

/**
 * Where the access token is kept.
 *
 * @example
 * const token = {
 *   get: () => useAuthStore.getState().accessToken,
 *   subscribe: useAuthStore.subscribe,
 * };
 */
export interface RealtimeToken {
  /** The token; null, undefined or empty while nobody is signed in. */
  readonly get: () => string | null | undefined;
  /** Calls back at each change, and returns what ends that. */
  readonly subscribe: (listener: () => void) => () => void;
}

/** The claims of a token, unverified. */
export type Claims = Readonly<Record<string, unknown>>;

type Outcome = 'renewed' | 'declined' | 'failed';

const TIMEOUT_MS = 30_000;
const MARGIN_MS = 30_000;
/** setTimeout fires at once when its delay does not fit in 31 bits. */
const MAX_DELAY_MS = 2 ** 31 - 1;

/** The access token of a page, and its renewal. */
export class Tokens {
  private running:
    | { readonly token: string | null; readonly outcome: Promise<Outcome> }
    | undefined;
  /** The token for which there was no other. */
  private declined: string | null | undefined;

  constructor(
    private readonly source: RealtimeToken,
    private refresh: (() => Promise<unknown>) | undefined,
    private readonly faults: Faults,
  ) {}

  /** Null while nobody is signed in, and where the store fails. */
  current(): string | null {
    try {
      return this.source.get() || null;
    } catch (error) {
      this.faults.report(error);
      return null;
    }
  }

  /** Calls back with each new token, null when the user has signed out. */
  onChange(listener: (token: string | null) => void): () => void {
    let last = this.current();
    return this.source.subscribe(() => {
      const token = this.current();
      if (token === last) return;
      last = token;
      listener(token);
    });
  }

  refreshBy(refresh: (() => Promise<unknown>) | undefined): void {
    this.refresh = refresh;
    this.declined = undefined;
  }

  /** Asks for another token than this one; null when that is of no use. */
  renew(token: string | null): Promise<Outcome> | null {
    const { refresh } = this;
    if (!refresh || this.declined === token) return null;
    if (this.running?.token !== token) {
      const outcome = this.ask(refresh, token).finally(() => {
        if (this.running?.outcome === outcome) this.running = undefined;
      });
      this.running = { token, outcome };
    }
    return this.running.outcome;
  }

  private async ask(
    refresh: () => Promise<unknown>,
    token: string | null,
  ): Promise<Outcome> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise((_resolve, reject) => {
      timer = setTimeout(reject, TIMEOUT_MS);
    });
    try {
      await Promise.race([refresh(), late]);
    } catch {
      return 'failed';
    } finally {
      clearTimeout(timer);
    }
    if (this.current() !== token) return 'renewed';
    this.declined = token;
    return 'declined';
  }
}

/**
 * Milliseconds until this token should be renewed; null when it does not say,
 * or when it is too late: the server tells of an expiry by its own clock.
 */
export function renewalDelay(token: string): number | null {
  const { exp, iat } = claimsOf(token);
  if (typeof exp !== 'number') return null;
  const left = exp * 1_000 - Date.now();
  // By a clock that is slow, a token has more left than it ever had.
  const life = typeof iat === 'number' ? (exp - iat) * 1_000 : left;
  const margin = Math.min(MARGIN_MS, life / 10) * (1 + Math.random());
  const delay = Math.min(left, life) - margin;
  return delay > 0 ? Math.min(delay, MAX_DELAY_MS) : null;
}

/** Unverified, which only the server can do; none of what is not a JWT. */
export function claimsOf(token: string): Claims {
  try {
    const [, body = ''] = token.split('.');
    const json = atob(body.replace(/-/g, '+').replace(/_/g, '/'));
    const claims: unknown = JSON.parse(json);
    return typeof claims === 'object' ? { ...claims } : {};
  } catch {
    return {};
  }
}
