import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { ChannelUser, RealtimeChannel, RealtimeStatus } from '../src/core/channel.js';
import { type LiveList, liveList } from '../src/core/live-list.js';
import { liveLoad } from '../src/core/live-load.js';
import { META } from './realtime-server.js';

/** What the database holds of one user, and what events tell of it. */
interface Row {
  readonly id: string;
  readonly owner: string;
  readonly text: string;
  readonly note?: string | undefined;
}

type Kind = 'add' | 'update' | 'remove';

interface Fetch {
  readonly owner: string;
  readonly signal: AbortSignal;
  readonly resolve: (rows: readonly Row[]) => void;
  readonly reject: (reason: Error) => void;
  /** What was read for it, which may be long before it is answered. */
  rows?: readonly Row[];
}

const EVENTS = { 'row.added': 'add', 'row.changed': 'update', 'row.gone': 'remove' } as const;
const NAMES = { add: 'row.added', update: 'row.changed', remove: 'row.gone' } as const;

/** A database with its events, a connection that comes and goes, and a page with one list. */
class World {
  owner = 'ann';
  readonly fetches: Fetch[] = [];
  readonly list: LiveList<Row>;
  private readonly rows = new Map<string, Map<string, Row>>();
  private status: RealtimeStatus = 'connecting';
  /** Sent, and not arrived yet. */
  private wire: [event: string, payload: unknown][] = [];
  /** Since the connection was lost something was sent; at first, too. */
  private hasMissed = true;
  private count = 0;
  private readonly removed = new Set<string>();
  /** A removed id came again: while that is loaded, its place may be another. */
  private hasReturned = false;
  private readonly users = new Set<ChannelUser>();
  private readonly watchers = new Set<() => void>();
  private readonly resets: (() => void)[] = [];
  private readonly releases: (() => void)[] = [];

  constructor() {
    const channel = {
      getState: () => ({ status: this.status, error: null }),
      subscribe: (watcher: () => void) => {
        this.watchers.add(watcher);
        return () => this.watchers.delete(watcher);
      },
      acquire: (user: ChannelUser) => {
        this.users.add(user);
        return () => this.users.delete(user);
      },
    } as unknown as RealtimeChannel;
    const realtime = {
      onUserChange: (reset: () => void) => {
        this.resets.push(reset);
        return () => undefined;
      },
    };
    this.list = liveList({ realtime, channel, on: EVENTS as never });
  }

  /** Newest first, as the database has them now. */
  stored(owner = this.owner): Row[] {
    return [...(this.rows.get(owner)?.values() ?? [])].reverse();
  }

  mount(): void {
    const load = (signal: AbortSignal) =>
      new Promise<readonly Row[]>((resolve, reject) => {
        this.fetches.push({ owner: this.owner, signal, resolve, reject });
      });
    this.releases.push(this.list.acquire({ current: { load } }));
  }

  unmount(): void {
    this.releases.pop()?.();
  }

  write(kind: Kind, id: string): void {
    const { owner } = this;
    const rows = this.rows.get(owner) ?? new Map<string, Row>();
    this.rows.set(owner, rows);
    const held = rows.get(id);
    const text = `${(this.count += 1)}`;
    const payload =
      kind === 'add' ? { id, owner, text } : kind === 'update' ? { id, note: text } : { id };
    if (kind === 'add') this.hasReturned ||= this.removed.has(`${owner} ${id}`) && !held;
    if (kind === 'remove') this.removed.add(`${owner} ${id}`);
    if (kind === 'remove') rows.delete(id);
    else if (kind === 'add' || held) rows.set(id, { ...held, ...payload } as Row);
    if (kind === 'add') rows.set(id, payload as Row);
    if (this.status === 'connected') this.wire.push([NAMES[kind], payload]);
    else this.hasMissed = true;
  }

  deliver(): void {
    const [event, payload] = this.wire.shift() ?? [];
    if (event === undefined) return;
    for (const user of [...this.users]) user.receive(event, payload as never, META);
  }

  connect(): void {
    if (this.status === 'connected') return;
    this.set('connected');
    if (!this.hasMissed) return;
    this.hasMissed = false;
    for (const user of [...this.users]) user.resync({ since: new Date(0), until: new Date() });
  }

  drop(): void {
    if (this.status !== 'connected') return;
    this.hasMissed ||= this.wire.length > 0;
    this.wire = [];
    this.set('reconnecting');
  }

  signIn(owner: string): void {
    if (owner === this.owner) return;
    this.owner = owner;
    this.wire = [];
    this.hasMissed = true;
    this.set('idle');
    for (const reset of this.resets) reset();
    this.set('connecting');
  }

  /** The database is read for a fetch; what is written later is not in it. */
  read(index: number): void {
    const open = this.fetches.filter(({ rows }) => !rows);
    const fetch = open[index % open.length];
    if (fetch) fetch.rows = this.stored(fetch.owner);
  }

  answer(index: number, isFailure: boolean): void {
    const [fetch] = this.fetches.splice(index % Math.max(this.fetches.length, 1), 1);
    if (isFailure) fetch?.reject(new Error('fails'));
    else fetch?.resolve(fetch.rows ?? this.stored(fetch.owner));
  }

  /** All that is right, at once: nothing on the wire, in flight or waited for. */
  async settle(): Promise<void> {
    for (let turn = 0; turn < 3; turn += 1) {
      this.connect();
      while (this.wire.length > 0) this.deliver();
      while (this.fetches.length > 0) this.answer(0, false);
      await this.pass(60_000);
    }
    while (this.fetches.length > 0) this.answer(0, false);
    await this.pass(20);
  }

  async pass(ms: number): Promise<void> {
    vi.advanceTimersByTime(ms);
    for (let turn = 0; turn < 6; turn += 1) await Promise.resolve();
  }

  get shown(): readonly Row[] {
    return this.list.getSnapshot().items;
  }

  /** That all is shown as it is stored, and in that order. */
  expectRight(): void {
    const byId = (one: Row, other: Row) => one.id.localeCompare(other.id);
    const [shown, stored] = [[...this.shown], this.stored()];
    if (this.hasReturned) expect(shown.sort(byId)).toEqual(stored.sort(byId));
    else expect(shown).toEqual(stored);
  }

  /** It says that all is right, and nothing is under way that would make it so. */
  get claimsToBeRight(): boolean {
    return this.list.getSnapshot().status === 'live' && this.wire.length === 0;
  }

  private set(status: RealtimeStatus): void {
    this.status = status;
    for (const watcher of [...this.watchers]) watcher();
  }
}

type Step = (world: World) => void | Promise<void>;

const id = fc.constantFrom('1', '2', '3', '4');
const index = fc.nat(3);
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.tuple(fc.constantFrom<Kind>('add', 'add', 'update', 'remove'), id).map(
      ([kind, id]): Step =>
        (world) =>
          world.write(kind, id),
    ),
  },
  { weight: 6, arbitrary: fc.constant<Step>((world) => world.deliver()) },
  { weight: 4, arbitrary: fc.constant<Step>((world) => world.connect()) },
  { weight: 1, arbitrary: fc.constant<Step>((world) => world.drop()) },
  {
    weight: 4,
    arbitrary: index.map(
      (index): Step =>
        (world) =>
          world.read(index),
    ),
  },
  {
    weight: 4,
    arbitrary: fc.tuple(index, fc.nat(3)).map(
      ([index, luck]): Step =>
        (world) =>
          world.answer(index, luck === 0),
    ),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom('ann', 'bob').map(
      (owner): Step =>
        (world) =>
          world.signIn(owner),
    ),
  },
  { weight: 1, arbitrary: fc.constant<Step>((world) => world.list.reload()) },
  { weight: 1, arbitrary: fc.constant<Step>((world) => world.mount()) },
  { weight: 1, arbitrary: fc.constant<Step>((world) => world.unmount()) },
  {
    weight: 4,
    arbitrary: fc.constantFrom(16, 1_000, 5_000).map(
      (ms): Step =>
        (world) =>
          world.pass(ms),
    ),
  },
);

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

describe('a live list, in whatever order things happen', () => {
  it(
    'ends in the state of the log, never claims more, and shows nothing of another user',
    { timeout: 300_000 },
    async () => {
      let claims = 0;
      const property = fc.asyncProperty(
        fc.array(step, { minLength: 5, maxLength: 60, size: 'max' }),
        async (steps) => {
          vi.clearAllTimers();
          const world = new World();
          world.mount();
          for (const one of steps) {
            await one(world);
            await world.pass(0);
            expect(world.shown.filter(({ owner }) => owner !== world.owner)).toEqual([]);
            if (!world.claimsToBeRight) continue;
            await world.pass(16);
            world.expectRight();
            claims += 1;
          }
          world.mount();
          await world.settle();
          world.expectRight();
          expect(world.list.getSnapshot()).toMatchObject({ status: 'live', error: null });
        },
      );
      await fc.assert(property, { numRuns: 4_000, seed: 21, endOnFailure: true });
      expect(claims).toBeGreaterThan(5_000);
    },
  );
});

describe('a load', () => {
  function start() {
    const calls: string[] = [];
    const shown: unknown[] = [];
    const load = liveLoad<string, string>({
      fetch: (turn) => calls.push(`fetch ${turn}`),
      cancel: () => undefined,
      wait: (ms) => calls.push(`wait ${ms}`),
      show: (items, changes) => shown.push([items, changes.length]),
    });
    const lastTurn = () => Number(calls.at(-1)?.replace('fetch ', ''));
    return { load, calls, shown, lastTurn };
  }

  it('waits five seconds for the connection, and begins once more when it is there', () => {
    const { load, calls, shown, lastTurn } = start();
    load.want();
    expect(calls).toEqual(['wait 5000']);
    load.due();
    const early = lastTurn();
    load.open(true);
    load.restart();
    expect(lastTurn()).toBeGreaterThan(early);
    load.loaded(early, ['early']);
    expect(shown).toEqual([]);
    load.loaded(lastTurn(), ['late']);
    expect(shown).toEqual([[['late'], 0]]);
  });

  it('that fails is tried again, later each time, with the changes since the first', () => {
    vi.spyOn(Math, 'random').mockReturnValue(0);
    const { load, calls, shown, lastTurn } = start();
    load.open(true);
    load.want();
    const turn = lastTurn();
    for (const delay of [1, 2, 4, 8, 16, 30, 30]) {
      load.change('one');
      load.failed(turn, 'down');
      expect(load.state().error).toBe('down');
      expect(calls.at(-1)).toBe(`wait ${delay * 1_000}`);
      load.due();
    }
    load.loaded(lastTurn(), ['a']);
    expect(shown).toEqual([[['a'], 7]]);
    expect(load.state().error).toBeNull();
    vi.restoreAllMocks();
  });

  it('is done once more where more changes came than are kept', () => {
    const { load, shown, lastTurn } = start();
    load.open(true);
    load.want();
    for (let count = 0; count < 5_000; count += 1) load.change('one');
    load.loaded(lastTurn(), ['partial']);
    expect(shown).toEqual([]);
    load.change('one');
    load.loaded(lastTurn(), ['whole']);
    expect(shown).toEqual([[['whole'], 1]]);
  });

  it('is not done again for one who comes back to what stayed right', () => {
    const { load, calls, lastTurn } = start();
    load.open(true);
    load.want();
    load.loaded(lastTurn(), []);
    load.leave();
    const before = [...calls];
    load.want();
    expect(calls).toEqual(before);
    expect(load.state().isRight).toBe(true);
    load.leave();
    load.restart();
    expect(calls).toEqual(before);
    load.want();
    expect(calls).toHaveLength(before.length + 1);
  });
});
