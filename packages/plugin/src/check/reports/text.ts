import type { Finding, Verdict } from '../verdict.js';

/** Lines of one diff; the rest is in the report files, and in the workspace after the fix. */
const MAX_LINES = 60;

/** The report for people: the verdict, each finding with its diff, and the commands that fix them. */
export function toText({ ok, findings, domains, against }: Verdict): string {
  const errors = findings.filter(({ level }) => level === 'error');
  const count = `${domains} ${domains === 1 ? 'domain' : 'domains'}`;
  const compared = against === undefined ? '' : `, compared with ${against}`;
  const verdict = ok
    ? `Realtime code is up to date (${count}${compared}).`
    : `Realtime code: ${errors.length} ${errors.length === 1 ? 'finding' : 'findings'} (${count}${compared}).`;
  const fixes = [...new Set(errors.flatMap(({ fix }) => (fix === undefined ? [] : [fix])))];
  return [
    ...findings.map(printFinding),
    verdict,
    ...(fixes.length > 0 ? [`\nTo fix:\n${fixes.map((fix) => `  ${fix}`).join('\n')}`] : []),
    '',
  ].join('\n');
}

function printFinding({ class: name, level, path, line, message, diff }: Finding): string {
  const place = line === undefined ? path : `${path}:${line}`;
  const title = `${level === 'error' ? name : `${name} (info)`}  ${place}\n  ${message}`;
  return `${title}\n${diff === undefined ? '' : `\n${indented(diff)}\n`}`;
}

function indented(diff: string): string {
  const lines = diff.trimEnd().split('\n');
  const shown = lines.length > MAX_LINES ? lines.slice(0, MAX_LINES) : lines;
  const rest = lines.length - shown.length;
  return [...shown, ...(rest > 0 ? [`... ${rest} more lines`] : [])]
    .map((line) => `    ${line}`)
    .join('\n');
}
