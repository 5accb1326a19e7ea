import { createHash } from 'node:crypto';
import { readFileSync, readdirSync } from 'node:fs';
import { join, relative } from 'node:path';
import { isOlder } from '../../src/reconcile/index.js';
import { HARD_SHAPES, SHAPES, renderShape } from './shapes.js';

/** What the guard of releases looks at. */
export interface ReleaseState {
  /** The version of each package, by its name. */
  readonly versions: Readonly<Record<string, string>>;
  /** The plugin's own. */
  readonly version: string;
  /**
   * Version to hashes, as they were when it was released: of what each shape rendered, of what each package is built
   * from, and of its API report. In released.json.
   */
  readonly records: Readonly<Record<string, Readonly<Record<string, string>>>>;
  /** The same hashes, now. */
  readonly contents: Readonly<Record<string, string>>;
  readonly changelog: string;
  readonly migrations: {
    readonly generators: Readonly<Record<string, { version: string; implementation: string }>>;
  };
}

/** The state of a checkout. @param packages the folder of the packages */
export function releaseState(packages: string): ReleaseState {
  const json = (file: string): never =>
    JSON.parse(readFileSync(join(packages, file), 'utf-8')) as never;
  const manifests = readdirSync(packages).map((folder) => ({
    folder,
    ...(json(`${folder}/package.json`) as { name: string; version: string }),
  }));
  const versions = Object.fromEntries(manifests.map(({ name, version }) => [name, version]));
  return {
    versions,
    version: versions['@nx-realtime/plugin'] ?? '',
    records: json('plugin/released.json'),
    contents: {
      ...renderedNow(),
      ...Object.assign({}, ...manifests.map(({ folder }) => hashesOf(join(packages, folder)))),
    },
    changelog: readFileSync(join(packages, 'plugin/CHANGELOG.md'), 'utf-8'),
    migrations: json('plugin/migrations.json'),
  };
}

/** What moves with a version itself, tells people about it or tests it. */
const BESIDE =
  /(?:^|\/)(?:node_modules|dist|tmp|test|docs)\/|\.test\.tsx?$|(?:^|\/)(?:[A-Z]+\.md|LICENSE|released\.json|migrations\.json|vitest\.config\.mts)$/;

/** Of what the tarball of a package is built from, and of its API report. */
export function hashesOf(folder: string): Record<string, string> {
  const { name, version, ...manifest } = JSON.parse(
    readFileSync(join(folder, 'package.json'), 'utf-8'),
  ) as { name: string; version: string };
  const paths = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)).replaceAll('\\', '/'))
    .filter((path) => path !== 'package.json' && !BESIDE.test(path))
    .sort();
  const hash = (files: readonly string[], more: object = {}): string => {
    const sum = createHash('sha256').update(JSON.stringify(more).replaceAll(version, ''));
    for (const path of files) {
      sum.update(JSON.stringify([path, readFileSync(join(folder, path), 'utf-8')]));
    }
    return sum.digest('hex').slice(0, 16);
  };
  const reports = paths.filter((path) => path.startsWith('api/'));
  const sources = paths.filter((path) => !path.startsWith('api/'));
  return {
    [`${name} files`]: hash(sources, manifest),
    ...(reports.length > 0 && { [`${name} api`]: hash(reports) }),
  };
}

function renderedNow(): Record<string, string> {
  return Object.fromEntries(
    [...SHAPES, ...HARD_SHAPES].map((shape) => {
      const hash = createHash('sha256');
      for (const { path, owner, content } of renderShape(shape)) {
        hash.update(JSON.stringify([path, owner, content]));
      }
      return [shape.name, hash.digest('hex').slice(0, 16)];
    }),
  );
}

/**
 * What stands against releasing this state, and against merging it: workspaces of the last release
 * must be brought along, and their owners told. A version that is not released yet may change freely.
 *
 * @returns what is wrong and what to do; nothing where all is well
 */
export function releaseProblems(state: ReleaseState): string[] {
  const { version, versions, records, contents, migrations } = state;
  const others = Object.entries(versions).filter(([, other]) => other !== version);
  if (others.length > 0) {
    const named = others.map(([name, other]) => `${name} has ${other}`).join(', ');
    return [`All packages have one version: @nx-realtime/plugin has ${version}, ${named}.`];
  }
  const last = Object.keys(records).reduce<string | undefined>(
    (newest, other) => (newest === undefined || isOlder(newest, other) ? other : newest),
    undefined,
  );
  if (last === undefined) return [];
  if (isOlder(version, last)) return [`package.json has ${version}, but ${last} is released.`];
  const changed = Object.entries(records[last] ?? {})
    .filter(([name, hash]) => contents[name] !== hash)
    .map(([name]) => name);
  if (changed.length === 0) return [];
  const what = `What is packed or generated is not what ${last} was (${changed.join(', ')})`;
  if (version === last) {
    return [
      `${what}, and ${last} is released. Raise the version in every package.json, and state the change in CHANGELOG.md and migrations.json. If a shape of the tests changed instead of a template, add another shape and leave this one.`,
    ];
  }
  const isMigrated = Object.values(migrations.generators).some(
    (migration) =>
      migration.version === version && migration.implementation.endsWith('/update-generated-code'),
  );
  return [
    ...(hasEntry(state) ? [] : [`${what}. CHANGELOG.md has no entry under "## ${version}".`]),
    // Without one the projects of a workspace of packages keep their pins of the kernels.
    ...(isMigrated
      ? []
      : [
          `${what}. Add to the generators of migrations.json: "update-generated-code-${version}": { "version": "${version}", "description": "...", "implementation": "./dist/migrations/update-generated-code" }`,
        ]),
  ];
}

/** A heading of the version with a list below it. */
export function hasEntry({ version, changelog }: Pick<ReleaseState, 'version' | 'changelog'>) {
  const sections = changelog.split(/^## /m).slice(1);
  const own = sections.find((section) => section.split(/\s/)[0] === version);
  return own !== undefined && /^- \S/m.test(own);
}
