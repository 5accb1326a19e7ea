import { readdirSync, rmSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { describe, expect, it } from 'vitest';
import { SHAPES, renderShape } from '../support/shapes.js';

const FOLDER = import.meta.dirname;

/** What the first shape holds already is not stored again. */
const first = new Map(renderShape(SHAPES[0]!).map(({ path, content }) => [path, content]));

describe.each(SHAPES)('$name', (shape) => {
  const rendered = renderShape(shape);
  const files =
    shape === SHAPES[0]
      ? rendered
      : rendered.filter(({ path, content }) => first.get(path) !== content);
  const folder = join(FOLDER, shape.name);

  it.each(files.map((file) => [file.path, file] as const))('renders %s', async (path, file) => {
    await expect(file.content).toMatchFileSnapshot(join(folder, path));
  });

  it('stores no file that is not rendered', () => {
    const stored = readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => relative(folder, join(entry.parentPath, entry.name)).replaceAll(sep, '/'));
    const paths = new Set(files.map(({ path }) => path));
    const stale = stored.filter((path) => !paths.has(path));
    if (process.env['UPDATE_GOLDEN']) stale.forEach((path) => rmSync(join(folder, path)));
    else expect(stale).toEqual([]);
  });

  it('renders the same twice', () => {
    expect(renderShape(shape)).toEqual(rendered);
  });
});
