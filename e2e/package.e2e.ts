import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import { readTemplates, unpackTemplates } from '../packages/plugin/src/render/archive';
import { apiReports, namesIn, undocumentedIn, type Door } from './support/api-report';
import { bundledIn } from './support/pack';
import type { PackageLint } from './support/package-lint.mjs';
import { REPO, artifact } from './support/repo';
import { KEYS, PACKAGES, packedTarball, type Tarballs } from './support/tarballs';

const KERNELS = ['nest', 'react'] as const;

/** The most names that each path of a kernel may give to those who import it. */
const LIMITS: Record<(typeof KERNELS)[number], Record<string, number>> = {
  nest: { index: 34, publisher: 10, observability: 3, testing: 5 },
  react: { index: 28, 'tanstack-query': 4 },
};

/** Unpacked where Node finds what they depend on. */
const folderOf = (key: keyof Tarballs): string =>
  artifact(`package/node_modules/${PACKAGES[key][0]}`);
const FOLDER = folderOf('plugin');
/** Where what they export is theirs: what is below a node_modules is another package's. */
const sourceOf = (key: keyof Tarballs): string => artifact(`package/unpacked/${key}`);

interface Entry {
  readonly factory?: string;
  readonly implementation?: string;
  readonly schema: string;
}

const json = <T>(file: string, folder = FOLDER): T =>
  JSON.parse(readFileSync(join(folder, file), 'utf8')) as T;

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
  for (const key of KEYS) {
    for (const folder of [folderOf(key), sourceOf(key)]) {
      rmSync(folder, { recursive: true, force: true });
      mkdirSync(folder, { recursive: true });
      execFileSync('tar', ['-xzf', packedTarball(key), '-C', folder, '--strip-components=1']);
    }
  }
});

/** In a process of its own: it is an ES module, which Jest does not load. */
const lints = (): readonly PackageLint[] =>
  JSON.parse(
    execFileSync(
      'npx',
      ['--no-install', 'tsx', 'e2e/support/package-lint.mts', ...KEYS.map(packedTarball)],
      { cwd: REPO, encoding: 'utf8' },
    ),
  ) as PackageLint[];

let linted: readonly PackageLint[] | undefined;

function lintOf(key: keyof Tarballs): PackageLint {
  linted ??= lints();
  return linted[KEYS.indexOf(key)]!;
}

const reported = new Map<string, Door[]>();

function doorsOf(kernel: (typeof KERNELS)[number]): Door[] {
  const doors = reported.get(kernel) ?? apiReports(sourceOf(kernel));
  reported.set(kernel, doors);
  return doors;
}

const filesOf = (folder: string): { path: string; bytes: number }[] =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .map((path) => ({
      path: path.slice(folder.length + 1),
      bytes: readFileSync(path).length,
    }));

it('takes less than 690 KB, 90 of them the kernels to eject, and holds nothing but what is needed', () => {
  const files = filesOf(FOLDER);
  expect(files.reduce((sum, { bytes }) => sum + bytes, 0)).toBeLessThan(690_000);
  const wanted =
    /^(?:dist\/.*\.js|dist\/LICENSES\.txt|dist\/(?:templates|kernels)\.json\.br|src\/.*\/schema\.json|schemas\/.*\.json|[a-z]+\.json|[A-Z]+\.md|LICENSE)$/;
  expect(files.map(({ path }) => path).filter((path) => !wanted.test(path))).toEqual([]);
});

it('holds every template as it is', () => {
  const held = unpackTemplates(readFileSync(join(FOLDER, 'dist/templates.json.br')));
  const templates = readTemplates(join(REPO, 'packages/plugin/templates'));
  expect(held.size).toBeGreaterThan(25);
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
    // Every review needs it; of the other runs only one with --adopt, and a check.
    const isLoaded = loaded.some((path) => basename(path) === 'adopt.js');
    expect([name, isLoaded]).toEqual([name, name === 'realtime-review']);
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
  expect(stack).toMatch(/at (?:Object\.)?refuseOlderPlugin /);
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

describe.each(KEYS)('the package of %s', (key) => {
  const folder = folderOf(key);
  const read = (file: string): string => readFileSync(join(folder, file), 'utf8');

  it('has a licence and tells what it is', () => {
    expect(read('LICENSE')).toBe(readFileSync(join(REPO, 'LICENSE'), 'utf8'));
    expect(json<{ license: string }>('package.json', folder).license).toBe('MIT');
    expect(read('README.md')).toMatch(/^# \S/);
  });

  it('has the version of the others', () => {
    const { version } = json<{ version: string }>('package.json', folder);
    expect(version).toBe(json<{ version: string }>('package.json').version);
  });

  it('holds no test, and nothing that package managers or bundlers stumble over', () => {
    const paths = filesOf(folder).map(({ path }) => path);
    expect(paths.filter((path) => /\.test\.|(?:^|\/)test\/|\.tsbuildinfo$/.test(path))).toEqual([]);
    expect(lintOf(key).messages).toEqual([]);
  });
});

describe.each(KERNELS)('the kernel %s', (kernel) => {
  const folder = folderOf(kernel);

  it('is found with its types by every way of resolving modules', () => {
    const { doors, problems } = lintOf(kernel);
    expect(problems).toEqual([]);
    const { exports } = json<{ exports: object }>('package.json', folder);
    const paths = Object.keys(exports).filter((path) => !path.endsWith('.json'));
    expect(doors).toEqual(expect.arrayContaining(paths));
  });

  it('ships its sources, and maps that name them', () => {
    const maps = filesOf(folder).filter(({ path }) => /^dist\/.*\.map$/.test(path));
    expect(maps.length).toBeGreaterThan(0);
    for (const { path } of maps) {
      const { sources } = json<{ sources: string[] }>(path, folder);
      const missing = sources.filter((source) => !existsSync(join(folder, path, '..', source)));
      expect([path, missing]).toEqual([path, []]);
    }
  });

  it('has the API that its committed report states, each name with a docstring', () => {
    const committed = join(REPO, 'packages', kernel, 'api');
    const doors = doorsOf(kernel);
    expect(readdirSync(committed).sort()).toEqual(doors.map(({ name }) => `${name}.api.md`).sort());
    for (const { name, report } of doors) {
      // After a change that is meant: npm run api-report.
      expect(report).toBe(readFileSync(join(committed, `${name}.api.md`), 'utf8'));
      expect([name, undocumentedIn(report)]).toEqual([name, []]);
    }
  });

  it('gives no more names than its limit', () => {
    for (const { name, report } of doorsOf(kernel)) {
      const names = namesIn(report);
      const limit = LIMITS[kernel][name] ?? 0;
      expect([name, names.length <= limit ? [] : names]).toEqual([name, []]);
    }
  });
});
