import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { parseBrokerEvent } from '../src/broker/broker-event';
import { ContractPipe } from '../src/events/client-event';
import type { PayloadSchema } from '../src/events/payload-schema';

/** As a library other than zod implements Standard Schema; `isLate`: it answers later. */
const text = (isLate: boolean): PayloadSchema<{ text: string }> => {
  const standard = {
    version: 1,
    vendor: 'acme',
    validate: (value: unknown) => {
      const { text: found } = Object(value) as { text?: unknown };
      const result =
        typeof found === 'string'
          ? { value: { text: found.trim() } }
          : { issues: [{ message: 'is no text', path: [{ key: 'text' }, 0] }] };
      return isLate ? Promise.resolve(result) : result;
    },
  };
  return { '~standard': standard };
};

describe.each([
  ['at once', false],
  ['later', true],
])('a schema of any library, which answers %s', (_name, isLate) => {
  it('checks client events', async () => {
    const pipe = new ContractPipe(text(isLate));
    expect(await pipe.transform({ text: ' hi ' })).toEqual({ text: 'hi' });
    await expect((async () => pipe.transform({ text: 7 }))()).rejects.toMatchObject({
      code: 'VALIDATION',
      details: [{ path: 'text.0', message: 'is no text' }],
    });
  });

  it('checks broker events', async () => {
    const source = { key: 'note', schema: text(isLate) };
    const read = async (data: object) => parseBrokerEvent(data, source);
    expect(await read({ tenantId: 't1', note: { text: ' hi ' } })).toEqual({
      tenantId: 't1',
      payload: { text: 'hi' },
    });
    await expect(read({ tenantId: 't1', note: {} })).rejects.toMatchObject({
      kind: 'invalid',
      code: 'PAYLOAD',
      message: 'data.note.text.0: is no text',
    });
  });
});

it('a schema of zod is one', () => {
  const pipe = new ContractPipe(z.strictObject({ text: z.string() }));
  expect(pipe.transform({ text: 'hi' })).toEqual({ text: 'hi' });
});
