import type { Linter } from 'eslint';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Found, Unknown } from './finding.js';
import type { Tools } from './tools.js';

const PREFIX = 'nx-realtime/';

export interface Linted {
  /** Sources after safe repairs: those that changed, by path. */
  readonly repaired: ReadonlyMap<string, string>;
  readonly findings: readonly Found[];
  readonly disabled: number;
  readonly untyped: readonly string[];
  readonly unknown: readonly Unknown[];
}

/**
 * Runs every rule over sources by path. The host's ESLint configuration does not matter, the comments that
 * disable a rule in a line do: they hold somebody's reason.
 *
 * @param root absolute path of the workspace; type information is read from its disk
 * @param fix applies the safe repairs first, and reports on what they leave
 */
export function lint(
  root: string,
  sources: ReadonlyMap<string, string>,
  tools: Tools,
  fix: boolean,
): Linted {
  const severities = new Map(tools.rules.ruleInfo.map((rule) => [rule.name, rule.severities]));
  const found: Found[] = [];
  const untyped: string[] = [];
  const unknown: Unknown[] = [];
  let disabled = 0;
  const linter = new Linters(root, tools);
  const repaired = fix ? linter.repair(sources) : new Map<string, string>();
  for (const [path, text] of new Map([...sources, ...repaired])) {
    const result = linter.verify(path, text);
    if (result.kind === 'failed') {
      unknown.push({ path, what: result.reason });
      continue;
    }
    if (!result.typed) untyped.push(path);
    disabled += result.disabled;
    for (const message of result.messages) {
      const one = toFound(path, message);
      const severity = severities.get(one.check)?.[message.messageId ?? ''];
      found.push(severity === undefined ? one : { ...one, severity });
    }
  }
  linter.forget();
  return { repaired, findings: found, disabled, untyped, unknown };
}

type Verified =
  | { kind: 'done'; typed: boolean; disabled: number; messages: readonly Linter.LintMessage[] }
  | { kind: 'failed'; reason: string };

class Linters {
  private readonly linter: Linter;

  constructor(
    private readonly root: string,
    private readonly tools: Tools,
  ) {
    this.linter = new tools.Linter({ cwd: root, configType: 'flat' });
  }

  verify(path: string, text: string): Verified {
    const typed = this.hasConfig(path) ? this.run(path, text, true) : '';
    if (typeof typed !== 'string') return { kind: 'done', typed: true, ...typed };
    const alone = this.run(path, text, false);
    if (typeof alone !== 'string') return { kind: 'done', typed: false, ...alone };
    return { kind: 'failed', reason: alone };
  }

  /**
   * Sources that change. What TypeScript has made of them serves `verify` too: it goes on with the last text that it
   * was shown. A repair in one file can uncover another elsewhere: all are looked at again until nothing changes.
   */
  repair(sources: ReadonlyMap<string, string>): Map<string, string> {
    const changed = new Map<string, string>();
    for (let round = 0; round < 4; round += 1) {
      let isDone = true;
      for (const [path, text] of new Map([...sources, ...changed])) {
        const output = this.repairOne(path, text);
        if (output === text) continue;
        isDone = false;
        changed.set(path, output);
      }
      if (isDone) break;
    }
    return changed;
  }

  /** The parser keeps every program that it made, for as long as the process lives. */
  forget(): void {
    (this.tools.parser as { clearCaches?: () => void }).clearCaches?.();
  }

  private repairOne(path: string, text: string): string {
    for (const typed of this.hasConfig(path) ? [true, false] : [false]) {
      try {
        const { output, messages } = this.linter.verifyAndFix(text, this.config(typed), {
          filename: join(this.root, path),
        });
        if (!messages.some(({ fatal }) => fatal)) return output;
      } catch {
        // The review that follows says what could not be read.
      }
    }
    return text;
  }

  private run(
    path: string,
    text: string,
    typed: boolean,
  ): { disabled: number; messages: readonly Linter.LintMessage[] } | string {
    try {
      const messages = this.linter.verify(text, this.config(typed), join(this.root, path));
      const fatal = messages.find((message) => message.fatal);
      if (fatal) return fatal.message;
      const isOurs = ({ ruleId }: Linter.LintMessage): boolean =>
        ruleId?.startsWith(PREFIX) === true;
      return {
        messages: messages.filter(isOurs),
        disabled: suppressedBy(this.linter).filter(isOurs).length,
      };
    } catch (error) {
      return (error as Error).message.split('\n')[0] ?? '';
    }
  }

  /** TypeScript keeps a project for each file that it finds none for: do not ask it in vain. */
  private hasConfig(path: string): boolean {
    const folder = dirname(path);
    return (
      existsSync(join(this.root, folder, 'tsconfig.json')) ||
      (folder !== '.' && this.hasConfig(folder))
    );
  }

  private config(typed: boolean): Linter.Config[] {
    return [
      this.tools.rules.configs.strict as Linter.Config,
      {
        linterOptions: { reportUnusedDisableDirectives: 'off' },
        languageOptions: {
          parser: this.tools.parser,
          parserOptions: {
            ecmaFeatures: { jsx: true },
            // What it says of versions is not part of a report.
            warnOnUnsupportedTypeScriptVersion: false,
            loggerFn: false,
            // Else the parser reads each file once where CI is set, and never what a repair made of it.
            disallowAutomaticSingleRunInference: true,
            ...(typed && { projectService: true, tsconfigRootDir: this.root }),
          },
        },
      },
    ];
  }
}

/** Types of ESLint 9 do not declare it. */
function suppressedBy(linter: Linter): readonly Linter.LintMessage[] {
  return (
    linter as unknown as { getSuppressedMessages: () => Linter.LintMessage[] }
  ).getSuppressedMessages();
}

function toFound(path: string, message: Linter.LintMessage): Found {
  const { ruleId, line, column, endLine, endColumn, fix, suggestions } = message;
  return {
    check: (ruleId ?? '').slice(PREFIX.length),
    message: message.message,
    path,
    line,
    column,
    endLine: endLine ?? line,
    endColumn: endColumn ?? column,
    fixable: fix !== undefined,
    suggestions: (suggestions ?? []).map(({ desc }) => desc),
  };
}
