import { createRequire } from 'node:module';

const load = createRequire(__filename);

/**
 * Loads a package that a host has only where it uses what needs it.
 *
 * @param purpose what needs it, as the subject of a sentence
 * @throws Error with the command that adds the package
 */
export function loadPackage<T>(name: string, purpose: string): T {
  requirePackage(name, purpose);
  return load(name) as T;
}

/** Throws as `loadPackage` does, and loads nothing. */
export function requirePackage(name: string, purpose: string): void {
  try {
    load.resolve(name);
  } catch {
    throw new Error(
      `${purpose} needs the package ${name}, which is not installed. Add it: npm install ${name}`,
    );
  }
}
