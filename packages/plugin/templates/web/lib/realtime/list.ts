/** What a list can hold. */
export interface Listed {
  readonly id: string;
}

/** Fields of the item with this id; what is undefined stays as it is. */
export type ListUpdate<T extends Listed> = Listed & {
  readonly [K in keyof T]?: T[K] | undefined;
};

/** One change: an item, fields of one, or the id of one. */
export type ListChange<T extends Listed> =
  | { readonly add: T }
  | { readonly update: ListUpdate<T> }
  | { readonly remove: string };

/** The items of a list by their ids, oldest first. */
export type ListItems<T extends Listed> = ReadonlyMap<string, T>;

/**
 * The items after these changes, carried out in their order. An item takes the
 * place of the one with its id. Of an id that is not there, nothing is updated
 * or removed.
 *
 * @param size of the list: beyond it the oldest give way
 * @returns the same map where nothing changed
 */
export function changeList<T extends Listed>(
  items: ListItems<T>,
  changes: readonly ListChange<T>[],
  size: number,
): ListItems<T> {
  const next = new Map(items);
  const outcomes = changes.map((change) => carryOut(next, change));
  for (const oldest of next.keys()) {
    if (next.size <= size) break;
    next.delete(oldest);
  }
  return outcomes.includes(true) ? next : items;
}

/** @returns whether it changed anything */
function carryOut<T extends Listed>(
  items: Map<string, T>,
  change: ListChange<T>,
): boolean {
  if ('remove' in change) return items.delete(change.remove);
  if ('add' in change) {
    items.set(change.add.id, change.add);
    return true;
  }
  const item = items.get(change.update.id);
  if (!item) return false;
  const fields = Object.entries(change.update);
  const given = fields.filter(([, value]) => value !== undefined);
  items.set(item.id, { ...item, ...Object.fromEntries(given) });
  return true;
}
