import { inspect } from 'node:util';

/** One line of text; one object where the host's logger writes JSON. */
export class LogLine {
  /** Never pass a token, a secret or a body among the fields. */
  constructor(
    readonly message: string,
    fields: object,
  ) {
    Object.assign(this, fields);
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
