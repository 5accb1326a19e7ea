import { inspect } from 'node:util';

/** One line of text; one object where the host's logger writes JSON. */
export class LogLine {
  /** Never pass a token, a secret or a body among the fields. */
  constructor(
    readonly message: string,
    fields: object,
  ) {
    for (const [name, value] of Object.entries(fields)) {
      const written = typeof value === 'string' ? visible(value) : value;
      Object.assign(this, { [name]: written });
    }
  }

  /** Fields as JSON: what a client chose cannot forge a line. */
  toString(): string {
    const { message, ...fields } = this;
    return `${message} ${JSON.stringify(fields)}`;
  }

  [inspect.custom](): string {
    return this.toString();
  }
}

/** Control characters, line separators and marks of direction, which would change how other lines are read. */
const HIDDEN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu;

function visible(text: string): string {
  return text.replace(
    HIDDEN,
    (character) => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`,
  );
}
