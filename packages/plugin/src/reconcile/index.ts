export { MANIFEST_PATH, basePath, parseManifest } from './manifest.js';
export type { ReconcileOptions } from './plan.js';
export type { Renaming } from './rename.js';
export { reconcile } from './reconcile.js';
export type { FileReport, Outcome, ReconcileReport } from './report.js';
