import { readFileSync, readdirSync } from 'node:fs';
import { join, sep } from 'node:path';

/** Path below `templates/`, with `/`, to the template's text. */
export type Templates = ReadonlyMap<string, string>;

let loaded: Templates | undefined;

/** The templates of this package, read from its own folder at the first call. */
export function loadTemplates(): Templates {
  loaded ??= new Map(
    readdirSync(FOLDER, { recursive: true, withFileTypes: true })
      .filter(
        (entry) => entry.isFile() && /\.(?:ts|tsx|css|ejs|yml|dashboard\.json)$/.test(entry.name),
      )
      .map((entry) => join(entry.parentPath, entry.name))
      .map((path) => [
        path.slice(FOLDER.length + 1).replaceAll(sep, '/'),
        readFileSync(path, 'utf-8'),
      ]),
  );
  return loaded;
}

const FOLDER = join(__dirname, '..', '..', 'templates');
