import type { Templates } from './archive.js';

type Renames = Readonly<Record<string, string>>;

/** Beside the templates: the old path of each that was renamed to its new one, both in the same folder of them. */
const FILE = 'renames.json';

/** Record of the paths that a template had in earlier releases, the last of them first. */
export function formerTemplates(templates: Templates): (path: string) => string[] {
  const text = templates.get(FILE);
  // Without it edits of a renamed file would be left behind in silence.
  if (text === undefined) throw new Error(`There is no ${FILE} among the templates`);
  const renames = JSON.parse(text) as Renames;
  return (path) => formerPaths(path, renames);
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
