import type { TSESLint } from '@typescript-eslint/utils';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pkg } from './rule.js';
import type { RuleDocs } from './rule.js';
import { rules } from './rules/index.js';

export { rules };
export type { Area, RuleDocs, RuleModule, Severity } from './rule.js';

export const meta = { name: pkg.name, version: pkg.version, namespace: 'nx-realtime' } as const;

/** What a report says of a finding, by the rule that made it. */
export interface RuleInfo extends RuleDocs {
  /** Without the prefix `nx-realtime/`. */
  readonly name: string;
  /** Address of its page of documentation. */
  readonly url: string;
  /** What `--fix` repairs by itself. */
  readonly isFixable: boolean;
  /** Has repairs that somebody must choose. */
  readonly hasSuggestions: boolean;
  readonly configs: readonly ('recommended' | 'strict')[];
  /** Blocks of code to write instead, as its page has them; a file that is meant to be added begins with its name. */
  readonly right: readonly string[];
}

/** Every rule as a report describes it, in alphabetical order. */
export const ruleInfo: readonly RuleInfo[] = Object.entries(rules).map(([name, rule]) => {
  const { docs, fixable, hasSuggestions } = rule.meta;
  if (!docs) throw new Error(`${name} has no documentation`);
  const { url = '', ...rest } = docs;
  return {
    ...rest,
    name,
    url,
    isFixable: fixable !== undefined,
    hasSuggestions: hasSuggestions === true,
    configs: docs.recommended ? ['recommended', 'strict'] : ['strict'],
    get right() {
      return rightOf(name);
    },
  };
});

/** Read when a report asks for it: who only lints does not pay for it. */
function rightOf(name: string): string[] {
  const page = readFileSync(join(__dirname, `../docs/rules/${name}.md`), 'utf8');
  const [, right = ''] = /\n## Right\n([^]*?)\n## /.exec(page) ?? [];
  return [...right.matchAll(/```\w+\n([^]*?)```/g)].map(([, code = '']) => code);
}

const plugin = { meta, rules };

/** Grave faults are errors; `strict` makes errors of all and adds the rules of taste. */
function config(name: 'recommended' | 'strict'): TSESLint.FlatConfig.Config {
  const enabled = ruleInfo.filter(({ configs }) => configs.includes(name));
  return {
    name: `nx-realtime/${name}`,
    files: ['**/*.{ts,tsx,mts,cts,js,jsx,mjs,cjs}'],
    plugins: { 'nx-realtime': plugin as unknown as TSESLint.FlatConfig.Plugin },
    rules: Object.fromEntries(
      enabled.map(({ name: rule, severity }) => [
        `nx-realtime/${rule}`,
        name === 'strict' || severity === 'high' ? 'error' : 'warn',
      ]),
    ),
  };
}

/** Flat configs. They bring the rules, not a parser: TypeScript files need typescript-eslint's. */
export const configs = { recommended: config('recommended'), strict: config('strict') };
