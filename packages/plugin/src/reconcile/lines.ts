/** Line ends and indentation of a text's owner; kept in whatever is merged into it. */
interface LineStyle {
  readonly bom: string;
  readonly eol: '\n' | '\r\n';
  readonly finalNewline: boolean;
}

const BOM = '\uFEFF';

/** The text with `\n` at the end of every line, the last one too, and no byte order mark. */
export function normalizeLines(text: string): string {
  const lines = text.replace(BOM, '').replaceAll('\r\n', '\n');
  return lines === '' || lines.endsWith('\n') ? lines : `${lines}\n`;
}

/** True if two texts differ in nothing but line ends. */
export function sameLines(a: string, b: string): boolean {
  return normalizeLines(a) === normalizeLines(b);
}

export function splitLines(text: string): string[] {
  return normalizeLines(text).split('\n').slice(0, -1);
}

/** A normalised text with the byte order mark, line ends and last newline of the owner's text. */
export function inStyleOf(owner: string, text: string): string {
  const { bom, eol, finalNewline } = styleOf(owner);
  const lines = normalizeLines(text);
  const ended = finalNewline ? lines : lines.replace(/\n$/, '');
  return bom + ended.replaceAll('\n', eol);
}

function styleOf(text: string): LineStyle {
  const all = text.split('\n').length - 1;
  const crlf = text.split('\r\n').length - 1;
  return {
    bom: text.startsWith(BOM) ? BOM : '',
    eol: crlf > all / 2 ? '\r\n' : '\n',
    finalNewline: text.replace(BOM, '') === '' || text.endsWith('\n'),
  };
}
