import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { kernelShape } from './kernel/render.js';
import { MUTATIONS, mutate, projectOf } from './mutations.js';
import type { Mutation } from './mutations.js';
import { renderShape } from './support/shapes.js';
import { webShape } from './web/render.js';

/** What the tests of each project run against. */
const FILES = {
  kernel: renderShape(kernelShape('kernel')),
  web: renderShape(webShape('web')),
};

/** What is wrong with a mutation, if anything is: its protection has moved. */
function faultOf(mutation: Mutation): string | null {
  const apply = mutate(mutation);
  try {
    const changed = FILES[projectOf(mutation.test)].filter(
      ({ path, content }) => apply(path, content) !== content,
    );
    return changed.length > 0 ? null : `${mutation.name} changes nothing in ${mutation.file}`;
  } catch (error) {
    return String(error);
  }
}

describe('the mutation list', () => {
  it('names no mutation twice', () => {
    const names = MUTATIONS.map(({ name }) => name);
    expect(names.filter((name, index) => names.indexOf(name) < index)).toEqual([]);
  });

  it('alters what is emitted now: where a protection moves, its mutation follows', () => {
    expect(MUTATIONS.map(faultOf).filter((fault) => fault !== null)).toEqual([]);
  });

  it('names test files that exist', () => {
    const fileOf = ({ test }: Mutation): string =>
      resolve(import.meta.dirname, projectOf(test), test.replace(/^web\//, ''));
    expect(MUTATIONS.map(fileOf).filter((file) => !existsSync(file))).toEqual([]);
  });
});
