import { changeList, listActions, type ListChange } from '../src/core/list.js';
import { describe, expect, it } from 'vitest';

interface Item {
  readonly id: string;
  readonly text: string;
  readonly note?: string | undefined;
}

const item = (id: string, text = 'x'): Item => ({ id, text });
const of = (...items: Item[]) => new Map(items.map((one) => [one.id, one]));
const change = (items: ReadonlyMap<string, Item>, ...changes: ListChange<Item>[]) =>
  changeList(items, changes, 3);

describe('changeList', () => {
  it('carries out changes in their order', () => {
    const add = item('1', 'a');
    expect([...change(of(), { add }, { update: { id: '1', text: 'b' } }).values()]).toEqual([
      item('1', 'b'),
    ]);
    expect([...change(of(), { update: { id: '1', text: 'b' } }, { add }).values()]).toEqual([add]);
    expect(change(of(), { add }, { remove: '1' }).size).toBe(0);
    expect(change(of(add), { remove: '1' }, { add }).size).toBe(1);
  });

  it('updates the fields that are given, of one item, in its place', () => {
    const before = of({ ...item('1'), note: 'n' }, item('2'), item('3'));
    const after = change(before, { update: { id: '2', note: 'm', text: undefined } });
    expect([...after.values()]).toEqual([
      before.get('1'),
      { ...item('2'), note: 'm' },
      before.get('3'),
    ]);
    expect(after.get('1')).toBe(before.get('1'));
    expect(before.get('2')).toEqual(item('2'));
  });

  it('puts an item in the place of the one with its id, whole', () => {
    const after = change(of({ ...item('1'), note: 'n' }, item('2')), { add: item('1', 'y') });
    expect([...after.values()]).toEqual([item('1', 'y'), item('2')]);
  });

  it('gives the same map where there is nothing to change', () => {
    const before = of(item('1'));
    expect(change(before, { update: { id: '2', text: 'y' } }, { remove: '3' })).toBe(before);
    expect(change(before)).toBe(before);
  });

  it('lets the oldest go beyond its size', () => {
    const adds = ['1', '2', '3', '4', '5'].map((id) => ({ add: item(id) }));
    expect([...change(of(), ...adds).keys()]).toEqual(['3', '4', '5']);
    const full = of(item('1'), item('2'), item('3'));
    expect([...change(full, { add: item('1') }).keys()]).toEqual(['1', '2', '3']);
    expect([...change(full, { remove: '2' }, { add: item('4') }).keys()]).toEqual(['1', '3', '4']);
  });
});

describe('rules of a list', () => {
  interface Version {
    readonly sku: string;
    readonly id: string;
    readonly version: number;
  }
  const of = (sku: string, version: number): Version => ({ sku, id: 'same', version });
  const rules = {
    key: ({ sku }: Version) => sku,
    newer: (one: Version, other: Version) => one.version > other.version,
  };

  it('keep what is newer than what comes late, and find items by their key', () => {
    const changes = [
      { add: of('a', 2) },
      { add: of('b', 1) },
      { add: of('a', 1) },
      { update: { ...of('b', 3), id: 'same' } },
      { update: { ...of('b', 2), id: 'same' } },
      { add: of('c', 1) },
      { remove: 'c' },
    ];
    expect([...changeList(new Map(), changes, 9, rules).values()]).toEqual([
      of('a', 2),
      of('b', 3),
    ]);
    const update = { sku: 'a', id: 'same' } as never;
    const held = new Map([['a', of('a', 2)]]);
    expect(changeList(held, [{ update }], 9, rules).get('a')).toEqual(of('a', 2));
  });
});

describe('a list that is replaced', () => {
  function create(max = 3) {
    let byId: ReadonlyMap<string, Item> = new Map();
    let shown: readonly Item[] = [];
    const actions = listActions<Item>({
      get: () => byId,
      set: (next, items) => {
        byId = next;
        shown = items;
      },
      max,
    });
    return { ...actions, ids: () => shown.map(({ id }) => id).join('') };
  }

  it('has what is loaded, newest first, and what has changed meanwhile', () => {
    const list = create();
    list.add(item('z'));
    list.replace([item('2'), item('1')], [{ add: item('3') }, { remove: '1' }]);
    expect(list.ids()).toBe('32');
  });

  it('holds as many as a longer page, until it is cleared', () => {
    const list = create();
    list.replace(['5', '4', '3', '2', '1'].map((id) => item(id)));
    expect(list.ids()).toBe('54321');
    list.change([{ add: item('6') }]);
    list.add(item('7'));
    expect(list.ids()).toBe('76543');
    list.replace([item('1')]);
    for (const id of ['2', '3', '4']) list.add(item(id));
    expect(list.ids()).toBe('432');
    list.replace(['5', '4', '3', '2', '1'].map((id) => item(id)));
    list.clear();
    list.merge(['1', '2', '3', '4'].map((id) => item(id)));
    expect(list.ids()).toBe('432');
  });
});
