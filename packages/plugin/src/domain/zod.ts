import * as z from 'zod/mini';
import en from 'zod/v4/locales/en.js';

/**
 * The value, or the issues that keep it from fitting a schema: in English, whatever else in this process has
 * told zod to say.
 */
export function parseWith<T extends z.core.$ZodType>(
  schema: T,
  value: unknown,
): { readonly data: z.output<T> } | { readonly issues: readonly z.core.$ZodIssue[] } {
  // Compiling a schema takes longer than the few values that are parsed.
  const result = z.safeParse(schema, value, { error: messageOf, jitless: true });
  return result.success ? { data: result.data } : { issues: result.error.issues };
}

const messageOf = en().localeError;
