export { regenerate, withDomain } from './regenerate.js';
export { syncDomains } from './sync.js';
export type { SyncResult } from './sync.js';
