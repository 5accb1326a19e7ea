import type { z } from 'zod';

/** Loaded at the first use: a workspace without a domain file needs none. */
export function loadZod(): typeof z {
  // eslint-disable-next-line @typescript-eslint/no-require-imports
  return (require('zod') as typeof import('zod')).z;
}
