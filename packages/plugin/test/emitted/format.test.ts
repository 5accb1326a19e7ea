import fc from 'fast-check';
import { format } from 'prettier';
import { describe, expect, it } from 'vitest';
import type { Domain } from '../../src/domain/index.js';
import { SCALARS } from '../../src/domain/index.js';
import type { RenderedFile } from '../../src/render/index.js';
import { HARD_SHAPES, SHAPES, domain, hostFacts, renderShape } from '../support/shapes.js';

/** The same domains at each run, or as many new ones as the variable says. */
const RUNS = process.env['FORMAT_RUNS']
  ? { numRuns: Number(process.env['FORMAT_RUNS']) }
  : { numRuns: 60, seed: 1 };

/** What has been found to be as Prettier formats it. */
const formatted = new Set<string>();

async function expectFormatted(files: readonly RenderedFile[]): Promise<void> {
  for (const { path, content } of files) {
    if (formatted.has(content)) continue;
    expect(content, path).toBe(await format(content, { singleQuote: true, filepath: path }));
    formatted.add(content);
  }
}

const letters = (min: number, max: number) =>
  fc.stringMatching(new RegExp(`^[a-z]{${min},${max}}$`));

/** `order-line`, of 2 to 30 letters. */
const name = fc
  .tuple(fc.integer({ min: 2, max: 30 }), fc.array(letters(2, 12), { minLength: 1, maxLength: 8 }))
  .map(([length, words]) => words.join('-').slice(0, length).replace(/-$/, ''));

const camel = name.map((text) => text.replaceAll(/-./g, ([, letter]) => letter!.toUpperCase()));

const type = fc.oneof(
  fc.constantFrom(...SCALARS),
  fc
    .uniqueArray(letters(1, 20), { minLength: 1, maxLength: 8 })
    .map((values) => `enum(${values.join('|')})`),
);

const field = fc.record({
  key: fc.oneof(camel, fc.constantFrom('id', 'userId')),
  optional: fc.constantFrom('', '?'),
  type: fc.oneof(fc.constant('string'), type),
  array: fc.constantFrom('', '', '[]'),
});

const payload = fc.uniqueArray(field, { maxLength: 8, selector: ({ key }) => key });

/** Bare and dotted event names, none of them twice. */
const events = fc.uniqueArray(
  fc.record({
    event: fc.oneof(
      camel,
      fc.tuple(camel, camel).map((words) => words.join('.')),
    ),
    fields: payload,
  }),
  { maxLength: 6, selector: ({ event }) => event.replace('.', '').toLowerCase() },
);

/** What every server event must carry, so that somebody receives it. */
const ADDRESSES = { tenant: [], user: ['userId'], resource: ['resourceId'], custom: ['room'] };

const domains = fc
  .record({
    name,
    rooms: fc.constantFrom('tenant', 'user', 'resource', 'custom'),
    serverEvents: events,
    clientEvents: events,
    silent: fc.boolean(),
  })
  .map(({ silent, serverEvents, clientEvents, ...options }): Domain => {
    const required: readonly string[] = ADDRESSES[options.rooms];
    const drafted = domain({
      ...options,
      serverEvents: serverEvents.map(({ event, fields }) => {
        const others = fields.filter(({ key }) => !required.includes(key));
        return textOf(`a${event}`, [...required, ...others.map(textOfField)]);
      }),
      clientEvents: clientEvents.map(({ event, fields }) =>
        textOf(`b${event}`, fields.map(textOfField)),
      ),
    });
    return { ...drafted, example: true, ...(silent ? { serverEvents: [] } : {}) };
  });

const textOf = (event: string, fields: readonly string[]) => `${event}{${fields.join(',')}}`;

function textOfField({
  key,
  optional,
  type,
  array,
}: Record<'key' | 'optional' | 'type' | 'array', string>): string {
  return `${key}${optional}:${type}${array}`;
}

describe(
  'what is rendered is formatted as Prettier would',
  { timeout: RUNS.numRuns * 1_000 },
  () => {
    it.each([...SHAPES, ...HARD_SHAPES])('$name', async (shape) => {
      await expectFormatted(renderShape(shape));
    });

    it('for domains of any name and size', async () => {
      const host = hostFacts({ solution: true, runner: 'vitest', publishers: ['orders'] });
      await fc.assert(
        fc.asyncProperty(domains, async (one) => {
          await expectFormatted(renderShape({ name: 'any', host, domains: [one] }));
        }),
        { ...RUNS, endOnFailure: true },
      );
    });
  },
);
