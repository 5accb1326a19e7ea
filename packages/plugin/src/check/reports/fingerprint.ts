import { createHash } from 'node:crypto';
import type { Finding } from '../verdict.js';

/** Names a finding over several runs, wherever its line moves. */
export function fingerprint({ class: name, path, change }: Finding): string {
  const identity = [name, path, change?.rule, change?.event, change?.field];
  return createHash('sha256').update(JSON.stringify(identity)).digest('hex');
}
