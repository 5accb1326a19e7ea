/** The white space that the line of an offset begins with. */
export function indentAt(text: string, offset: number): string {
  const start = text.lastIndexOf('\n', offset - 1) + 1;
  return /^[ \t]*/.exec(text.slice(start))?.[0] ?? '';
}

/** True if nothing but white space stands before an offset in its line. */
export function isFirstOfLine(text: string, offset: number): boolean {
  return text.slice(text.lastIndexOf('\n', offset - 1) + 1, offset).trim() === '';
}

/** One step of the file's own indentation. */
export function indentUnit(text: string): string {
  return /^(\t| {2,})[^\s*]/m.exec(text)?.[1] ?? '  ';
}
