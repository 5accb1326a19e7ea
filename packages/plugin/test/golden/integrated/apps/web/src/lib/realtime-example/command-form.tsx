'use client';

import { useId, useState } from 'react';
import { en } from 'zod/locales';
import * as z from 'zod/mini';
import styles from './realtime-example.module.css';

type Fields = Readonly<Record<string, Field>>;

/** What JSON Schema says of one field of a payload. */
interface Field {
  readonly type?: unknown;
  readonly format?: unknown;
  readonly enum?: readonly unknown[];
}

export interface ExampleCommand {
  readonly event: string;
  readonly fields: Fields;
  readonly required: readonly string[];
  readonly submit: (values: object) => Promise<unknown>;
}

/** `zod/mini` has no language by itself. */
const messages = { error: en().localeError };

/** A command, and the form that follows from its schema in the contract. */
export function command<T>(
  event: string,
  schema: z.core.$ZodType<T>,
  send: (payload: T) => Promise<unknown>,
): ExampleCommand {
  const { properties = {}, required = [] } = z.toJSONSchema(schema);
  return {
    event,
    fields: properties as Fields,
    required,
    submit: async (values) => send(z.parse(schema, values, messages)),
  };
}

interface Result {
  readonly state: 'sending' | 'done' | 'failed';
  readonly text: string;
}

/** Sends a command, and shows what the server answers. */
export function CommandForm({
  command: { event, fields, required, submit },
  connected,
}: {
  readonly command: ExampleCommand;
  readonly connected: boolean;
}) {
  const [result, setResult] = useState<Result | null>(null);
  const send = async (form: HTMLFormElement) => {
    setResult({ state: 'sending', text: 'Sending…' });
    try {
      const answer = await submit(valuesOf(fields, new FormData(form)));
      const data = answer == null ? '.' : `: ${JSON.stringify(answer)}`;
      setResult({ state: 'done', text: `Acknowledged${data}` });
      form.reset();
    } catch (error) {
      setResult({ state: 'failed', text: textOf(error) });
    }
  };
  return (
    <form
      className={styles.card}
      aria-label={event}
      onSubmit={(submission) => {
        submission.preventDefault();
        void send(submission.currentTarget);
      }}
    >
      <h3>{event}</h3>
      {Object.entries(fields).map(([name, field]) => (
        <FieldInput
          key={name}
          name={name}
          field={field}
          required={required.includes(name)}
        />
      ))}
      <button disabled={!connected || result?.state === 'sending'}>Send</button>
      <p role="status" data-state={result?.state}>
        {connected ? result?.text : 'Not connected.'}
      </p>
    </form>
  );
}

function FieldInput({
  name,
  field,
  required,
}: {
  readonly name: string;
  readonly field: Field;
  readonly required: boolean;
}) {
  const id = useId();
  const kind = kindOf(field);
  const shared = { id, name, required };
  const hints = [
    ...(kind === 'json' ? ['JSON'] : []),
    ...(required || kind === 'boolean' ? [] : ['optional']),
  ];
  return (
    <div className={styles.field} data-kind={kind}>
      <label htmlFor={id}>
        {name}
        {hints.length > 0 && ` (${hints.join(', ')})`}
      </label>
      {kind === 'enum' ? (
        <select {...shared}>
          {!required && <option value="" />}
          {field.enum?.map((value) => (
            <option key={String(value)}>{String(value)}</option>
          ))}
        </select>
      ) : kind === 'json' ? (
        <textarea {...shared} rows={2} spellCheck={false} />
      ) : kind === 'boolean' ? (
        <input id={id} name={name} type="checkbox" />
      ) : (
        <input
          {...shared}
          autoComplete="off"
          type={INPUT_TYPES[kind]}
          step={kind === 'number' ? 'any' : undefined}
        />
      )}
    </div>
  );
}

const INPUT_TYPES = {
  string: 'text',
  number: 'number',
  integer: 'number',
  datetime: 'datetime-local',
} as const;

type Kind = keyof typeof INPUT_TYPES | 'boolean' | 'enum' | 'json';

function kindOf({ type, format, enum: values }: Field): Kind {
  if (values) return 'enum';
  if (type === 'string') return format === 'date-time' ? 'datetime' : 'string';
  const plain = type === 'number' || type === 'integer' || type === 'boolean';
  return plain ? type : 'json';
}

/** What is left empty is left out. */
function valuesOf(fields: Fields, data: FormData): object {
  const values = Object.entries(fields).flatMap(([name, field]) => {
    const kind = kindOf(field);
    const text = String(data.get(name) ?? '');
    if (kind === 'boolean') return [[name, data.has(name)]];
    return text === '' ? [] : [[name, valueOf(name, kind, text)]];
  });
  return Object.fromEntries(values);
}

function valueOf(name: string, kind: Kind, text: string): unknown {
  if (kind === 'number' || kind === 'integer') return Number(text);
  if (kind === 'datetime') return new Date(text).toISOString();
  if (kind !== 'json') return text;
  try {
    return JSON.parse(text);
  } catch {
    throw new Error(`${name} is not JSON, such as ["one", "two"]`);
  }
}

function textOf(error: unknown): string {
  if (error instanceof z.core.$ZodError) return z.prettifyError(error);
  if (!(error instanceof Error)) return String(error);
  return 'code' in error ? `${error.code}: ${error.message}` : error.message;
}
