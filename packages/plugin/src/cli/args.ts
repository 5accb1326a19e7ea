import { parseArgs } from 'node:util';
import type { ParseArgsConfig } from 'node:util';
import { RealtimeError } from '../domain/index.js';

type Options = NonNullable<ParseArgsConfig['options']>;

type Parsed<T extends Options> = ReturnType<
  typeof parseArgs<{ args: string[]; options: T; allowPositionals: true; strict: true }>
>;

/**
 * Reads the arguments of a command.
 *
 * @throws RealtimeError RT038 for an option that the command does not have, or without its value
 */
export function readArgs<T extends Options>(args: string[], options: T): Parsed<T> {
  try {
    return parseArgs({ args, options, allowPositionals: true, strict: true });
  } catch (error) {
    // Node adds a hint about positionals, which no command needs.
    const [message] = (error as Error).message.split('. ');
    throw new RealtimeError('RT038', `${message}. See --help.`);
  }
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
