import { readdirSync, readFileSync } from 'node:fs';
import { join, sep } from 'node:path';

export interface Finding {
  /** Relative to the linted folder, with slashes. */
  readonly file: string;
  readonly line: number;
  readonly rule: string;
}

/** What the comments `// finds: rule, rule` of a folder say of the lines below them. */
export function announced(folder: string): Finding[] {
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' });
  return files
    .filter((file) => /\.tsx?$/.test(file))
    .flatMap((file) =>
      readFileSync(join(folder, file), 'utf8')
        .split('\n')
        .flatMap((text, index) => {
          const rules = /\/\/ finds: (.*)$/.exec(text)?.[1];
          return (rules?.split(', ') ?? []).map((rule) => ({
            file: file.split(sep).join('/'),
            line: index + 2,
            rule,
          }));
        }),
    );
}
