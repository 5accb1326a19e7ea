/** An own property: never `constructor` or another inherited one. */
export function own(value: unknown, key: string): unknown {
  return typeof value === 'object' &&
    value !== null &&
    Object.prototype.hasOwnProperty.call(value, key)
    ? (value as Record<string, unknown>)[key]
    : undefined;
}

/** Text of an error: for a refused connection Node gives one without a message. */
export function describe(error: unknown): string {
  const { message, code } = Object(error) as {
    message?: string;
    code?: unknown;
  };
  return message || String(code);
}
