/** Lines of a report, below their title. */
export const indented = (lines: readonly string[]): string =>
  lines.map((line) => `  ${line}`).join('\n');
