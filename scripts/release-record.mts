/**
 * `npm run release-record`: records what the version of package.json generates, as the last step
 * before it is published. From then on the unit lane fails when that changes without a new version,
 * a changelog entry and a migration. Fails when one of these is missing now.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { REPO } from '../e2e/support/repo.js';
import {
  hasEntry,
  releaseProblems,
  releaseState,
} from '../packages/plugin/test/support/release.js';

const folder = join(REPO, 'packages/plugin');
const state = releaseState(folder);
const { version, records, rendered } = state;
const problems = [
  ...releaseProblems(state),
  ...(hasEntry(state) ? [] : [`CHANGELOG.md has no entry under "## ${version}".`]),
];
if (problems.length > 0) {
  console.error([...new Set(problems)].join('\n'));
  process.exitCode = 1;
} else {
  writeFileSync(
    join(folder, 'released.json'),
    `${JSON.stringify({ ...records, [version]: rendered }, null, 2)}\n`,
  );
  console.log(
    `Recorded ${version}: ${Object.keys(rendered).length} shapes. Commit it with the release.`,
  );
}
