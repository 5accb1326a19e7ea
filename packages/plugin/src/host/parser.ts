type Parser = typeof import('oxc-parser');

/** Loaded at the first use: the parser is native, and may be missing for a platform. */
export function loadParser(): Parser | null {
  try {
    // eslint-disable-next-line @typescript-eslint/no-require-imports
    return require('oxc-parser') as Parser;
  } catch {
    return null;
  }
}
