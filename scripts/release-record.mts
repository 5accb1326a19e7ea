/**
 * `npm run release-record`: records what the version of the packages generates and holds, as the last step
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

const packages = join(REPO, 'packages');
const state = releaseState(packages);
const { version, records, contents } = state;
const problems = [
  ...releaseProblems(state),
  ...(hasEntry(state) ? [] : [`CHANGELOG.md has no entry under "## ${version}".`]),
];
if (problems.length > 0) {
  console.error([...new Set(problems)].join('\n'));
  process.exitCode = 1;
} else {
  writeFileSync(
    join(packages, 'plugin/released.json'),
    `${JSON.stringify({ ...records, [version]: contents }, null, 2)}\n`,
  );
  console.log(
    `Recorded ${version}: ${Object.keys(contents).length} hashes. Commit it with the release.`,
  );
}
