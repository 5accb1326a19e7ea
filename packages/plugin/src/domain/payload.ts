import * as z from 'zod/mini';
import { RealtimeError } from './errors.js';
import type { Field, Scalar } from './types.js';
import { parseWith } from './zod.js';

/** Fields as the contract has them. */
const TYPES: Readonly<Record<Scalar, () => z.ZodMiniType>> = {
  string: () => z.string(),
  number: () => z.number(),
  integer: () => z.int(),
  boolean: () => z.boolean(),
  uuid: () => z.uuid(),
  datetime: () => z.iso.datetime({ offset: true }),
  json: () => z.json(),
};

/**
 * Faults of a payload against an event's fields, a line for each; unknown fields too, which are
 * mistyped ones more often than not.
 */
export function payloadProblems(fields: readonly Field[], payload: unknown): string[] {
  const shape = Object.fromEntries(fields.map((field) => [field.name, typeOf(field)]));
  const result = parseWith(z.strictObject(shape), payload);
  if ('data' in result) return [];
  return result.issues.map(({ path, message }) =>
    [path.join('.'), message].filter(Boolean).join(': '),
  );
}

/**
 * A field's value from text, as a command line gives it: lists separated by commas, or JSON.
 *
 * @throws RealtimeError RT034
 */
export function parseFieldText(field: Field, text: string): unknown {
  if (!field.array) return parseScalar(field, text);
  if (!text.trimStart().startsWith('[')) {
    return text === '' ? [] : text.split(',').map((item) => parseScalar(field, item.trim()));
  }
  return parseJson(field.name, text);
}

function parseScalar({ name, base }: Field, text: string): unknown {
  if (base === 'json') return parseJson(name, text);
  // A value that is none stays text, which the check then names.
  if (base === 'boolean') return text === 'true' || (text === 'false' ? false : text);
  const number = base === 'number' || base === 'integer' ? Number(text) : NaN;
  return Number.isFinite(number) && text.trim() !== '' ? number : text;
}

function parseJson(name: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new RealtimeError('RT034', `--${name} is no JSON: ${text}`);
  }
}

function typeOf({ base, array, optional }: Field): z.ZodMiniType {
  const one = typeof base === 'string' ? TYPES[base]() : z.enum([...base]);
  const type = array ? z.array(one) : one;
  return optional ? z.optional(type) : type;
}
