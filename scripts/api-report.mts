/**
 * `npm run api-report`: writes the reports of the kernels' public API, packages/<kernel>/api/<path>.api.md. They are
 * committed; the lane `e2e` fails when what is packed has another API.
 */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { apiReports, namesIn } from '../e2e/support/api-report.js';
import { build } from '../e2e/support/pack.js';
import { REPO } from '../e2e/support/repo.js';

for (const kernel of ['nest', 'react']) {
  const folder = join(REPO, 'packages', kernel);
  build(folder);
  const doors = apiReports(folder);
  rmSync(join(folder, 'api'), { recursive: true, force: true });
  mkdirSync(join(folder, 'api'));
  for (const { name, report } of doors) {
    writeFileSync(join(folder, 'api', `${name}.api.md`), report);
    const names = namesIn(report);
    console.log(`${kernel} ${name}: ${names.length} names\n  ${names.join(' ')}`);
  }
}
