/** What a load asks of what surrounds it. */
export interface LoadPorts<T, C> {
  /** Fetches, and answers with `loaded` or `failed` of this turn. */
  fetch(turn: number): void;
  /** Gives up the fetch in flight, and what was waited for. */
  cancel(): void;
  /** Calls `due` after this time, instead of what was waited for before. */
  wait(ms: number): void;
  /** Shows what was loaded, after the changes that came meanwhile. */
  show(items: readonly T[], changes: readonly C[]): void;
}

/** What is known of what is shown. */
export interface LoadState {
  /** It was loaded, and has had every change since. */
  readonly isRight: boolean;
  /** Something was loaded since the last `forget`. */
  readonly hasLoaded: boolean;
  /** Changes arrive. */
  readonly isOpen: boolean;
  /** For the connection, so that no change is missed. */
  readonly isWaiting: boolean;
  /** Why the last fetch failed; null once one has not. */
  readonly error: unknown;
}

/** When a list is loaded, and which changes belong to it. */
export interface LiveLoad<T, C> {
  state(): LoadState;
  /** Somebody wants the list: loads it, unless it is right still. */
  want(): void;
  /** Nobody wants it any more. */
  leave(): void;
  /** Changes arrive from now on; `false`: they do not. */
  open(isOpen: boolean): void;
  /** Changes were missed, or are said to be: all begins anew. */
  restart(): void;
  /** Another user is there: what belongs to the last one is late. */
  forget(): void;
  /** What was waited for is due. */
  due(): void;
  /** A change has arrived. */
  change(change: C): void;
  loaded(turn: number, items: readonly T[]): void;
  failed(turn: number, reason: unknown): void;
}

/** Then it loads without a connection, and once more when there is one. */
const PATIENCE_MS = 5_000;
const RETRY_MS = 1_000;
const MAX_RETRY_MS = 30_000;
const MAX_CHANGES = 1_000;

/**
 * Creates the load of a list. First the connection, then the fetch: what comes
 * while it runs is carried out on its result. That is right because changes are
 * in order, and doing the last of them twice does nothing.
 */
export function liveLoad<T, C>(ports: LoadPorts<T, C>): LiveLoad<T, C> {
  /** While `loading`, a fetch is in flight, or will be after one that failed. */
  let phase: 'off' | 'waiting' | 'loading' | 'done' = 'off';
  let isRight = false;
  let hasLoaded = false;
  let isOpen = false;
  let error: unknown = null;
  let attempts = 0;
  /** Grows each time that all begins anew: what comes of before is late. */
  let turn = 0;
  let changes: C[] = [];

  const isOverfull = (): boolean => changes.length > MAX_CHANGES;
  const enter = (next: typeof phase): void => {
    turn += 1;
    phase = next;
    ports.cancel();
  };
  const restart = (): void => {
    isRight = false;
    if (phase === 'off') return;
    enter('loading');
    changes = [];
    attempts = 0;
    ports.fetch(turn);
  };
  const begin = (): void => {
    enter('waiting');
    if (isOpen) restart();
    else ports.wait(PATIENCE_MS);
  };

  return {
    state: () => ({
      isRight,
      hasLoaded,
      isOpen,
      isWaiting: phase === 'waiting',
      error,
    }),
    want() {
      if (phase !== 'off') return;
      if (isRight) phase = 'done';
      else begin();
    },
    leave: () => enter('off'),
    open(isOpenNow) {
      // Not at once: where changes were missed, `restart` follows.
      if (isOpenNow && !isOpen && phase === 'waiting') ports.wait(0);
      isOpen = isOpenNow;
    },
    restart,
    forget() {
      isRight = hasLoaded = false;
      error = null;
      if (phase !== 'off') begin();
    },
    due() {
      if (phase === 'waiting') return restart();
      // None of them is needed by a fetch that begins now.
      if (isOverfull()) changes = [];
      ports.fetch(turn);
    },
    change(change) {
      if (phase === 'loading' && !isOverfull()) changes.push(change);
    },
    loaded(ofTurn, items) {
      if (ofTurn !== turn) return;
      // Those that were kept do not make it right.
      if (isOverfull()) return restart();
      enter('done');
      isRight = hasLoaded = true;
      error = null;
      ports.show(items, changes);
      changes = [];
    },
    failed(ofTurn, reason) {
      if (ofTurn !== turn) return;
      error = reason;
      const delay = Math.min(RETRY_MS * 2 ** attempts, MAX_RETRY_MS);
      attempts += 1;
      ports.wait(delay * (1 + Math.random() / 2));
    },
  };
}
