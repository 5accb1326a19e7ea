import { detectPackageManager, getPackageManagerCommand } from '@nx/devkit';
import type { Linter } from 'eslint';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { RealtimeError } from '../domain/index.js';
import type { Check } from './finding.js';

const RULES = '@nx-realtime/eslint-plugin';

/** Exports of the rules' package, as far as a review needs them. */
export interface Rules {
  readonly ruleInfo: readonly Check[];
  readonly configs: { readonly strict: unknown };
}

/** Optional peers: this command alone needs them. */
export interface Tools {
  readonly Linter: typeof Linter;
  readonly parser: Linter.Parser;
  readonly rules: Rules;
}

/**
 * ESLint, the rules and their parser as the workspace has them. Slow to load (0.5 s), so only here.
 *
 * @throws RealtimeError RT060 with the command that adds what is missing
 */
export function loadTools(root: string): Tools {
  const fromHost = createRequire(join(root, 'package.json'));
  const missing = ['eslint', RULES].filter((name) => resolveFrom(fromHost, name) === undefined);
  if (missing.length > 0) {
    const { addDev } = getPackageManagerCommand(detectPackageManager(root), root);
    throw new RealtimeError(
      'RT060',
      `A review needs ${missing.join(' and ')}, which this workspace does not have. Add what is missing: ${addDev} ${missing.join(' ')}`,
    );
  }
  try {
    const { Linter } = fromHost('eslint') as { Linter: Tools['Linter'] };
    const fromRules = createRequire(fromHost.resolve(RULES));
    return {
      Linter,
      rules: fromHost(RULES) as Rules,
      parser: fromRules('@typescript-eslint/parser') as Linter.Parser,
    };
  } catch (error) {
    const { message } = error as Error;
    throw new RealtimeError(
      'RT061',
      `ESLint, ${RULES} or its parser does not load: ${message.split('\n')[0]}. The rules need ESLint 9 or 10 and TypeScript 5 or 6.0.`,
    );
  }
}

function resolveFrom(require: NodeJS.Require, name: string): string | undefined {
  try {
    return require.resolve(name);
  } catch {
    return undefined;
  }
}
