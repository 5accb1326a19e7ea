import { readFileSync, readdirSync } from 'node:fs';
import { join, sep } from 'node:path';
import { brotliCompressSync, brotliDecompressSync } from 'node:zlib';

/** Path below `templates/`, with `/`, to the template's text. */
export type Templates = ReadonlyMap<string, string>;

/** File that is published in place of `templates/`, in the package's folder. */
export const TEMPLATES_ARCHIVE = 'dist/templates.json.br';

/** File that holds the sources of the kernels, read where a workspace has one of its own. */
export const KERNELS_ARCHIVE = 'dist/kernels.json.br';

const TEMPLATE = /\.(?:ts|tsx|css|ejs|yml|dashboard\.json)$|^renames\.json$/;

/** The templates below a folder, and which of them had other names. */
export function readTemplates(folder: string): Templates {
  return new Map(
    readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && TEMPLATE.test(entry.name))
      .map((entry) => join(entry.parentPath, entry.name))
      .map((path) => [
        path.slice(folder.length + 1).replaceAll(sep, '/'),
        readFileSync(path, 'utf-8'),
      ]),
  );
}

/**
 * JSON of the texts by their paths, compressed by Brotli: a fifth of what they take as files, and the
 * same for the same templates.
 */
export function packTemplates(templates: Templates): Buffer {
  const sorted = [...templates].sort(([a], [b]) => (a < b ? -1 : 1));
  return brotliCompressSync(JSON.stringify(Object.fromEntries(sorted)));
}

export function unpackTemplates(archive: Buffer): Templates {
  const texts = JSON.parse(brotliDecompressSync(archive).toString('utf-8')) as Record<
    string,
    string
  >;
  return new Map(Object.entries(texts));
}
