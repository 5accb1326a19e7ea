/** What a list can hold: payloads with an id. */
interface Listed {
  readonly id: string;
}

/** Fields of the item with this id; what is undefined stays as it is. */
export type ListUpdate<T extends Listed> = Listed & {
  readonly [K in keyof T]?: T[K] | undefined;
};

/** One change of a list: an item, fields of one, or the id of one. */
export type ListChange<T extends Listed> =
  | { readonly add: T }
  | { readonly update: ListUpdate<T> }
  | { readonly remove: string };

/** The items of a list by their ids, oldest first. */
type Items<T extends Listed> = ReadonlyMap<string, T>;

/** How items are told apart, and which of two is kept. */
export interface ListRules<T> {
  /** What identifies an item. @default its `id` */
  readonly key?: ((item: T) => string) | undefined;
  /**
   * Whether the first is newer than the second, by a version or a time: an item
   * that is newer than what comes stays. @default what comes last is newer
   */
  readonly newer?: ((item: T, other: T) => boolean) | undefined;
}

/** Where a list is kept, such as a zustand store. */
interface ListPlace<T extends Listed> {
  readonly get: () => Items<T>;
  /** @param items the same, newest first */
  readonly set: (byId: Items<T>, items: readonly T[]) => void;
  /** The oldest give way, so that a page left open does not grow for ever. */
  readonly max: number;
}

/**
 * Functions that change a list; what changes nothing sets nothing.
 *
 * @example
 * interface State extends ListActions<Ticket> {
 *   readonly tickets: readonly Ticket[];
 *   readonly byId: ReadonlyMap<string, Ticket>;
 * }
 */
export interface ListActions<T extends Listed> {
  /** Puts an item first, or in the place of the one with its id. */
  readonly add: (item: T) => void;
  readonly update: (fields: ListUpdate<T>) => void;
  readonly remove: (id: string) => void;
  /** Adds several at the cost of one render, in their order of arrival. */
  readonly merge: (items: readonly T[]) => void;
  /** The same for whatever events do. */
  readonly change: (
    changes: readonly ListChange<T>[],
    rules?: ListRules<T>,
  ) => void;
  /**
   * Puts items in the place of all, newest first, and then does what these
   * changes do. Where they are more than the list holds, it holds as many.
   */
  readonly replace: (
    items: readonly T[],
    changes?: readonly ListChange<T>[],
    rules?: ListRules<T>,
  ) => void;
  readonly clear: () => void;
}

/**
 * Functions that change a list, wherever it is kept.
 *
 * @example
 * const useTicketsStore = create<State>()((set, get) => ({
 *   tickets: [],
 *   byId: new Map(),
 *   ...listActions<Ticket>({
 *     get: () => get().byId,
 *     set: (byId, tickets) => set({ byId, tickets }),
 *     max: 200,
 *   }),
 * }));
 */
export function listActions<T extends Listed>({
  get,
  set,
  max,
}: ListPlace<T>): ListActions<T> {
  let bound = max;
  const put = (byId: Items<T>): void => {
    if (byId !== get()) set(byId, [...byId.values()].reverse());
  };
  const change: ListActions<T>['change'] = (changes, rules) =>
    put(changeList(get(), changes, bound, rules));
  return {
    add: (add) => change([{ add }]),
    update: (update) => change([{ update }]),
    remove: (remove) => change([{ remove }]),
    merge: (items) => change(items.map((add) => ({ add }))),
    change,
    replace: (items, changes = [], rules = {}) => {
      bound = Math.max(max, items.length);
      const loaded = [...items].reverse().map((add) => ({ add }));
      const all = [...loaded, ...changes];
      put(changeList(new Map(), all, bound, rules));
    },
    clear: () => {
      bound = max;
      if (get().size > 0) put(new Map());
    },
  };
}

/**
 * The items after these changes, carried out in their order. An item takes the
 * place of the one with its id. Of an id that is not there, nothing is updated
 * or removed.
 *
 * @param max items; beyond them the oldest give way
 * @returns the same map where nothing changed
 */
export function changeList<T extends Listed>(
  items: Items<T>,
  changes: readonly ListChange<T>[],
  max: number,
  rules: ListRules<T> = {},
): Items<T> {
  const next = new Map(items);
  const outcomes = changes.map((change) => carryOut(next, change, rules));
  for (const oldest of next.keys()) {
    if (next.size <= max) break;
    next.delete(oldest);
  }
  return outcomes.includes(true) ? next : items;
}

/** @returns whether it changed anything */
function carryOut<T extends Listed>(
  items: Map<string, T>,
  change: ListChange<T>,
  { key = ({ id }) => id, newer }: ListRules<T>,
): boolean {
  if ('remove' in change) return items.delete(change.remove);
  const isAdded = 'add' in change;
  // An update holds at least what identifies an item.
  const id = key(isAdded ? change.add : (change.update as T));
  const held = items.get(id);
  if (!isAdded && !held) return false;
  const item = isAdded ? change.add : withFields(held as T, change.update);
  if (held && newer?.(held, item)) return false;
  items.set(id, item);
  return true;
}

function withFields<T extends Listed>(item: T, update: ListUpdate<T>): T {
  const fields = Object.entries(update);
  const given = fields.filter(([, value]) => value !== undefined);
  return { ...item, ...Object.fromEntries(given) };
}
