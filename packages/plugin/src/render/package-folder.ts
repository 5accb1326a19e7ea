import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** The folder of this package, from its sources as from what they are bundled into. */
export function packageFolder(): string {
  let folder = __dirname;
  while (!existsSync(join(folder, 'generators.json'))) {
    const above = dirname(folder);
    if (above === folder) throw new Error(`${__dirname} is in no package with generators`);
    folder = above;
  }
  return folder;
}
