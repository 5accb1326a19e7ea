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
  return result instanceof Promise ? { issues: ASYNCHRONOUS } : result;
}
