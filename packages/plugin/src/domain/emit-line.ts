import type { Field, ServerEvent } from './types.js';

/** Options of `nx-realtime emit`; a field of such a name is given by `--field=<name>=<value>`. */
const EMIT_OPTIONS = ['app', 'tenant', 'data', 'field', 'message-id', 'url', 'yes'] as const;
export type EmitOption = (typeof EMIT_OPTIONS)[number];

/**
 * The command that publishes an event of a domain with values made up for it: those that are
 * required, and whom it is for where it is for nobody otherwise.
 *
 * @returns `nx-realtime emit notification.created --id=1 --message=hi --type=info`
 */
export function emitLine({ name, fields, audience }: ServerEvent): string {
  const isNeeded = (field: Field): boolean =>
    !field.optional || (audience.otherwise === undefined && field.name === audience.field);
  const options = fields.filter(isNeeded).map((field) => {
    const isOption = (EMIT_OPTIONS as readonly string[]).includes(field.name);
    return quoted(`--${isOption ? 'field=' : ''}${field.name}=${valueOf(field)}`);
  });
  return ['nx-realtime emit', name, ...options].join(' ');
}

/** A value of the field's type, as text; the user is the one whose token `nx-realtime token` prints. */
function valueOf({ name, base }: Field): string {
  if (typeof base !== 'string') return base[0] ?? '';
  if (base === 'string') return STRINGS[name] ?? (/id$/i.test(name) ? '1' : 'hi');
  return VALUES[base];
}

const STRINGS: Readonly<Record<string, string>> = { userId: 'u1', type: 'info' };

const VALUES = {
  number: '1',
  integer: '1',
  boolean: 'true',
  uuid: '0b8e1c62-5d1f-4f0e-9a57-2f6f1c1f7a10',
  datetime: '2030-01-31T12:00:00Z',
  json: '{}',
};

/** The text as a shell takes it. */
const quoted = (text: string): string => (/^[\w=.:-]+$/.test(text) ? text : `'${text}'`);
