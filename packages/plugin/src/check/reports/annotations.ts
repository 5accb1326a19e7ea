import type { Verdict } from '../verdict.js';

/**
 * Workflow commands of GitHub Actions, one line a finding: they show on the lines of a pull
 * request.
 *
 * @param prefix the workspace's folder in the repository, with `/` at the end, or empty
 */
export function toAnnotations({ findings }: Verdict, prefix: string): string {
  return findings
    .map(({ class: name, level, path, line, message, fix }) => {
      const properties = [
        `file=${property(prefix + path)}`,
        ...(line === undefined ? [] : [`line=${line}`]),
        `title=${property(`realtime-check: ${name}`)}`,
      ];
      const text = fix === undefined ? message : `${message}\nFix: ${fix}`;
      return `::${level === 'error' ? 'error' : 'notice'} ${properties.join(',')}::${data(text)}\n`;
    })
    .join('');
}

/** Escapes that the runner undoes; a line break would begin another command. */
const data = (text: string): string =>
  text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A');

const property = (text: string): string => data(text).replaceAll(':', '%3A').replaceAll(',', '%2C');
