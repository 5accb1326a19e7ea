import { getAccessToken } from './auth';

type Outcome = 'renewed' | 'declined' | 'failed';

const TIMEOUT_MS = 30_000;
const MARGIN_MS = 30_000;
/** setTimeout fires at once when its delay does not fit in 31 bits. */
const MAX_DELAY_MS = 2 ** 31 - 1;

let refresher: (() => Promise<unknown>) | undefined;
let running: { token: string | null; outcome: Promise<Outcome> } | undefined;
/** The token for which there was no other. */
let declined: string | null | undefined;

/**
 * Names what puts another token into the auth store: called shortly before one
 * expires, and once when one is refused. When it resolves and the token is the
 * same, the user has to sign in; when it rejects, it is called again later.
 */
export function setTokenRefresher(refresh: () => Promise<unknown>): void {
  refresher = refresh;
  declined = undefined;
}

/** Asks for another token than this one; null when that is of no use. */
export function renewToken(token: string | null): Promise<Outcome> | null {
  if (!refresher || declined === token) return null;
  if (running?.token !== token) {
    const outcome = ask(refresher, token).finally(() => (running = undefined));
    running = { token, outcome };
  }
  return running.outcome;
}

async function ask(
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
  if (getAccessToken() !== token) return 'renewed';
  declined = token;
  return 'declined';
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
export function claimsOf(token: string): Readonly<Record<string, unknown>> {
  try {
    const [, body = ''] = token.split('.');
    const json = atob(body.replace(/-/g, '+').replace(/_/g, '/'));
    const claims: unknown = JSON.parse(json);
    return typeof claims === 'object' ? { ...claims } : {};
  } catch {
    return {};
  }
}
