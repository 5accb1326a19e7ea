import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { kernelShape } from '../../nest/test/render.js';
import { MUTATIONS, mutate, packageOf, projectOf, testFileOf } from './mutations.js';
import type { Mutation } from './mutations.js';
import { renderShape } from './support/shapes.js';
import { webShape } from '../../react/test/render.js';

const REPO = resolve(import.meta.dirname, '../../..');
const PLUGIN = resolve(REPO, 'packages/plugin');

/** What the tests run against. */
const RENDERED = {
  kernel: renderShape(kernelShape('kernel')),
  web: renderShape(webShape('web')),
};

function filesOf({ file, test }: Mutation): readonly { path: string; content: string }[] {
  const project = projectOf(test);
  const isKernel = file.startsWith('packages/');
  if (project !== 'unit' && !isKernel) return RENDERED[project];
  const path = resolve(isKernel ? REPO : PLUGIN, file);
  return [{ path, content: readFileSync(path, 'utf8') }];
}

/** What is wrong with a mutation, if anything is: its protection has moved. */
function faultOf(mutation: Mutation): string | null {
  try {
    const apply = mutate(mutation);
    const isChanged = filesOf(mutation).some(
      ({ path, content }) => apply(path, content) !== content,
    );
    return isChanged ? null : `${mutation.name} changes nothing in ${mutation.file}`;
  } catch (error) {
    return String(error);
  }
}

describe('the mutation list', () => {
  it('names no mutation twice', () => {
    const names = MUTATIONS.map(({ name }) => name);
    expect(names.filter((name, index) => names.indexOf(name) < index)).toEqual([]);
  });

  it('holds no mutation twice under two names', () => {
    const changes = MUTATIONS.map(({ name, file, find, replace }) => ({
      name,
      change: JSON.stringify([file, find.trim(), replace.trim()]),
    }));
    const twice = changes.filter(
      ({ change }, index) => changes.findIndex((other) => other.change === change) < index,
    );
    expect(twice.map(({ name }) => name)).toEqual([]);
  });

  it('alters what is there now: where a protection moves, its mutation follows', () => {
    expect(MUTATIONS.map(faultOf).filter((fault) => fault !== null)).toEqual([]);
  });

  it('names test files that exist', () => {
    const fileOf = ({ test }: Mutation): string => resolve(REPO, packageOf(test), testFileOf(test));
    expect(MUTATIONS.map(fileOf).filter((file) => !existsSync(file))).toEqual([]);
  });
});
