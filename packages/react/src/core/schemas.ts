import type { SchemaIssue } from './errors';

/**
 * A schema of any library that follows Standard Schema, such as zod 3.24 or
 * later, zod/mini, Valibot and ArkType. It must not be asynchronous: events
 * would be handled out of order.
 *
 * @see https://standardschema.dev
 * @example
 * const schema: StandardSchema<{ id: string }> = z.object({ id: z.string() });
 */
export interface StandardSchema<Output = unknown> {
  readonly '~standard': {
    readonly validate: (value: unknown) => Result<Output> | Promise<unknown>;
    readonly types?: { readonly output: Output } | undefined;
  };
}

type Result<Output> =
  | { readonly value: Output; readonly issues?: undefined }
  | { readonly issues: readonly SchemaIssue[] };

/**
 * The server events of a namespace, each with the schema of its payload.
 *
 * @example
 * const schemas = { 'notification.created': notificationCreatedSchema };
 */
export type EventSchemas = Readonly<Record<string, StandardSchema>>;

/** The payload of an event, as its schema returns it. */
export type PayloadOf<S extends StandardSchema> = NonNullable<
  S['~standard']['types']
>['output'];

const ASYNCHRONOUS = [{ message: 'The schema is asynchronous' }];

/** A payload, or what is wrong with it. */
interface Validated {
  readonly value?: unknown;
  readonly issues?: readonly SchemaIssue[] | undefined;
}

export function validate(schema: StandardSchema, body: unknown): Validated {
  const result = schema['~standard'].validate(body);
  if (result instanceof Promise) return { issues: ASYNCHRONOUS };
  const issues = result.issues?.map((issue) => worded(issue, body));
  return issues ? { issues } : result;
}

/** An issue as zod has it, with what its message is made of. */
interface ZodIssue extends SchemaIssue {
  readonly code?: string;
  readonly expected?: string;
  readonly values?: readonly unknown[];
  readonly format?: string;
  readonly origin?: string;
  readonly maximum?: number;
  readonly minimum?: number;
}

/** What zod says where it has no language, as `zod/mini`. */
const WORDLESS = 'Invalid input';
const FORMATS: Readonly<Record<string, string>> = {
  uuid: 'UUID',
  datetime: 'ISO datetime',
};

/** Says it as zod does in English, of what contracts are generated with. */
function worded(issue: ZodIssue, body: unknown): SchemaIssue {
  const { message, code = '', values = [], format = '', origin } = issue;
  if (message !== WORDLESS) return issue;
  const options = values.map((value) => JSON.stringify(value)).join('|');
  const messages: Readonly<Record<string, string>> = {
    invalid_type: `${WORDLESS}: expected ${issue.expected}, received ${kindOf(issue, body)}`,
    invalid_value: values[1]
      ? `Invalid option: expected one of ${options}`
      : `${WORDLESS}: expected ${options}`,
    invalid_format: `Invalid ${FORMATS[format] ?? format}`,
    too_big: `Too big: expected ${origin} to be <=${issue.maximum}`,
    too_small: `Too small: expected ${origin} to be >=${issue.minimum}`,
  };
  return { ...issue, message: messages[code] ?? message };
}

function kindOf({ path = [] }: ZodIssue, body: unknown): string {
  const value = path.reduce<unknown>(
    (held, key) => Object(held)[key as PropertyKey],
    body,
  );
  if (value === null) return 'null';
  return Array.isArray(value) ? 'array' : typeof value;
}
