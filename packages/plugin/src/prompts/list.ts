import { RealtimeError, hasId } from '../domain/index.js';
import type { ListAction, ServerEvent } from '../domain/index.js';
import type { Choice, Terminal } from './terminal.js';

const ACTIONS: readonly Choice<ListAction>[] = [
  { value: 'none', label: 'none: it only calls your handler' },
  { value: 'update', label: 'update: fields of the item with that id' },
  { value: 'remove', label: 'remove: the item with that id' },
  { value: 'add', label: 'add: an item' },
];

/**
 * Asks what an event with an id does to the list in the browser, of what it can do to it.
 *
 * @param check throws a RealtimeError for what it cannot do
 */
export async function askList(
  terminal: Terminal,
  { name }: ServerEvent,
  check: (list: ListAction) => unknown,
): Promise<ListAction> {
  const choices = ACTIONS.filter(({ value }) => {
    try {
      check(value);
      return true;
    } catch (error) {
      if (error instanceof RealtimeError) return false;
      throw error;
    }
  });
  return terminal.select(`What does ${name} do to the list in the browser?`, choices);
}

/** The events that may do something to the list, but for the one that makes it. */
export function withoutMaker(events: readonly ServerEvent[]): ServerEvent[] {
  const maker = events.find(({ list }) => list === 'add');
  return events.filter((event) => event !== maker && hasId(event.fields));
}
