import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { hasEntry, hashesOf, releaseProblems, releaseState } from '../support/release.js';
import type { ReleaseState } from '../support/release.js';

it('brings along, and tells, whoever has the last release', () => {
  expect(releaseProblems(releaseState(join(import.meta.dirname, '../../..')))).toEqual([]);
});

describe('the guard', () => {
  const released: ReleaseState = {
    version: '1.2.0',
    versions: {},
    records: {
      '1.10.0': { integrated: 'a', solution: 'b', 'kernel files': 'k', 'kernel api': 'p' },
      '1.9.0': { integrated: '0' },
    },
    contents: {
      integrated: 'a',
      solution: 'b',
      another: 'c',
      'kernel files': 'k',
      'kernel api': 'p',
    },
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
  const changed = { ...released.contents, solution: 'x' };

  it('lets everything be before a first release', () => {
    expect(releaseProblems(state({ records: {}, changelog: '' }))).toEqual([]);
  });

  it('lets a released version be as it was', () => {
    expect(releaseProblems(state({}))).toEqual([]);
  });

  it('stops a change of what a released version generates, and names the shapes', () => {
    const [problem, ...others] = releaseProblems(state({ contents: changed }));
    expect(others).toEqual([]);
    expect(problem).toMatch(/not what 1\.10\.0 was \(solution\).*Raise the version/);
  });

  it('stops a shape that is gone', () => {
    expect(
      releaseProblems(state({ contents: { ...released.contents, integrated: '' } })),
    ).toHaveLength(1);
  });

  it.each(['kernel files', 'kernel api'])('stops a change of a package: %s', (name) => {
    const contents = { ...released.contents, [name]: 'x' };
    expect(releaseProblems(state({ contents }))).toEqual([
      expect.stringMatching(`\\(${name}\\), and 1\\.10\\.0 is released`),
    ]);
    const raised = state({ version: '1.11.0', contents, changelog: '' });
    expect(releaseProblems(raised)).toEqual([expect.stringContaining('"## 1.11.0"')]);
  });

  it('stops packages of several versions', () => {
    expect(releaseProblems(state({ versions: { kernel: '1.9.0', plugin: '1.10.0' } }))).toEqual([
      'All packages have one version: @nx-realtime/plugin has 1.10.0, kernel has 1.9.0.',
    ]);
  });

  it('lets a raised version change with an entry and a migration, and not without', () => {
    const raised = state({ version: '1.11.0', contents: changed });
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

describe('what is recorded of a package', () => {
  let folder: string;
  const write = (path: string, text: string): void => {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  };
  const manifest = (version: string, more: object = {}): void =>
    write('package.json', JSON.stringify({ name: 'kernel', version, ...more }));

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'nx-realtime-record-'));
    manifest('1.0.0');
    write('src/a.ts', 'a');
    write('api/index.api.md', 'a');
  });

  afterEach(() => rmSync(folder, { recursive: true }));

  it.each<[string, string, () => void]>([
    ['its sources', 'kernel files', () => write('src/a.ts', 'b')],
    ['a source that is new', 'kernel files', () => write('src/deep/b.ts', '')],
    ['how it is built', 'kernel files', () => write('tsconfig.build.json', '{}')],
    ['what it depends on', 'kernel files', () => manifest('1.0.0', { dependencies: { a: '1' } })],
    ['its API report', 'kernel api', () => write('api/index.api.md', 'b')],
  ])('moves with %s', (_, name, change) => {
    const before = hashesOf(folder);
    change();
    const after = hashesOf(folder);
    expect(Object.keys(after).filter((key) => after[key] !== before[key])).toEqual([name]);
  });

  it('stays with its version, its tests and what tells about it', () => {
    const before = hashesOf(folder);
    manifest('1.1.0');
    for (const path of ['README.md', 'src/a.test.ts', 'test/a.ts', 'dist/a.js']) write(path, 'x');
    expect(hashesOf(folder)).toEqual(before);
  });
});
