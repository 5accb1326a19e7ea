/// <reference types="vite/client" />

export const API_URL_VARIABLE = 'VITE_API_URL';

/** The value at build time: it is compiled into the browser's code. */
export function apiUrl(): string | undefined {
  return import.meta.env.VITE_API_URL;
}
