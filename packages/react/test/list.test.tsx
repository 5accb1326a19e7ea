import { changeList, type ListChange } from '../src/core/list.js';
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
