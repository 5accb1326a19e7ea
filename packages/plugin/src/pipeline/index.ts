export { bringDomains } from './bring.js';
export type { Brought } from './bring.js';
export { migrateDomains } from './migrate.js';
export { recordedDomains } from './domain-bases.js';
export { regenerate, regeneratePublisher } from './regenerate.js';
export type { ChangedDomain } from './regenerate.js';
export { removeDomain } from './remove.js';
export { syncDomains } from './sync.js';
export type { SyncResult } from './sync.js';
