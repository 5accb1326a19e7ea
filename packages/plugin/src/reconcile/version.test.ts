import { expect, it } from 'vitest';
import { isOlder } from './index.js';

const ORDERED = [
  '0.9.0',
  '1.0.0-alpha',
  '1.0.0-alpha.1',
  '1.0.0-alpha.beta',
  '1.0.0-beta.2',
  '1.0.0-beta.11',
  '1.0.0',
  '1.0.1',
  '1.2.0',
  '1.10.0',
  '2.0.0',
];

it('orders versions as semver does', () => {
  for (const [index, version] of ORDERED.entries()) {
    for (const [other, than] of ORDERED.entries()) {
      expect([version, than, isOlder(version, than)]).toEqual([version, than, index < other]);
    }
  }
});

it('takes ranges by their beginning, and knows what is none', () => {
  expect(isOlder('^4.8.3', '~4.8.4')).toBe(true);
  expect(isOlder('^4.8.4', '^4.8.4+build')).toBe(false);
  expect(isOlder('^4', '4.8.4')).toBe(true);
  for (const other of ['*', 'workspace:*', '', 'latest'])
    expect(isOlder(other, '1.0.0')).toBe(false);
});
