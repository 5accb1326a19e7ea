import type { Renamed } from './change-event.js';
import { eventPascal } from './names.js';
import type { DomainNames } from './types.js';

/** Another spelling of a word of generated code: of an identifier, or of the content of a string. */
export interface NewWord {
  readonly word: string;
  /** The word is the name alone, as something else may well be called too: `archive`. */
  readonly bare: boolean;
}

/** Spellings of a word after a rename: the likeliest first, none where it stays. */
export type RenameWord = (word: string) => readonly NewWord[];

/**
 * The spellings of an event's name: full, of its types, its values, and its methods, which depend
 * on the name of its domain.
 */
export function renameEventWords(
  { from, to }: Renamed,
  before: DomainNames,
  after: DomainNames,
): RenameWord {
  const [old, next] = [spellingsOf(from, before.camel), spellingsOf(to, after.camel)];
  return (word) => {
    const replaced = replaceAll(word, [
      [old.name, next.name],
      [old.pascal, next.pascal],
      [old.camel, next.camel],
    ]);
    if (replaced !== word) return [{ word: replaced, bare: false }];
    if (word !== old.method || word === next.method) return [];
    return [next.method, next.camel].map((name) => ({ word: name, bare: true }));
  };
}

/** The spellings of a domain's name, wherever they stand in a word. */
export function renameDomainWords(from: DomainNames, to: DomainNames): RenameWord {
  const pairs = (Object.keys(from) as (keyof DomainNames)[]).map(
    (key) => [from[key], to[key]] as const,
  );
  return (word) => {
    const replaced = replaceAll(word, pairs);
    const bare = word === from.camel || word === from.camelPlural;
    return replaced === word ? [] : [{ word: replaced, bare }];
  };
}

function spellingsOf(
  event: string,
  prefix: string,
): { readonly name: string; readonly pascal: string; readonly camel: string; method: string } {
  const lower = (text: string): string => text.charAt(0).toLowerCase() + text.slice(1);
  const pascal = eventPascal(event);
  const short = event.startsWith(`${prefix}.`) ? event.slice(prefix.length + 1) : event;
  return { name: event, pascal, camel: lower(pascal), method: lower(eventPascal(short)) };
}

/** All at once and the longest first, so that nothing is replaced twice. */
function replaceAll(text: string, pairs: readonly (readonly [string, string])[]): string {
  const byName = new Map(pairs);
  const names = [...byName.keys()].sort((a, b) => b.length - a.length);
  const pattern = names.map((name) => name.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')).join('|');
  return text.replace(new RegExp(pattern, 'g'), (name) => byName.get(name) ?? name);
}
