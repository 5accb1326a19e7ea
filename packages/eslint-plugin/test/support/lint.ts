import { writeFileSync } from 'node:fs';
import { relative, sep } from 'node:path';
import { ESLint } from 'eslint';
import type { Linter } from 'eslint';
import tseslint from 'typescript-eslint';
import { configs } from '../../src/index.js';
import type { Finding } from './announced.js';

interface Options {
  readonly config?: keyof typeof configs;
  readonly fix?: boolean;
}

/** Runs a config over all sources of a folder, with the type information of its own tsconfigs. */
export async function lintFolder(folder: string, options: Options = {}): Promise<Finding[]> {
  const results = await resultsOf(folder, options);
  if (options.fix) await ESLint.outputFixes(results);
  return results.flatMap(({ filePath, messages }) =>
    messages.map(({ ruleId, line, message }) => ({
      file: relative(folder, filePath).split(sep).join('/'),
      line,
      rule: ruleId?.replace(/^nx-realtime\//, '') ?? message,
    })),
  );
}

/** Chooses the one suggestion of each finding of a message. */
export async function applySuggestions(
  folder: string,
  rule: string,
  messageId: string,
): Promise<void> {
  for (const { filePath, messages, source = '' } of await resultsOf(folder)) {
    const fixes = messages
      .filter(
        (message) => message.ruleId === `nx-realtime/${rule}` && message.messageId === messageId,
      )
      .flatMap(({ suggestions = [] }) => suggestions.map(({ fix }) => fix))
      .sort((a, b) => b.range[0] - a.range[0]);
    const text = fixes.reduce(
      (before, { range, text: after }) =>
        `${before.slice(0, range[0])}${after}${before.slice(range[1])}`,
      source,
    );
    if (fixes.length > 0) writeFileSync(filePath, text);
  }
}

function resultsOf(folder: string, options: Options = {}): Promise<ESLint.LintResult[]> {
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
  return eslint.lintFiles(['**/*.{ts,tsx}']);
}

/** One text per finding, in an order that does not depend on who found it first. */
export const sorted = (findings: readonly Finding[]): string[] =>
  findings.map(({ file, line, rule }) => `${file}:${line} ${rule}`).sort();
