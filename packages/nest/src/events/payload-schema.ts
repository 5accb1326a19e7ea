/**
 * A schema of zod, Valibot, ArkType or another library that implements Standard
 * Schema (https://standardschema.dev): the part of it that is used here.
 *
 * @example
 * ```ts
 * const schema: PayloadSchema<{ id: string }> = z.strictObject({ id: z.string() });
 * ```
 */
export interface PayloadSchema<T = unknown> {
  /** Checks a value: the name is of Standard Schema. */
  readonly '~standard': {
    readonly validate: (
      value: unknown,
    ) => SchemaResult<T> | Promise<SchemaResult<T>>;
  };
}

/** Result of a check: a value, or the faults of it. */
type SchemaResult<T> =
  | { readonly value: T; readonly issues?: undefined }
  | { readonly issues: readonly SchemaIssue[] };

interface SchemaIssue {
  readonly message: string;
  readonly path?:
    readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
}

/**
 * A payload that fits its schema, or the first problems, each with its path.
 */
export type Checked<T> =
  { readonly payload: T } | { readonly problems: readonly Problem[] };

/** Fault at a path of a payload, such as `user.name`. */
export interface Problem {
  readonly path: string;
  readonly message: string;
}

/** Number of problems that are told. */
const MAX_PROBLEMS = 10;

/** Checks a payload; at once, unless its schema takes its time. */
export function checkPayload<T>(
  schema: PayloadSchema<T>,
  payload: unknown,
): Checked<T> | Promise<Checked<T>> {
  const result = schema['~standard'].validate(payload);
  return result instanceof Promise ? result.then(checkedOf) : checkedOf(result);
}

function checkedOf<T>(result: SchemaResult<T>): Checked<T> {
  const { issues } = result;
  if (!issues) {
    // Without `strict` a host's compiler does not know it by the issues.
    return { payload: (result as { readonly value: T }).value };
  }
  const problems = issues
    .slice(0, MAX_PROBLEMS)
    .map(({ path = [], message }) => ({
      path: path.map(keyOf).join('.'),
      message,
    }));
  return { problems };
}

function keyOf(segment: PropertyKey | { readonly key: PropertyKey }): string {
  return String(typeof segment === 'object' ? segment.key : segment);
}
