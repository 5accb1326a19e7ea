import { RealtimeError } from './errors.js';
import { SCALARS } from './types.js';
import type { Field, Scalar } from './types.js';

/** One event as the grammar states it, its name already full. */
export interface ParsedEvent {
  readonly name: string;
  readonly fields: readonly Field[];
}

/**
 * Reads events in the grammar of the command line:
 *
 *     event := name [ "{" field ("," field)* "}" ]
 *     field := ident ["?"] [":" type]
 *     type  := base ["[]"]      base: string number integer boolean uuid datetime json enum(a|b)
 *
 * @param source where the text came from, for messages: `--serverEvents`
 * @param texts what Nx passed; Nx splits array flags at commas, so the parts are joined first
 * @param prefix prepended to bare names: `notification` makes `created` `notification.created`
 * @throws RealtimeError RT002 syntax, RT003 unknown type, RT004 duplicate; each shows the position
 */
export function parseEvents(
  source: string,
  texts: readonly string[],
  prefix: string,
): ParsedEvent[] {
  const meant = unquoted(texts);
  const hint = meant === null ? '' : `\n${quotesFor(meant)}`;
  const reader = new Reader(source, texts.join(','), hint);
  const events: ParsedEvent[] = [];
  while (!reader.atEnd()) {
    const start = reader.position();
    const event = reader.event(prefix);
    if (events.some(({ name }) => name === event.name)) {
      reader.fail('RT004', `the event "${event.name}" is given twice`, start);
    }
    events.push(event);
    if (!reader.atEnd()) reader.expect(',', 'between two events');
  }
  return events;
}

/**
 * The event of which a shell has made several, because its braces were not quoted: of
 * `posted{id,text}` bash and zsh make `postedid` and `postedtext`.
 *
 * @param texts what was given, as {@link parseEvents} takes it
 * @returns null where nothing looks so
 */
export function unquoted(texts: readonly string[]): string | null {
  const [first = '', ...others] = texts;
  if (others.length === 0 || texts.some((text) => /[{},\s]/.test(text))) return null;
  let length = first.length;
  while (others.some((text) => !text.startsWith(first.slice(0, length)))) length -= 1;
  const name = first.slice(0, length);
  const fields = texts.map((text) => text.slice(length));
  // A second word of a name would begin with a capital letter.
  const isTaken = /(?:^|\.)[a-z]\w{2,}$/i.test(name) && fields.every((text) => /^[a-z]/.test(text));
  return isTaken ? `${name}{${fields.join(',')}}` : null;
}

/** Message about an event that {@link unquoted} has found. */
export const quotesFor = (event: string): string =>
  `Was one event meant? A shell takes apart braces that are not quoted: '${event}'`;

/**
 * Reads a field's type as a domain file holds it: `enum(a|b)[]`.
 *
 * @throws RealtimeError RT002 or RT003
 */
export function parseType(source: string, text: string): Pick<Field, 'base' | 'array'> {
  const reader = new Reader(source, text);
  const type = reader.type();
  if (!reader.atEnd()) reader.fail('RT002', 'unexpected text after the type');
  return type;
}

/** Reads a field's key as a domain file holds it: `userId?`. */
export function parseKey(source: string, text: string): Pick<Field, 'name' | 'optional'> {
  const reader = new Reader(source, text);
  const key = reader.key();
  if (!reader.atEnd()) reader.fail('RT002', 'unexpected text after the field name');
  return key;
}

/** Checks a full event name as a domain file holds it. */
export function parseEventName(source: string, text: string, prefix: string): string {
  const reader = new Reader(source, text);
  const name = reader.eventName(prefix);
  if (!reader.atEnd()) reader.fail('RT002', 'unexpected text after the event name');
  return name;
}

/** `enum(a|b)[]`: the inverse of {@link parseType}. */
export function formatType({ base, array }: Pick<Field, 'base' | 'array'>): string {
  return `${typeof base === 'string' ? base : `enum(${base.join('|')})`}${array ? '[]' : ''}`;
}

class Reader {
  private at = 0;

  constructor(
    private readonly source: string,
    private readonly text: string,
    /** Added to what is wrong. */
    private readonly hint = '',
  ) {
    this.space();
  }

  position(): number {
    return this.at;
  }

  atEnd(): boolean {
    return this.at >= this.text.length;
  }

  event(prefix: string): ParsedEvent {
    const start = this.at;
    const name = this.eventName(prefix);
    const [wrong, inside] = /^[([]([^()[\]{}]*)[)\]]?/.exec(this.text.slice(this.at)) ?? [];
    if (wrong !== undefined) {
      const stated = this.text.slice(start, this.at).trim();
      this.fail('RT002', `fields stand in braces: ${stated}{${inside}}`);
    }
    return { name, fields: this.take('{') ? this.fields() : [] };
  }

  eventName(prefix: string): string {
    const start = this.at;
    const parts = [this.word('an event name')];
    while (this.take('.')) parts.push(this.word('a word after "."'));
    const [joined, , next] =
      /^([:_/-]|(?=\w))\s*([A-Za-z][A-Za-z0-9]*)/.exec(this.text.slice(this.at)) ?? [];
    if (joined !== undefined && next !== undefined) {
      const last = parts.pop() ?? '';
      const camel = last + next.charAt(0).toUpperCase() + next.slice(1);
      const [dotted, spelled] = [
        [...parts, last, next],
        [...parts, camel],
      ].map((words) => words.join('.'));
      this.fail(
        'RT002',
        `the words of an event are joined by "." or by capitals: ${dotted} or ${spelled}`,
      );
    }
    const name = parts.length === 1 ? `${prefix}.${parts[0]}` : parts.join('.');
    if (parts.length > 1 && parts[0] === 'realtime') {
      this.fail('RT002', '"realtime." belongs to system events', start);
    }
    return name;
  }

  key(): Pick<Field, 'name' | 'optional'> {
    const start = this.at;
    const name = this.match(/[A-Za-z_$][A-Za-z0-9_$]*/y, 'a field name');
    if (name === '__proto__') this.fail('RT002', '"__proto__" cannot be a field', start);
    return { name, optional: this.take('?') };
  }

  type(): Pick<Field, 'base' | 'array'> {
    const start = this.at;
    const word = this.match(/[A-Za-z]+/y, 'a type');
    let base: Field['base'];
    if (word === 'enum') {
      base = this.enumValues();
    } else if (isScalar(word)) {
      base = word;
    } else {
      return this.fail(
        'RT003',
        `there is no type "${word}"; use ${SCALARS.join(', ')} or enum(a|b)`,
        start,
      );
    }
    const array = this.take('[');
    if (array) this.expect(']', 'after "["');
    return { base, array };
  }

  expect(char: string, where: string): void {
    if (!this.take(char)) this.fail('RT002', `expected "${char}" ${where}`);
  }

  fail(code: 'RT002' | 'RT003' | 'RT004', message: string, at = this.at): never {
    throw new RealtimeError(
      code,
      `${this.source}: ${message}\n  ${this.text}\n  ${' '.repeat(at)}^${this.hint}`,
    );
  }

  private fields(): Field[] {
    const fields: Field[] = [];
    if (this.take('}')) return fields;
    do {
      const start = this.at;
      const key = this.key();
      if (fields.some(({ name }) => name === key.name)) {
        this.fail('RT004', `the field "${key.name}" is given twice`, start);
      }
      const type = this.take(':') ? this.type() : { base: 'string' as const, array: false };
      fields.push({ ...key, ...type });
    } while (this.take(','));
    this.expect('}', 'or "," after a field');
    return fields;
  }

  private enumValues(): string[] {
    this.expect('(', 'after "enum"');
    const values: string[] = [];
    do {
      const start = this.at;
      const value = this.match(/[A-Za-z0-9_.-]+/y, 'an enum value');
      if (values.includes(value)) {
        this.fail('RT004', `the enum value "${value}" is given twice`, start);
      }
      values.push(value);
    } while (this.take('|'));
    this.expect(')', 'or "|" after an enum value');
    return values;
  }

  private word(what: string): string {
    return this.match(/[A-Za-z][A-Za-z0-9]*/y, what);
  }

  private match(pattern: RegExp, what: string): string {
    pattern.lastIndex = this.at;
    const found = pattern.exec(this.text)?.[0];
    const end = this.at + (found?.length ?? 0);
    if (/^(?![A-Za-z])\p{L}/u.test(this.text.slice(end))) {
      this.fail(
        'RT002',
        `expected ${what} in letters from a to z: it names things in the code`,
        end,
      );
    }
    if (found === undefined) return this.fail('RT002', `expected ${what}`);
    this.at = end;
    this.space();
    return found;
  }

  private take(char: string): boolean {
    if (this.text[this.at] !== char) return false;
    this.at += 1;
    this.space();
    return true;
  }

  private space(): void {
    while (/\s/.test(this.text[this.at] ?? '')) this.at += 1;
  }
}

function isScalar(word: string): word is Scalar {
  return (SCALARS as readonly string[]).includes(word);
}
