import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';

const PLUGIN = join(import.meta.dirname, '..');

const json = (path: string) => JSON.parse(readFileSync(join(PLUGIN, path), 'utf-8'));
const { generators } = json('generators.json') as {
  generators: Record<string, { schema: string }>;
};

it.each(Object.entries(generators))(
  '%s has Nx ask for nothing, and miss nothing before it can ask itself',
  (_, { schema }) => {
    const { properties, required = [] } = json(schema) as {
      properties: Record<string, Record<string, unknown>>;
      required?: readonly string[];
    };
    // Nx checks what is typed against the type: a list can never be answered.
    const asked = Object.keys(properties).filter((name) => 'x-prompt' in properties[name]!);
    expect([...asked, ...required]).toEqual([]);
  },
);
