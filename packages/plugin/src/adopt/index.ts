export { besideAdopted } from './beside.js';
export { carryHandlers } from './carry.js';
export { deriveAdopted } from './derive.js';
export type { Derived, Finding } from './derive.js';
export { replaceHandWritten } from './replace.js';
export type { Replaced } from './replace.js';
