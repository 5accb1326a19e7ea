/** `tsx e2e/support/package-lint.mts <tarball> ...`: prints as JSON what is wrong with each, and how it is found. */
import { checkPackage, createPackageFromTarballData } from '@arethetypeswrong/core';
import { readFileSync } from 'node:fs';
import { publint } from 'publint';
import { formatMessage } from 'publint/utils';

/** What one tarball came to. */
export interface PackageLint {
  /** Of publint. */
  readonly messages: readonly string[];
  /** Of attw, which tries each way that TypeScript resolves modules. */
  readonly problems: readonly string[];
  /** Paths that its manifest exports with types. */
  readonly doors: readonly string[];
}

const results: PackageLint[] = [];
for (const file of process.argv.slice(2)) {
  const data = new Uint8Array(readFileSync(file));
  const { messages, pkg } = await publint({
    pack: { tarball: data.buffer },
    // It suggests a "type", which would make of each TypeScript source what it is by default.
    level: 'warning',
  });
  const analysis = await checkPackage(createPackageFromTarballData(data));
  results.push({
    messages: messages.map((message) => formatMessage(message, pkg, { color: false }) ?? ''),
    problems: analysis.types ? analysis.problems.map((problem) => JSON.stringify(problem)) : [],
    doors: analysis.types ? Object.keys(analysis.entrypoints) : [],
  });
}
console.log(JSON.stringify(results));
