import { describe, expect, it } from 'vitest';
import { loadPackage, requirePackage } from '../src/packages';

describe('a package that a host has by choice', () => {
  it('is loaded where it is installed', () => {
    expect(loadPackage<typeof import('ioredis')>('ioredis', 'REDIS_URL').Redis).toBeTypeOf(
      'function',
    );
  });

  it('is named with the command that adds it, in one line, where it is not', () => {
    const line =
      'REDIS_URL needs the package no-such-redis, which is not installed. Add it: npm install no-such-redis';
    expect(() => loadPackage('no-such-redis', 'REDIS_URL')).toThrow(new Error(line));
    expect(() => requirePackage('no-such-redis', 'REDIS_URL')).toThrow(new Error(line));
  });
});
