import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import { readTemplates, unpackTemplates } from '../packages/plugin/src/render/archive';
import { packedPlugin } from './support/host';
import { bundledIn } from './support/pack';
import { REPO, artifact } from './support/repo';

/** Unpacked where Node finds what it depends on. */
const FOLDER = artifact('package/node_modules/@nx-realtime/plugin');

interface Entry {
  readonly factory?: string;
  readonly implementation?: string;
  readonly schema: string;
}

const json = <T>(file: string): T => JSON.parse(readFileSync(join(FOLDER, file), 'utf8')) as T;

/** What Nx loads, by what a manifest calls it. */
function entriesOf(): [name: string, file: string, schema: string][] {
  const { generators } = json<{ generators: Record<string, Entry> }>('generators.json');
  const { executors } = json<{ executors: Record<string, Entry> }>('executors.json');
  return Object.entries({ ...generators, ...executors }).map(([name, entry]) => [
    name,
    entry.factory ?? entry.implementation ?? '',
    entry.schema,
  ]);
}

/** Prints as JSON what an expression gives in a process of its own. */
function evaluate<T>(expression: string): T {
  const script = `Promise.resolve(${expression}).then((value) => console.log(JSON.stringify(value)))`;
  return JSON.parse(
    execFileSync(process.execPath, ['-e', script], { cwd: FOLDER, encoding: 'utf8' }),
  ) as T;
}

beforeAll(() => {
  rmSync(FOLDER, { recursive: true, force: true });
  mkdirSync(FOLDER, { recursive: true });
  execFileSync('tar', ['-xzf', packedPlugin(), '-C', FOLDER, '--strip-components=1']);
});

const filesOf = (folder: string): { path: string; bytes: number }[] =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .map((path) => ({
      path: path.slice(folder.length + 1),
      bytes: readFileSync(path).length,
    }));

it('takes less than 550 KB, and holds nothing but what is needed', () => {
  const files = filesOf(FOLDER);
  expect(files.reduce((sum, { bytes }) => sum + bytes, 0)).toBeLessThan(550_000);
  const wanted =
    /^(?:dist\/.*\.js|dist\/LICENSES\.txt|dist\/templates\.json\.br|src\/.*\/schema\.json|schemas\/.*\.json|[a-z]+\.json|[A-Z]+\.md)$/;
  expect(files.map(({ path }) => path).filter((path) => !wanted.test(path))).toEqual([]);
});

it('holds every template as it is', () => {
  const held = unpackTemplates(readFileSync(join(FOLDER, 'dist/templates.json.br')));
  const templates = readTemplates(join(REPO, 'packages/plugin/templates'));
  expect(held.size).toBeGreaterThan(70);
  expect(Object.fromEntries(held)).toEqual(Object.fromEntries(templates));
});

it('loads everything that Nx loads, and nothing with it that is not needed yet', () => {
  const entries = entriesOf();
  expect(entries.map(([name]) => name)).toEqual(
    expect.arrayContaining(['realtime-domain', 'sync', 'realtime-check', 'realtime-review']),
  );
  for (const [name, file, schema] of entries) {
    const [type, loaded] = evaluate<[string, string[]]>(
      `(require('@nx/devkit'), seen = new Set(Object.keys(require.cache)),
        [typeof require('${file}').default, Object.keys(require.cache).filter((file) => !seen.has(file))])`,
    );
    expect([name, type]).toEqual([name, 'function']);
    const packages = loaded.map(
      (path) => /.*node_modules[\\/]((?:@[^\\/]+[\\/])?[^\\/]+)/.exec(path)?.[1],
    );
    const others = packages.filter((one) => !['@nx-realtime/plugin', 'ejs'].includes(one ?? ''));
    expect([name, others]).toEqual([name, []]);
    // Only a run with --adopt needs it.
    expect([name, loaded.some((path) => basename(path) === 'adopt.js')]).toEqual([name, false]);
    expect(json<object>(schema)).toHaveProperty('properties');
  }
});

it('loads the migration that releases name', () => {
  const migration = './dist/migrations/update-generated-code';
  expect(evaluate(`typeof require('${migration}').default`)).toBe('function');
});

it('runs its command', () => {
  const bin = json<{ bin: Record<string, string> }>('package.json').bin['nx-realtime'] ?? '';
  expect(readFileSync(join(FOLDER, bin), 'utf8')).toMatch(/^#!\/usr\/bin\/env node\n/);
  const output = execFileSync(process.execPath, [bin, '--help'], { cwd: FOLDER, encoding: 'utf8' });
  expect(output).toContain('dead-letters');
});

it('names its functions in a stack trace', () => {
  const stack = evaluate<string>(
    `require('./dist/generators/realtime-domain/generator').default(null, { name: 'Chat' }).catch(({ stack }) => stack)`,
  );
  expect(stack).toMatch(/at new HostProjects /);
  expect(stack).toMatch(/at (?:async |Module\.)?realtimeDomainGenerator /);
});

it('holds the licence of everything that is bundled', () => {
  const { devDependencies = {} } = json<Record<string, Record<string, string>>>('package.json');
  const licenses = readFileSync(join(FOLDER, 'dist/LICENSES.txt'), 'utf8');
  const ofMagicString = ['@jridgewell/sourcemap-codec'];
  const ofPrompts = [
    '@clack/core',
    'fast-string-truncated-width',
    'fast-string-width',
    'fast-wrap-ansi',
    'sisteransi',
  ];
  const bundled = [...Object.keys(devDependencies), ...ofMagicString, ...ofPrompts];
  expect(bundledIn(licenses).sort()).toEqual(bundled.sort());
  expect(licenses.match(/Permission is hereby granted/g)?.length).toBeGreaterThanOrEqual(5);
});
