export { WORKSPACE_CHECKS } from './checks.js';
export type { Finding, Review, Severity } from './finding.js';
export { publish } from './publish.js';
export type { PublishOptions } from './publish.js';
export { reviewWorkspace } from './review.js';
export type { ReviewOptions } from './review.js';
export type { Rules, Tools } from './tools.js';
