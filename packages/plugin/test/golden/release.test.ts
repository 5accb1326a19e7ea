import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { hasEntry, releaseProblems, releaseState } from '../support/release.js';
import type { ReleaseState } from '../support/release.js';

it('brings along, and tells, whoever has the last release', () => {
  expect(releaseProblems(releaseState(join(import.meta.dirname, '../..')))).toEqual([]);
});

describe('the guard', () => {
  const released: ReleaseState = {
    version: '1.2.0',
    records: { '1.10.0': { integrated: 'a', solution: 'b' }, '1.9.0': { integrated: '0' } },
    rendered: { integrated: 'a', solution: 'b', another: 'c' },
    changelog: '# Changelog\n\n## 1.11.0\n\n- Rooms have other names.\n\n## 1.10.0\n\n- First.\n',
    migrations: {
      generators: {
        one: { version: '1.11.0', implementation: './dist/migrations/update-generated-code' },
      },
    },
  };
  const state = (change: Partial<ReleaseState>): ReleaseState => ({
    ...released,
    version: '1.10.0',
    ...change,
  });
  const changed = { ...released.rendered, solution: 'x' };

  it('lets everything be before a first release', () => {
    expect(releaseProblems(state({ records: {}, changelog: '' }))).toEqual([]);
  });

  it('lets a released version be as it was', () => {
    expect(releaseProblems(state({}))).toEqual([]);
  });

  it('stops a change of what a released version generates, and names the shapes', () => {
    const [problem, ...others] = releaseProblems(state({ rendered: changed }));
    expect(others).toEqual([]);
    expect(problem).toMatch(/not what 1\.10\.0 generated \(shapes: solution\).*Raise the version/);
  });

  it('stops a shape that is gone', () => {
    expect(releaseProblems(state({ rendered: { integrated: 'a' } }))).toHaveLength(1);
  });

  it('lets a raised version change with an entry and a migration, and not without', () => {
    const raised = state({ version: '1.11.0', rendered: changed });
    expect(releaseProblems(raised)).toEqual([]);
    const silent = { ...raised, changelog: released.changelog.replace('- Rooms', 'Rooms') };
    expect(releaseProblems(silent)).toEqual([expect.stringContaining('"## 1.11.0"')]);
    const alone = { ...raised, migrations: { generators: {} } };
    expect(releaseProblems(alone)).toEqual([expect.stringContaining('migrations.json')]);
  });

  it('stops a version that is older than the last one', () => {
    expect(releaseProblems(state({ version: '1.2.0' }))).toEqual([
      'package.json has 1.2.0, but 1.10.0 is released.',
    ]);
  });

  it('takes an entry only from the section of its own version', () => {
    const changelog = '## 1.1.0\n\n## 1.10.0\n\n- First.\n';
    expect(hasEntry({ version: '1.1.0', changelog })).toBe(false);
    expect(hasEntry({ version: '1.10.0', changelog })).toBe(true);
  });
});
