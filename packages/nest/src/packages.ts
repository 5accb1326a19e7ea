import { createRequire } from 'node:module';

const require = createRequire(__filename);

/**
 * Loads a package that a host has only where it uses what needs it.
 *
 * @param purpose what needs it, as the subject of a sentence
 * @throws Error with the command that adds the package
 */
export function loadPackage<T>(name: string, purpose: string): T {
  requirePackage(name, purpose);
  return require(name) as T;
}

/** Throws as `loadPackage` does, and loads nothing. */
export function requirePackage(name: string, purpose: string): void {
  try {
    require.resolve(name);
  } catch {
    throw new Error(
      `${purpose} needs the package ${name}, which is not installed. Add it: npm install ${name}`,
    );
  }
}
