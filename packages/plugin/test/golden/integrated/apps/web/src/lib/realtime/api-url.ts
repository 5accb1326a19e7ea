export const API_URL_VARIABLE = 'NEXT_PUBLIC_API_URL';

/** The value at build time: it is compiled into the browser's code. */
export function apiUrl(): string | undefined {
  return process.env.NEXT_PUBLIC_API_URL;
}
