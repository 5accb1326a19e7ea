import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

const REPO = join(import.meta.dirname, '../../..');
const GOLDEN = join(REPO, 'packages/plugin/test/golden/integrated');

const rows = readFileSync(join(REPO, 'docs/protections.md'), 'utf-8')
  .split('\n')
  .filter((line) => line.startsWith('| ') && !/^\| (?:asked for|-+)/.test(line))
  .map((line) => line.split('|').map((cell) => cell.trim()))
  .map(([, asked = '', place = '', test = '']) => ({ asked, place, test }));

it('is said of every protection', () => expect(rows.length).toBeGreaterThanOrEqual(20));

describe.each(rows)('$asked', ({ place, test }) => {
  it('holds in files that are there', () => {
    const paths = [...place.matchAll(/`([\w./-]+\.ts)`/g)].map(([, path = '']) => path);
    // The host's main.ts is wired, not generated.
    const generated = paths.filter(
      (path) => path.startsWith('apps/') && !path.endsWith('/main.ts'),
    );
    const kernel = paths.filter((path) => path.startsWith('packages/'));
    expect(generated.filter((path) => !existsSync(join(GOLDEN, path)))).toEqual([]);
    expect(kernel.filter((path) => !existsSync(join(REPO, path)))).toEqual([]);
  });

  it('has the test that is named', () => {
    const [, path = '', title = ''] = /^`([^`]+)`: "([^"]+)"$/.exec(test) ?? [];
    expect(readFileSync(join(REPO, path), 'utf-8')).toContain(`'${title}'`);
  });
});
