/** Prettier's default. */
const WIDTH = 80;

/**
 * Lays out code as Prettier would, without Prettier. Templates break every list, assignment, arrow
 * and call chain over lines; here what fits in 80 columns goes on one line. Objects, blocks and
 * interfaces stay expanded, as Prettier keeps them.
 *
 * @param code TypeScript, indented by two spaces, with a comma after the last item of a list
 */
export function layOut(code: string): string {
  const broken = IS_EMPTY_ARGUMENT.test(code)
    ? code.replace(EMPTY_ARGUMENT, '$1$2\n$1  {},\n$1$3')
    : code;
  const lines = broken.replace(EMPTY, '{}').split('\n');
  let at = 0;
  while (at < lines.length) {
    const end = endOfBlock(lines, at);
    const shorter = lines[at]!.match(COMMENT) ? null : joined(lines, at, end);
    if (shorter) lines.splice(at, shorter.count, ...shorter.lines);
    else at += 1;
  }
  return lines.join('\n');
}

/** Breaks the one list in braces of a statement that has become too long, as `layOut` joins it. */
export function breakBraces(statement: string): string {
  const [, open, items, close] = /^(.*\{) (.*,.*) (\}.*)$/.exec(statement) ?? [];
  if (statement.length <= WIDTH || items === undefined) return statement;
  return [open, ...items.split(', ').map((item) => `  ${item},`), close].join('\n');
}

/** Lines of a list as `layOut` takes it. @param items each with its lines */
export function brokenList(
  open: string,
  items: readonly (readonly string[])[],
  close: string,
): string[] {
  const lines = items.flatMap((item) => [...item.slice(0, -1), `${item.at(-1)},`]);
  return [open, ...indented(lines), close];
}

export const indented = (lines: readonly string[]): string[] => lines.map((line) => `  ${line}`);

/** `call({` and `})`, which breaks as any other argument does. */
const EMPTY_ARGUMENT = /^( *)(.*\()\{\n\1\}(.*)$/gm;
/** Tells it from its beginning: few files have one. */
const IS_EMPTY_ARGUMENT = /\(\{\n *\}/;
const EMPTY = /\{\n *\}/g;
const COMMENT = /^\s*(?:\/\/|\/?\*)/;
const LIST_IN_BRACES = /(?:^(?:import|export) .*|@\w+\(|\bdatetime\(|^ {2}on\w+\()\{$/;
const PARAMETER_PROPERTY = /^\s*(?:private|protected|public|readonly) /;
/** A line of a call chain; a spread begins with three dots. */
const IS_MEMBER = /^\s*\.(?!\.)/;
const CLOSING = /^\s*[)\]>}]/;

/** Replacement of `count` lines. */
interface Joined {
  readonly count: number;
  readonly lines: readonly string[];
}

/** @param end of the lines that are indented deeper than the one at `at` */
function joined(lines: readonly string[], at: number, end: number): Joined | null {
  const line = lines[at]!;
  const block = lines.slice(at + 1, end);
  const next = lines[end] ?? '';
  if (opens(line, next)) {
    if (block.length > 1 && block.some((item) => PARAMETER_PROPERTY.test(item))) return null;
    const breakable = block.length > (line.startsWith('import ') ? 1 : 0);
    return onOneLine([line, ...block, next], breakable ? WIDTH : Infinity);
  }
  if (block.length === 0) return null;
  if (line.endsWith(' =') || line.endsWith(':')) return assigned(line, block);
  const isChain = IS_MEMBER.test(block[0]!);
  return isChain || isArrow(line) ? onOneLine([line, ...block]) : null;
}

/** The value begins on the line of its name as soon as it can be broken further right. */
function assigned(line: string, value: readonly string[]): Joined | null {
  if (value[0]!.trimStart().startsWith('| ')) return null;
  const count = value.length + 1;
  const first = `${line} ${value[0]!.trimStart()}`;
  if (first.length <= WIDTH) {
    return { count, lines: [first, ...value.slice(1).map((text) => text.replace(/^ {2}/, ''))] };
  }
  if (first.length > WIDTH + 1 || !first.endsWith('({')) return null;
  // One column too many: the argument's brace goes below.
  const indent = ' '.repeat(indentOf(line));
  const last = value.at(-1)!.trimStart().slice(1);
  const argument = [`${indent}  {`, ...value.slice(1, -1), `${indent}  },`];
  return { count, lines: [first.slice(0, -1), ...argument, indent + last] };
}

function onOneLine(lines: readonly string[], width = WIDTH): Joined | null {
  const line = flat(lines);
  return line !== null && line.length <= width ? { count: lines.length, lines: [line] } : null;
}

/** Null where a line between the first and the last can have no neighbours. */
function flat(lines: readonly string[]): string | null {
  if (lines.slice(1, -1).some(standsAlone)) return null;
  return lines.reduce((text, line) => {
    const next = line.trimStart();
    if (/^[)\]>]/.test(next)) return text.replace(/,$/, '') + next;
    if (next.startsWith('}')) return `${text.replace(/,$/, '')} ${next}`;
    return IS_MEMBER.test(next) || /[([<]$/.test(text) ? text + next : `${text} ${next}`;
  });
}

const standsAlone = (line: string): boolean =>
  line === '' || COMMENT.test(line) || (/[{;]$/.test(line) && !isList(line));

/** The first line after those that are indented deeper than the one at `at`. */
function endOfBlock(lines: readonly string[], at: number): number {
  const indent = indentOf(lines[at]!);
  let end = at + 1;
  for (let next = end; next < lines.length; next += 1) {
    if (lines[next] === '') continue;
    if (indentOf(lines[next]!) <= indent) break;
    end = next + 1;
  }
  return end;
}

const indentOf = (line: string): number => line.length - line.trimStart().length;

// By the last characters, where a regular expression would try every one: each line is asked.
const isArrow = (line: string): boolean => line.endsWith(' =>');
const isList = (line: string): boolean =>
  /^[([<]$/.test(line.slice(-1)) || (line.endsWith('{') && LIST_IN_BRACES.test(line));

const opens = (line: string, next: string): boolean =>
  (isList(line) || isArrow(line)) && CLOSING.test(next) && indentOf(line) === indentOf(next);
