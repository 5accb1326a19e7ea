import type { z } from 'zod';
import { RealtimeError } from './errors.js';
import type { Field, Scalar } from './types.js';
import { loadZod } from './zod.js';

/** As the contract has them. */
const TYPES: Readonly<Record<Scalar, (zod: Zod) => z.ZodType>> = {
  string: (zod) => zod.string(),
  number: (zod) => zod.number(),
  integer: (zod) => zod.int(),
  boolean: (zod) => zod.boolean(),
  uuid: (zod) => zod.uuid(),
  datetime: (zod) => zod.iso.datetime({ offset: true }),
  json: (zod) => zod.json(),
};

type Zod = ReturnType<typeof loadZod>;

/**
 * What keeps a payload from fitting an event's fields, a line for each; unknown fields too, which are
 * mistyped ones more often than not.
 */
export function payloadProblems(fields: readonly Field[], payload: unknown): string[] {
  const zod = loadZod();
  const shape = Object.fromEntries(fields.map((field) => [field.name, typeOf(field, zod)]));
  const { error } = zod.strictObject(shape).safeParse(payload);
  return (error?.issues ?? []).map(({ path, message }) =>
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

function typeOf({ base, array, optional }: Field, zod: Zod): z.ZodType {
  const one = typeof base === 'string' ? TYPES[base](zod) : zod.enum([...base]);
  const type = array ? zod.array(one) : one;
  return optional ? type.optional() : type;
}
