import { relative, sep } from 'node:path';
import { ESLint } from 'eslint';
import type { Linter } from 'eslint';
import tseslint from 'typescript-eslint';
import { configs } from '../../src/index.js';
import type { Finding } from './announced.js';

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

/** One text per finding, in an order that does not depend on who found it first. */
export const sorted = (findings: readonly Finding[]): string[] =>
  findings.map(({ file, line, rule }) => `${file}:${line} ${rule}`).sort();
