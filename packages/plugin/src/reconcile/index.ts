export { MANIFEST_PATH, STATE_FOLDER, basePath, hashOf, parseManifest } from './manifest.js';
export type { Entry, Manifest } from './manifest.js';
export { hasMarkers, merge3 } from './merge.js';
export type { Merge } from './merge.js';
export type { ReconcileOptions } from './plan.js';
export { reconcile } from './reconcile.js';
export type { FileReport, Outcome, ReconcileReport } from './report.js';
