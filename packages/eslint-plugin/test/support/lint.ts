import { readdirSync, readFileSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { ESLint } from 'eslint';
import type { Linter } from 'eslint';
import tseslint from 'typescript-eslint';
import { configs } from '../../src/index.js';

export interface Finding {
  /** Relative to the linted folder, with slashes. */
  readonly file: string;
  readonly line: number;
  readonly rule: string;
}

/** Runs a config over all sources of a folder, with the type information of its own tsconfigs. */
export async function lintFolder(
  folder: string,
  options: { config?: keyof typeof configs; fix?: boolean } = {},
): Promise<Finding[]> {
  const eslint = new ESLint({
    cwd: folder,
    fix: options.fix === true,
    overrideConfigFile: true,
    overrideConfig: [
      configs[options.config ?? 'strict'] as Linter.Config,
      {
        files: ['**/*.{ts,tsx}'],
        languageOptions: {
          parser: tseslint.parser as Linter.Parser,
          parserOptions: { projectService: true, tsconfigRootDir: folder },
        },
      },
    ],
  });
  const results = await eslint.lintFiles(['**/*.{ts,tsx}']);
  if (options.fix) await ESLint.outputFixes(results);
  return results.flatMap(({ filePath, messages }) =>
    messages.map(({ ruleId, line, message }) => ({
      file: relative(folder, filePath).split(sep).join('/'),
      line,
      rule: ruleId?.replace(/^nx-realtime\//, '') ?? message,
    })),
  );
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

/** One text per finding, in an order that does not depend on who found it first. */
export const sorted = (findings: readonly Finding[]): string[] =>
  findings.map(({ file, line, rule }) => `${file}:${line} ${rule}`).sort();
