import { parseArgs } from 'node:util';
import type { ParseArgsConfig } from 'node:util';
import { RealtimeError } from '../domain/index.js';

type Options = NonNullable<ParseArgsConfig['options']>;

type Parsed<T extends Options> = ReturnType<
  typeof parseArgs<{ args: string[]; options: T; allowPositionals: true; strict: true }>
>;

/** Other tools' names of an option. */
const OTHER_NAMES: Readonly<Record<string, string>> = {
  expires: 'ttl',
  'expires-in': 'ttl',
  expiresIn: 'ttl',
  exp: 'ttl',
  sub: 'user',
  userId: 'user',
  tenantId: 'tenant',
  payload: 'data',
};

/**
 * Reads the arguments of a command.
 *
 * @param options each by its name
 * @param positionals how many there may be beside options
 * @throws RealtimeError RT038 for an option that the command does not have, or without its value, and
 *   for what is no option
 */
export function readArgs<T extends Options>(
  args: string[],
  options: T,
  positionals = 0,
): Parsed<T> {
  let parsed: Parsed<T>;
  try {
    parsed = parseArgs({ args, options, allowPositionals: true, strict: true });
  } catch (error) {
    const { code, message } = error as Error & { readonly code?: string };
    const [, unknown] = /'--?([^' ]+)/.exec(message) ?? [];
    if (code === 'ERR_PARSE_ARGS_UNKNOWN_OPTION' && unknown !== undefined) {
      throw new RealtimeError('RT038', unknownOption(unknown, Object.keys(options)));
    }
    // Node adds a hint about positionals, which no command needs.
    throw new RealtimeError('RT038', `${message.split('. ')[0]}. See --help.`);
  }
  const surplus = parsed.positionals.slice(positionals);
  if (surplus.length === 0) return parsed;
  throw new RealtimeError('RT038', `Unexpected "${surplus.join(' ')}". See --help.`);
}

function unknownOption(name: string, names: readonly string[]): string {
  const other = OTHER_NAMES[name] ?? '';
  const meant = names.includes(other) ? other : closest(name, names);
  const all = names.map((one) => `--${one}`).join(' ');
  return `There is no option "--${name}". ${meant === undefined ? '' : `Did you mean --${meant}? `}There are: ${all}. See --help.`;
}

/** The one of these names that a mistyped one means; undefined where none is near. */
export function closest(typed: string, names: readonly string[]): string | undefined {
  const near = names
    .map((name) => ({ name, edits: editsBetween(typed.toLowerCase(), name.toLowerCase()) }))
    .filter(({ name, edits }) => edits <= Math.ceil(name.length / 3))
    .sort((a, b) => a.edits - b.edits);
  return near[0]?.name;
}

/** Number of letters inserted, left out or replaced (Levenshtein's distance). */
function editsBetween(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (const [index, letter] of [...a].entries()) {
    const next = [index + 1];
    for (const [column, other] of [...b].entries()) {
      const replaced = row[column]! + (letter === other ? 0 : 1);
      next.push(Math.min(replaced, row[column + 1]! + 1, next[column]! + 1));
    }
    row = next;
  }
  return row[b.length]!;
}

/**
 * A time in seconds from text: `90`, `10m`, `1h`, `7d`.
 *
 * @throws RealtimeError RT038
 */
export function parseSeconds(option: string, text: string): number {
  const [, count, unit = 's'] = /^(-?\d{1,9})([smhd])?$/.exec(text) ?? [];
  if (count === undefined) {
    throw new RealtimeError('RT038', `${option}: "${text}" is no time; give 90, 10m, 1h or 7d.`);
  }
  return Number(count) * { s: 1, m: 60, h: 3_600, d: 86_400 }[unit as 's' | 'm' | 'h' | 'd'];
}
