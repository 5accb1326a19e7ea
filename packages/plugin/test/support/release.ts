import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isOlder } from '../../src/reconcile/index.js';
import { HARD_SHAPES, SHAPES, renderShape } from './shapes.js';

/** What the guard of releases looks at. */
export interface ReleaseState {
  /** Of package.json. */
  readonly version: string;
  /** Version to a hash of what each shape rendered when it was released: released.json. */
  readonly records: Readonly<Record<string, Readonly<Record<string, string>>>>;
  /** The same, now. */
  readonly rendered: Readonly<Record<string, string>>;
  readonly changelog: string;
  readonly migrations: {
    readonly generators: Readonly<Record<string, { version: string; implementation: string }>>;
  };
}

/** The state of a checkout. @param folder of the package */
export function releaseState(folder: string): ReleaseState {
  const json = (file: string): never =>
    JSON.parse(readFileSync(join(folder, file), 'utf-8')) as never;
  return {
    version: (json('package.json') as { version: string }).version,
    records: json('released.json'),
    rendered: renderedNow(),
    changelog: readFileSync(join(folder, 'CHANGELOG.md'), 'utf-8'),
    migrations: json('migrations.json'),
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
  const { version, records, rendered, migrations } = state;
  const last = Object.keys(records).reduce<string | undefined>(
    (newest, other) => (newest === undefined || isOlder(newest, other) ? other : newest),
    undefined,
  );
  if (last === undefined) return [];
  if (isOlder(version, last)) return [`package.json has ${version}, but ${last} is released.`];
  const changed = Object.entries(records[last] ?? {})
    .filter(([shape, hash]) => rendered[shape] !== hash)
    .map(([shape]) => shape);
  if (changed.length === 0) return [];
  const what = `What is generated is not what ${last} generated (shapes: ${changed.join(', ')})`;
  if (version === last) {
    return [
      `${what}, and ${last} is released. Raise the version in package.json, and state the change in CHANGELOG.md and migrations.json. If a shape of the tests changed instead of a template, add another shape and leave this one.`,
    ];
  }
  const isMigrated = Object.values(migrations.generators).some(
    (migration) =>
      migration.version === version && migration.implementation.endsWith('/update-generated-code'),
  );
  return [
    ...(hasEntry(state) ? [] : [`${what}. CHANGELOG.md has no entry under "## ${version}".`]),
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
