/** Places of the queue that events behind failing ones may hold together. */
export const SHARE = 100;
/** Tenants that may wait apart at once: each has a queue of its own. */
const MAX_APART = 100;
/** A tenant whose next event has waited for so long is held up. */
const HELD_UP_MS = 500;

/** Where an event comes from: the queue of all, or the one of its tenant. */
export type Source = 'queue' | 'waiting';

/** The turn of one event. */
export interface Turn {
  /** True once its message was sent apart: a copy of it comes later. */
  readonly hasLeft: boolean;
}

interface Entry {
  readonly since: number;
  readonly source: Source;
  readonly turn: { hasLeft: boolean };
  readonly start: () => Promise<unknown>;
  readonly leave: () => void;
}

interface Lane {
  /** The first one is being handled. */
  readonly entries: Entry[];
  isFailing: boolean;
}

/**
 * Keeps the events of a tenant in order, and those of one tenant from filling
 * the places of all: while its events are held up they are sent apart, to a
 * queue of their own, where they fill too many places.
 */
export class Lanes {
  private readonly lanes = new Map<string | undefined, Lane>();
  /**
   * Tenants whose events all go through their own queues, and how many of them
   * are on their way there.
   */
  private readonly apart = new Map<string | undefined, number>();

  /** @param mayLeave says whether an event can be sent apart at the moment */
  constructor(private readonly mayLeave: () => boolean) {}

  /**
   * Runs after all that entered for the same tenant.
   *
   * @returns what `run` does, or `apart` for an event to be sent there
   */
  enter<T>(
    tenant: string | undefined,
    source: Source,
    run: (turn: Turn) => Promise<T>,
  ): Promise<T | 'apart'> {
    const leaving = this.apart.get(tenant);
    if (source === 'queue' && leaving !== undefined) {
      this.apart.set(tenant, leaving + 1);
      return Promise.resolve('apart');
    }
    return new Promise((resolve, reject) => {
      const turn = { hasLeft: false };
      const entry: Entry = {
        since: Date.now(),
        source,
        turn,
        start: () => run(turn).then(resolve, reject),
        leave: () => {
          turn.hasLeft = true;
          resolve('apart');
        },
      };
      const lane = this.lanes.get(tenant);
      if (lane) {
        lane.entries.push(entry);
        if (lane.isFailing) {
          this.relieve();
        }
      } else {
        const entries = [entry];
        this.lanes.set(tenant, { entries, isFailing: false });
        this.next(tenant);
      }
    });
  }

  /** Tells that the event in turn is going to be tried again. */
  fails(tenant: string | undefined): void {
    const lane = this.lanes.get(tenant);
    if (lane) {
      lane.isFailing = true;
      this.relieve();
    }
  }

  /**
   * Sends apart the events of those that hold most, where held up tenants hold
   * more than their share together.
   */
  relieve(): void {
    const now = Date.now();
    const heldUp = [...this.lanes]
      .map(([tenant, lane]) => ({ tenant, lane, held: placesOf(lane) }))
      .filter(({ lane, held }) => held > 0 && isHeldUp(lane, now))
      .sort((one, other) => other.held - one.held);
    let total = heldUp.reduce((sum, { held }) => sum + held, 0);
    for (const { tenant, lane, held } of heldUp) {
      const isFull = this.apart.size >= MAX_APART || !this.mayLeave();
      if (total <= SHARE || isFull) {
        return;
      }
      this.apart.set(tenant, held);
      total -= held;
      const [first, ...others] = lane.entries;
      // What is handled at the moment goes on, and holds no place any more.
      lane.entries.splice(1);
      [first, ...others].forEach((entry) => entry?.leave());
    }
  }

  /** All that comes of the tenant from now on is sent apart. */
  setApart(tenant: string | undefined): void {
    this.apart.set(tenant, this.apart.get(tenant) ?? 0);
  }

  /** One that was sent apart has come there. */
  arrived(tenant: string | undefined): void {
    const leaving = this.apart.get(tenant);
    if (leaving) {
      this.apart.set(tenant, leaving - 1);
    }
  }

  /**
   * Nothing of the tenant waits apart any more.
   *
   * @returns false where something is on its way there
   */
  rejoin(tenant: string | undefined): boolean {
    return this.apart.get(tenant) === 0 && this.apart.delete(tenant);
  }

  /** Forgets who waits apart: the channel to their queues has ended. */
  forget(): void {
    this.apart.clear();
  }

  private next(tenant: string | undefined): void {
    const lane = this.lanes.get(tenant);
    const [entry] = lane?.entries ?? [];
    if (!lane || !entry) {
      this.lanes.delete(tenant);
      return;
    }
    void entry.start().finally(() => {
      lane.entries.shift();
      lane.isFailing = false;
      this.next(tenant);
    });
  }
}

/** Places of the queue of all that the events of a lane hold. */
function placesOf({ entries }: Lane): number {
  return entries.filter(
    ({ source, turn }) => source === 'queue' && !turn.hasLeft,
  ).length;
}

function isHeldUp({ entries, isFailing }: Lane, now: number): boolean {
  const [, second] = entries;
  return isFailing || (second !== undefined && now - second.since > HELD_UP_MS);
}
