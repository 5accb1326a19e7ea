import { describe, expect, it, vi } from 'vitest';
import * as z from 'zod';
import { en } from 'zod/locales';
import * as mini from 'zod/mini';
import { validate } from '../src/core/schemas.js';

/** Every type of a field, and what is wrong with a value of it. */
const FIELDS = {
  string: [mini.string(), [1, null, [], {}, true, undefined]],
  number: [mini.number(), ['1', null]],
  integer: [mini.int(), [1.5, '1', 2 ** 60, -(2 ** 60)]],
  boolean: [mini.boolean(), ['true', undefined]],
  uuid: [mini.uuid(), ['x', 1]],
  datetime: [mini.iso.datetime({ offset: true }), ['today', 5]],
  json: [mini.json(), [undefined]],
  'one value': [mini.enum(['a']), ['b', 1]],
  'one of several': [mini.enum(['a', 'b']), ['c', null]],
  'several of them': [mini.array(mini.enum(['a', 'b'])), [['a', 'c'], 'a']],
  optional: [mini.optional(mini.string()), [null, 7]],
} as const;

const messagesOf = (schema: mini.core.$ZodType, body: unknown) =>
  validate(schema as never, body).issues?.map(({ message, path }) => ({ message, path }));

describe('what a contract of zod/mini finds wrong is said as zod says it', () => {
  it.each(Object.entries(FIELDS))('%s', (_type, [field, values]) => {
    const schema = mini.object({ first: mini.object({ field }) });
    for (const value of values) {
      for (const body of [{ first: { field: value } }, { first: value }, value]) {
        mini.config({ localeError: en().localeError });
        const inEnglish = messagesOf(schema, body);
        mini.config({ localeError: undefined });
        expect(inEnglish?.length).toBeGreaterThan(0);
        expect(messagesOf(schema, body)).toEqual(inEnglish);
      }
    }
  });

  it('and in the language that the app has chosen, where it has', () => {
    mini.config({ localeError: () => 'Falsch' });
    const issues = messagesOf(mini.object({ id: mini.string() }), {});
    mini.config({ localeError: undefined });
    expect(issues).toEqual([{ message: 'Falsch', path: ['id'] }]);
  });

  it('and as it is, where a schema has words of its own', () => {
    const schema = z.object({ id: z.string('No id') });
    expect(messagesOf(schema, {})).toEqual([{ message: 'No id', path: ['id'] }]);
  });
});

it('a contract of zod/mini compiles no code, which a strict policy of the page would report', () => {
  const compiled = vi.spyOn(globalThis, 'Function');
  const schema = mini.object({ id: mini.uuid(), tags: mini.optional(mini.array(mini.string())) });
  validate(schema, { id: 1 });
  expect(compiled).not.toHaveBeenCalled();
  z.object({}).safeParse({});
  expect(compiled).toHaveBeenCalled();
  compiled.mockRestore();
});
