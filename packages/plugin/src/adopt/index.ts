export { otherCode } from './other-code.js';
export { existingGateways } from './existing-gateways.js';
export type { ExistingGateway } from './existing-gateways.js';
export { moveGuardChecks } from './move-guard-checks.js';
export { moveHandlers } from './move-handlers.js';
export { deriveAdopted } from './derive.js';
export type { Derived, Finding } from './derive.js';
export { replaceHandWritten } from './replace.js';
export type { Replaced } from './replace.js';
