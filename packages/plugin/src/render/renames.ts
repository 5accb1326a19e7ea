import { readFileSync } from 'node:fs';
import { join } from 'node:path';

type Renames = Readonly<Record<string, string>>;

let loaded: Renames | undefined;

/**
 * The paths that a template had in earlier releases, the last of them first. `renames.json` beside
 * the templates tells them all, old path to new one, both in the same folder of the templates.
 */
export function formerTemplates(path: string): string[] {
  loaded ??= JSON.parse(readFileSync(FILE, 'utf-8')) as Renames;
  return formerPaths(path, loaded);
}

/** The paths that lead to this one, by one rename or several. */
export function formerPaths(path: string, renames: Renames): string[] {
  const found = [path];
  for (const now of found) {
    for (const [old, next] of Object.entries(renames)) {
      if (next === now && !found.includes(old)) found.push(old);
    }
  }
  return found.slice(1);
}

const FILE = join(__dirname, '..', '..', 'templates', 'renames.json');
